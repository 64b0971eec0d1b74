import type { SignedIn } from '../auth/context.ts';
import type { Article } from './article.entity.ts';

export const canUpdateArticle = (viewer: SignedIn, article: Article): boolean => article.isWrittenBy(viewer);

export const canDeleteArticle = (viewer: SignedIn, article: Article): boolean => article.isWrittenBy(viewer);
