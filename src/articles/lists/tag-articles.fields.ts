import { Extensions, Resolver } from 'type-graphql';
import { type Columns, page, type ReadContext, ReadField } from '../../reading/read-plan.ts';
import { SCAN_COST } from '../../reading/scan-cost.ts';
import { Tag } from '../../tags/tag.entity.ts';
import { ArticleConnection } from '../article.connection.ts';
import { Article } from '../article.entity.ts';
import { ArticleOrderArgs } from '../article.input.ts';
import { linksOfTag, taggedOrder } from './article.lists.ts';

/** The articles of a tag. */
@Resolver(() => Tag)
export class TagArticlesFields {
  @Extensions({ scanCost: SCAN_COST.rowsOfRange })
  @ReadField(() => ArticleConnection, { args: () => ArticleOrderArgs, description: 'Articles that carry it.' })
  articles(tag: Columns<Tag>, { args }: ReadContext<ArticleOrderArgs>) {
    return page(Article, {
      through: linksOfTag(tag.id),
      order: taggedOrder(args.orderBy),
      args,
    });
  }
}
