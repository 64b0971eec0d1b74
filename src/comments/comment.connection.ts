import { connectionOf } from '../reading/connection.ts';
import { Comment } from './comment.entity.ts';

export const CommentConnection = connectionOf('Comment', () => Comment);
