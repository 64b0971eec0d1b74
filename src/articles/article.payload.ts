import { Field, ID, ObjectType } from 'type-graphql';
import { UserError } from '../graphql/user-errors.ts';
import { Article } from './article.entity.ts';

@ObjectType({ description: 'The article that was acted on.' })
export class ArticlePayload {
  @Field(() => Article, { nullable: true, description: 'As it is now.' })
  article?: Article;

  @Field(() => [UserError], { description: 'Why nothing was done; empty when it was.' })
  errors?: readonly UserError[];
}

@ObjectType({ description: 'The end of an article.' })
export class DeleteArticlePayload {
  @Field(() => ID, { nullable: true, description: 'Id of the article that is no more, to drop from caches.' })
  deletedId?: string;

  @Field(() => String, { nullable: true, description: 'Its slug, for frontends that keep articles by it.' })
  deletedSlug?: string;

  @Field(() => [UserError], { description: 'Why nothing was done; empty when it was.' })
  errors?: readonly UserError[];
}
