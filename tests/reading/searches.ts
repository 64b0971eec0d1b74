import type { Article } from '../../src/articles/article.entity.ts';
import { nameKey } from '../../src/text/fold-case.ts';
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
  r: { finds: (has) => has('r'), marks: ['r'] },
  'r%': { finds: (has) => has('r'), marks: ['r'] },
  arger: { finds: (has) => has('ärger'), marks: ['ärger'] },
  nothing: { finds: () => false, marks: [] },
  '"': { finds: () => false, marks: [] },
};

/** Queries to choose from, of which the last two are none. */
export const QUERIES: readonly string[] = [...Object.keys(SEARCHES), '', '  '];

/** Queries that find users and tags, which no article has as words. */
export const SEARCHES_OF_NAMES: readonly string[] = ['DAN', 'strasse', 'Strase', 'teall', 'zzz', '%', 'cy\0'];

/**
 * The score of a name: 5,000,000 if it equals the query, less than 4,000,000 by its length if it begins with it, less than 1,000 by
 * likeness. Null if it is no match.
 */
export function scoreOfName(name: string, query: string): number | null {
  const [key, typedKey] = [name, query].map((text) => nameKey(text.replaceAll('"', ' ').trim())) as [string, string];
  const [folded, typed] = [key, typedKey].map((text) => text.normalize('NFD').replaceAll(/\p{Mn}/gu, '')) as [
    string,
    string,
  ];
  if (typed === '' || typed.includes('\0')) return null;
  if (folded === typed) return 5_000_000 + (key === typedKey ? 1 : 0);
  if (folded.startsWith(typed)) return 4_000_000 - folded.length;
  if (typed.length < 4) return null;
  const [parts, searched] = [folded, typed].map(partsOfThree) as [Set<string>, Set<string>];
  const common = [...parts].filter((part) => searched.has(part)).length;
  const share = common / (folded.length + 1 + searched.size - common);
  const likeness = Math.max(share, folded.includes(typed) ? 0.5 + typed.length / (2 * folded.length) : 0);
  return likeness < 0.3 ? null : Math.floor((likeness - 0.3) * 1000);
}

const partsOfThree = (name: string) =>
  new Set(Array.from({ length: name.length + 1 }, (_, at) => `  ${name} `.slice(at, at + 3)));

/** The name with the query marked at its beginning. */
export function nameMatchesOf(field: string, name: string, query: string) {
  if ((scoreOfName(name, query) ?? 0) < 3_000_000 || nameKey(name).length !== name.length) return [];
  const size = nameKey(query.trim()).length;
  return [{ field, fragment: `<mark>${marked(name.slice(0, size), [])}</mark>${marked(name.slice(size), [])}` }];
}

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
  const search = SEARCHES_OF_NAMES.includes(query) ? SEARCHES.nothing : SEARCHES[query];
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
