import { Extensions, Resolver } from 'type-graphql';
import { Article } from '../articles/article.entity.ts';
import { type Columns, page, type ReadContext, ReadField } from '../reading/read-plan.ts';
import { SCAN_COST } from '../reading/scan-cost.ts';
import { CommentConnection } from './comment.connection.ts';
import { Comment } from './comment.entity.ts';
import { CommentListArgs } from './comment.input.ts';
import { commentOrder } from './comment.lists.ts';

/** The comments on an article. */
@Resolver(() => Article)
export class ArticleCommentsFields {
  @Extensions({ scanCost: SCAN_COST.indexRange })
  @ReadField(() => CommentConnection, { args: () => CommentListArgs, description: 'What readers said about it.' })
  comments(article: Columns<Article>, { args }: ReadContext<CommentListArgs>) {
    return page(Comment, { where: { article: article.id }, order: commentOrder(args.orderBy), args });
  }
}
