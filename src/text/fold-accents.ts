/** Letters that NFD does not take apart, and in the same order the letters without accents that stand for them. */
export const STROKED = { letters: 'øØłŁđĐħıŧ', plain: 'oOlLdDhit' } as const;

/** The text without accents, in NFD. */
export const foldAccents = (text: string): string =>
  text
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036f]/gu, '')
    .replaceAll(HAS_STROKE, (letter) => PLAIN.get(letter) ?? letter);

const PLAIN = new Map(Array.from(STROKED.letters, (letter, at) => [letter, STROKED.plain.charAt(at)]));

const HAS_STROKE = new RegExp(`[${STROKED.letters}]`, 'gu');
