import type { EntityManager } from '@mikro-orm/postgresql';
import { type GraphQLSchema, isInputObjectType } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { ArticleFields } from '../articles/article.fields.ts';
import { ArticleResolver } from '../articles/article.resolver.ts';
import { TagArticlesFields } from '../articles/lists/tag-articles.fields.ts';
import { UserArticlesFields, ViewerArticlesFields } from '../articles/lists/user-articles.fields.ts';
import { ArticleReadResolver } from '../articles/reads/article-read.resolver.ts';
import { SearchResolver } from '../articles/search/search.resolver.ts';
import { AccountResolver } from '../auth/account.resolver.ts';
import { rejectInvalidTokens, requireSignIn } from '../auth/authorization.ts';
import { SessionResolver } from '../auth/session.resolver.ts';
import { ArticleCommentsFields } from '../comments/article-comments.fields.ts';
import { CommentFields } from '../comments/comment.fields.ts';
import { CommentResolver } from '../comments/comment.resolver.ts';
import {
  ForbiddenError,
  InvalidCredentialsError,
  NotFoundError,
  StaleVersionError,
  TakenError,
  ValidationError,
} from '../graphql/user-errors.ts';
import { attachSqlResolvers, createWriteAndRead } from '../reading/sql-resolvers.ts';
import { TagResolver } from '../tags/tag.resolver.ts';
import { UserFields, ViewerFields } from '../users/user.fields.ts';
import { UserResolver } from '../users/user.resolver.ts';
import { wrapMutations } from './operations/mutation-wrapper.ts';
import { NodeResolver } from './operations/node.resolver.ts';

/** The executable schema. */
export function buildSchema(em: EntityManager): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [
      AccountResolver,
      ArticleCommentsFields,
      ArticleFields,
      ArticleReadResolver,
      ArticleResolver,
      CommentFields,
      CommentResolver,
      NodeResolver,
      SearchResolver,
      SessionResolver,
      TagArticlesFields,
      TagResolver,
      UserArticlesFields,
      UserFields,
      UserResolver,
      ViewerArticlesFields,
      ViewerFields,
    ],
    // Only referenced through the interface they implement.
    orphanedTypes: [
      ForbiddenError,
      InvalidCredentialsError,
      NotFoundError,
      StaleVersionError,
      TakenError,
      ValidationError,
    ],
    authChecker: requireSignIn,
    // validation.ts checks inputs instead, and reports every error with its path.
    validate: false,
    skipCheck: true, // Apollo checks it too
  });
  for (const type of Object.values(schema.getTypeMap())) {
    // TypeGraphQL has no @oneOf of its own; validation, introspection and printing follow this flag.
    if (isInputObjectType(type) && type.extensions.oneOf) type.isOneOf = true;
  }
  attachSqlResolvers(schema, em);
  wrapMutations(schema, createWriteAndRead(em));
  rejectInvalidTokens(schema);
  return schema;
}
