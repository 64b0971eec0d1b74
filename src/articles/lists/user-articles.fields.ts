import { Extensions, Int, Resolver } from 'type-graphql';
import { OrderDirection, PageArgs } from '../../reading/page-args.ts';
import { type Columns, count, links, page, type ReadContext, ReadField } from '../../reading/read-plan.ts';
import { SCAN_COST } from '../../reading/scan-cost.ts';
import { raw, sql } from '../../reading/sql.ts';
import { Follow } from '../../users/follow.entity.ts';
import { User } from '../../users/user.entity.ts';
import { Viewer } from '../../users/viewer.ts';
import { ArticleConnection } from '../article.connection.ts';
import { Article } from '../article.entity.ts';
import { ArticleListArgs, ArticleOrderField } from '../article.input.ts';
import { STATUS_SQL } from '../article-status.ts';
import { Favorite } from '../favorite.entity.ts';
import { articleFilterConditions, articleListParts, articleOrder } from './article.lists.ts';

/** The articles that a user wrote and favourited. */
@Resolver(() => User)
export class UserArticlesFields {
  @Extensions({ scanCost: SCAN_COST.indexRange })
  @ReadField(() => Int, { description: 'How many articles this user has published.' })
  articlesCount(user: Columns<User>) {
    return count(Article, { author: user.id });
  }

  @Extensions({ scanCost: SCAN_COST.rowsOfRange })
  @ReadField(() => ArticleConnection, { args: () => ArticleListArgs, description: 'Published articles by this user.' })
  articles(user: Columns<User>, { args }: ReadContext<ArticleListArgs>) {
    return page(Article, {
      ...articleListParts(args),
      where: (article) => [{ author: user.id }, ...articleFilterConditions(article, args.filter)],
    });
  }

  @Extensions({ scanCost: SCAN_COST.indexRange })
  @ReadField(() => ArticleConnection, {
    args: () => PageArgs,
    description: 'Articles this user has favourited, most recently favourited first.',
  })
  favorites(user: Columns<User>, { args }: ReadContext<PageArgs>) {
    return page(Article, {
      through: links(Favorite, { user: user.id }, 'article'),
      order: { name: 'FAVORITED_AT', direction: 'DESC', by: { link: 'createdAt' } },
      args,
    });
  }
}

/** The articles by users whom the viewer follows, and the viewer's own drafts. */
@Resolver(() => Viewer)
export class ViewerArticlesFields {
  @Extensions({ scanCost: SCAN_COST.table })
  @ReadField(() => ArticleConnection, {
    args: () => PageArgs,
    description: 'Articles by the authors the viewer follows, newest first.',
  })
  feed(viewer: Columns<User>, { args }: ReadContext<PageArgs>) {
    return page(Article, {
      through: links<Follow, Article>(Follow, { follower: viewer.id }, 'followed', 'author'),
      order: articleOrder(),
      args,
    });
  }

  @Extensions({ scanCost: SCAN_COST.indexRange })
  @ReadField(() => ArticleConnection, {
    args: () => PageArgs,
    description: "The viewer's own drafts, the last changed first.",
  })
  drafts(viewer: Columns<User>, { args }: ReadContext<PageArgs>) {
    return page(Article, {
      scope: 'found',
      where: (article) => [{ author: viewer.id }, sql`${article.status} = ${raw(STATUS_SQL.DRAFT)}`],
      order: articleOrder({ field: ArticleOrderField.UPDATED_AT, direction: OrderDirection.DESC }),
      args,
    });
  }
}
