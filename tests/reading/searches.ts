import type { Article } from '../../src/articles/article.entity.ts';
import { orm } from '../support/test-server.ts';

/** Reference implementation of searches: what some queries find in the small blog, word by word. */

type HasWord = (word: string) => boolean;

/** Whether an article matches, and which words of its texts are marked. */
const SEARCHES: Record<string, { finds: (has: HasWord) => boolean; marks: readonly string[] }> = {
  title: { finds: (has) => has('title'), marks: ['title'] },
  'TITLE -b': { finds: (has) => has('title') && !has('b'), marks: ['title'] },
  '"body 3"': { finds: (has) => has('body') && has('3'), marks: ['body', '3'] },
  'red or 5': { finds: (has) => has('red') || has('5'), marks: ['red', '5'] },
  '-title': { finds: () => false, marks: [] },
  nothing: { finds: () => false, marks: [] },
  '"': { finds: () => false, marks: [] },
};

/** Queries to choose from, of which the last two are none. */
export const QUERIES: readonly string[] = [...Object.keys(SEARCHES), '', '  '];

export const isQuery = (query: unknown): query is string => typeof query === 'string' && query.trim() !== '';

export const matchesQuery = (query: string, article: Article, tags: readonly string[]): boolean => {
  const words = new Set(wordsOf([article.title, article.description, ...tags, article.body].join(' ')));
  return searchOf(query).finds((word) => words.has(word));
};

export function textMatchesOf(query: string, article: Article, tags: readonly string[]) {
  const { title, description, body } = article;
  return Object.entries({ title, description, tags: tags.join(' '), body })
    .map(([field, text]) => ({ field, fragment: marked(text, searchOf(query).marks) }))
    .filter(({ fragment }) => fragment.includes('<mark>'));
}

/** The scores of all articles, by query and id; the formula is that of the order. */
export async function scoresOfQueries(): Promise<Map<string, Map<number, number>>> {
  const scores = new Map<string, Map<number, number>>();
  for (const query of QUERIES) {
    const rows = await orm.em.fork().execute<{ id: number; score: number }[]>(
      `select article_id as id, (ts_rank(vector, query, 32) * 1000000)::int
          + case when ts_filter(vector, '{a}') @@ query then 1000000 else 0 end as score
        from article_search, websearch_to_tsquery('english', ?) as query`,
      [query],
    );
    scores.set(query, new Map(rows.map(({ id, score }) => [id, score])));
  }
  return scores;
}

function searchOf(query: string) {
  const search = SEARCHES[query];
  if (!search) throw new Error(`The reference does not know what "${query}" finds.`);
  return search;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

function marked(text: string, words: readonly string[]): string {
  const escaped = text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
  return escaped
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{L}\p{N}]+/gu, (word) => (words.includes(word.toLowerCase()) ? `<mark>${word}</mark>` : word));
}
