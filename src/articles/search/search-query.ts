import { foldAccents } from '../../text/fold-accents.ts';
import { CJK } from './letters.ts';

/**
 * What users type into a search box, as text for PostgreSQL's websearch_to_tsquery, which takes any text without an error: words,
 * "a phrase", -without, and `or`. Signs and accents are dropped as in the indexed texts (see search-functions.ts).
 */

/** More is cut off, since each word costs a lookup. A quoted phrase counts as one word here. */
export const SEARCH_LIMITS = { characters: 400, words: 20 } as const;

/** The query for the index, in which CJK text stands as pairs of neighbours. Empty if there is nothing to search for. */
export const indexQuery = (typed: string): string => websearch(typed, pairs);

/** The query for the text itself, in which each CJK letter is a word. */
export const textQuery = (typed: string): string => websearch(typed, (run) => [...run]);

function websearch(typed: string, split: (run: string) => readonly string[]): string {
  const parts =
    typed
      .slice(0, SEARCH_LIMITS.characters)
      .toWellFormed()
      .match(/-?"[^"]*"?|[^\s"]+/gu) ?? [];
  return parts
    .slice(0, SEARCH_LIMITS.words)
    .flatMap((part) => {
      if (/^or$/i.test(part)) return ['or'];
      const sign = part.startsWith('-') ? '-' : '';
      return phrases(part, split).map((words) => `${sign}"${words}"`);
    })
    .join(' ');
}

/** The words of a part, in phrases of either CJK text or other text. */
function phrases(part: string, split: (run: string) => readonly string[]): string[] {
  return (wordsOf(part).match(RUN) ?? [])
    .map((run) => (HAS_CJK.test(run) ? split(run).join(' ') : run.trim()))
    .filter((words) => words !== '');
}

const wordsOf = (text: string) =>
  foldAccents(text)
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{N}\p{M}]+/gu, ' ');

const HAS_CJK = new RegExp(`[${CJK}]`);
const RUN = new RegExp(`[${CJK}]+|[^${CJK}]+`, 'g');

const pairs = (run: string) =>
  run.length === 1 ? [run] : Array.from({ length: run.length - 1 }, (_, at) => run.slice(at, at + 2));
