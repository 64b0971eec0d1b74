/**
 * What users type into a search box, as text for PostgreSQL's websearch_to_tsquery, which takes any text without an error: words,
 * "a phrase", -without, and `or`. Signs and accents are dropped as in the indexed texts (see search-functions.ts).
 */

/** More is cut off: each word costs a lookup. */
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
    .map((run) => (CJK.test(run) ? split(run).join(' ') : run.trim()))
    .filter((words) => words !== '');
}

const wordsOf = (text: string) =>
  text
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036f]/gu, '')
    .normalize('NFC')
    .replaceAll(/[øØłŁđĐħıŧ]/gu, (letter) => PLAIN[letter] as string)
    .replaceAll(/[^\p{L}\p{N}\p{M}]+/gu, ' ');

const PLAIN: Record<string, string> = {
  ø: 'o',
  Ø: 'O',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ħ: 'h',
  ı: 'i',
  ŧ: 't',
};

const CJK_LETTERS =
  '\\u3005-\\u3007\\u3041-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\uf900-\\ufaff';
const CJK = new RegExp(`[${CJK_LETTERS}]`);
const RUN = new RegExp(`[${CJK_LETTERS}]+|[^${CJK_LETTERS}]+`, 'g');

const pairs = (run: string) =>
  run.length === 1 ? [run] : Array.from({ length: run.length - 1 }, (_, at) => run.slice(at, at + 2));
