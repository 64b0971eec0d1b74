import 'reflect-metadata';
import { defineConfig } from '@mikro-orm/postgresql';
import { Article } from './src/articles/article.entity.ts';
import { ArticleSlug } from './src/articles/article-slug.entity.ts';
import { ArticleTag } from './src/articles/article-tag.entity.ts';
import { Favorite } from './src/articles/favorite.entity.ts';
import { ArticleRead } from './src/articles/reads/article-read.entity.ts';
import { ArticleSearch } from './src/articles/search/article-search.entity.ts';
import { SearchSettings } from './src/articles/search/search-settings.entity.ts';
import { RateLimit } from './src/auth/rate-limit.entity.ts';
import { Session } from './src/auth/session.entity.ts';
import { Comment } from './src/comments/comment.entity.ts';
import { RecordingDriver } from './src/database/batch/write-batch.ts';
import { ImplicitTransactionEntityManager } from './src/database/entity-manager.ts';
import { type ConnectionOptions, connectionTo, type OpenDatabase, openDatabase } from './src/database/open-database.ts';
import { PgClient } from './src/database/pg-client.ts';
import { readDatabaseEnvironment, readPostgresUrl } from './src/environment.ts';
import { reportConfigErrors, safeMigrations } from './src/migration-safety/index.ts';
import { Tag } from './src/tags/tag.entity.ts';
import { Follow } from './src/users/follow.entity.ts';
import { IdempotencyKey } from './src/users/idempotency-key.entity.ts';
import { User } from './src/users/user.entity.ts';

/** The configuration of the `mikro-orm` commands, read from the environment. */
export default () =>
  reportConfigErrors(async () => ormConfig(await openDatabase(readDatabaseEnvironment(), 'command')));

/** The one ORM configuration: commands, the server and tests differ only in the connection. */
export const ormConfig = ({ connection, embedded, migrationLock }: OpenDatabase) =>
  defineConfig({
    ...withClient(connection),
    driver: RecordingDriver,
    entityManager: ImplicitTransactionEntityManager,
    implicitTransactions: false, // the entity manager begins them
    entities: [
      User,
      Follow,
      IdempotencyKey,
      Session,
      RateLimit,
      Article,
      ArticleRead,
      ArticleSlug,
      ArticleTag,
      ArticleSearch,
      SearchSettings,
      Favorite,
      Tag,
      Comment,
    ],
    // Triggers create the functions of the search; schema:update would drop them as undeclared.
    schemaGenerator: { ignoreRoutines: true },
    ...safeMigrations({
      // Beside this file, whether it runs as TypeScript or from dist.
      path: `${import.meta.dirname}/migrations`,
      pathTs: `${import.meta.dirname}/migrations`,
      safety: {
        schemaFile: `${import.meta.dirname}/schema/database.sql`,
        tablesFile: `${import.meta.dirname}/docs/database.md`,
        connectionOf: (url) => withClient(connectionTo(readPostgresUrl(url))),
        ...(migrationLock && { lock: { file: migrationLock, isOwner: () => embedded?.isOwner ?? false } }),
      },
    }),
  });

const withClient = ({ driverOptions, ...address }: ConnectionOptions) => ({
  ...address,
  driverOptions: { ...driverOptions, Client: PgClient },
});
