import { connectionOf } from '../reading/connection.ts';
import { Article } from './article.entity.ts';

export const ArticleConnection = connectionOf('Article', () => Article, { isSearched: true });
