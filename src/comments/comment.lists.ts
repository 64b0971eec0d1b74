import { type Order, OrderDirection } from '../reading/page-args.ts';
import type { Comment } from './comment.entity.ts';
import { type CommentOrder, CommentOrderField } from './comment.input.ts';

export function commentOrder(orderBy?: CommentOrder | null): Order<Comment> {
  const { field, direction } = orderBy ?? { field: CommentOrderField.CREATED_AT, direction: OrderDirection.ASC };
  return { name: field, direction, by: 'createdAt' };
}
