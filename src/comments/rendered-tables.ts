import { ARTICLE_RENDERING } from '../articles/article.limits.ts';
import type { RenderedTable } from '../markdown/backfill.ts';
import { COMMENT_RENDERING } from './comment.limits.ts';

/** Every table whose rows are stored with the HTML of their body. */
export const RENDERED_TABLES: readonly RenderedTable[] = [
  { name: 'articles', options: ARTICLE_RENDERING, hasExcerpt: true },
  { name: 'comments', options: COMMENT_RENDERING, hasExcerpt: false },
];
