import { BadUserInput } from '../../graphql/errors.ts';
import type { Order, OrderDirection } from '../../reading/page-args.ts';
import { type Columns, links, type Ranking } from '../../reading/read-plan.ts';
import { type Sql, sql } from '../../reading/sql.ts';
import type { Article } from '../article.entity.ts';
import { ArticleSearch } from './article-search.entity.ts';
import { indexQuery, textQuery } from './search-query.ts';

/** Whether the query is blank, so that the filter ignores it. */
export const isBlankQuery = (query: string | null | undefined): query is null | undefined | '' => !query?.trim();

/** The links to the articles that match the query. */
export const matches = (query: string) =>
  links(ArticleSearch, (words) => isMatch(words.vector, query), 'article', 'id', { few: FEW_MATCHES });

/** The order by relevance: what matches in its title first, then by the weights and number of the words that match. */
export function relevance(query: string | null | undefined, direction: `${OrderDirection}`): Order<Article> {
  if (isBlankQuery(query)) {
    throw new BadUserInput('orderBy.field is RELEVANCE; it needs a filter with a query.');
  }
  const parsed = queryOf(query);
  const score = ({ vector = sql`` }: Partial<Columns<ArticleSearch>>) =>
    sql`(ts_rank(${vector}, ${parsed}, 32) * 1000000)::int + case when ${titleOf(vector)} @@ ${parsed} then 1000000 else 0 end`;
  const inTitle = (words: Columns<ArticleSearch>) => isMatch(titleOf(words.vector), query);
  const preferred = links(ArticleSearch, inTitle, 'article');
  const ranking: Ranking = { preferred, score, newestBy: 'publishedAt' };
  return { name: 'RELEVANCE', direction, by: { ranking } };
}

/** The parts of an article that match the query, by field; undefined without a query. */
export function articleTextMatches(query: string | null | undefined) {
  if (isBlankQuery(query)) return undefined;
  const parsed = sql`(select search_query(${textQuery(query)}))`;
  const whole = (text: Sql) => sql`search_fragment(${text}, ${parsed}, 'HighlightAll=true')`;
  return (article: Columns<Article>) => ({
    title: whole(article.title),
    description: whole(article.description),
    tags: whole(sql`(select tags from article_search where article_id = ${article.id})`),
    body: sql`search_fragment(search_plain_text(${article.body}, ${article.bodyHtml}), ${parsed}, 'MaxFragments=1, MinWords=15, MaxWords=35')`,
  });
}

/** `select` makes PostgreSQL parse the query once. */
const queryOf = (query: string) => sql`(select search_query(${indexQuery(query)}))`;

/** A query without words matches nothing. */
const isMatch = (vector: Sql, query: string) =>
  indexQuery(query) === '' ? false : sql`${vector} @@ ${queryOf(query)}`;

/** As in the index article_search_title_words. */
const titleOf = (vector: Sql) => sql`ts_filter(${vector}, '{a}')`;

/** Up to this number, matches are sorted. With more, a list is scanned in its order. */
const FEW_MATCHES = 2_000;
