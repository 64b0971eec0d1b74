import { Extensions, Resolver } from 'type-graphql';
import { ArticleConnection } from '../articles/article.connection.ts';
import { Article } from '../articles/article.entity.ts';
import { ArticleOrderArgs } from '../articles/article.input.ts';
import { articleOrder } from '../articles/article.lists.ts';
import { ArticleTag } from '../articles/article-tag.entity.ts';
import { type Asked, links, page, ReadField, type Row } from '../reading/read-plan.ts';
import { Tag } from './tag.entity.ts';

/** What is computed of a tag. */
@Resolver(() => Tag)
export class TagFields {
  @Extensions({ costToLookThrough: 100 })
  @ReadField(() => ArticleConnection, { args: () => ArticleOrderArgs, description: 'Articles that carry it.' })
  articles(tag: Row<Tag>, { args }: Asked<ArticleOrderArgs>) {
    return page(Article, {
      through: links(ArticleTag, { tag: tag.id }, 'article'),
      order: articleOrder(args.orderBy),
      args,
    });
  }
}
