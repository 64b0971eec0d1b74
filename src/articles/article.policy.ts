import type { SignedIn } from '../auth/context.ts';
import { type Columns, equal } from '../reading/read-plan.ts';
import type { Sql } from '../reading/sql.ts';
import type { Article } from './article.entity.ts';

/** Who may change and delete an article: for a loaded entity, and in SQL for the columns of a row. */

export const canUpdateArticle = (viewer: SignedIn, article: Article): boolean => article.isWrittenBy(viewer);

export const canUpdateArticleSql = (viewer: SignedIn, article: Columns<Article>): Sql =>
  equal(article.author, viewer.id);

export const canDeleteArticle = canUpdateArticle;

export const canDeleteArticleSql = canUpdateArticleSql;
