/**
 * What makes two names the same: NFKC, without case. Upper case first, because only that way round does "ß" meet "SS".
 * Kept in a column of its own, since `lower()` in PostgreSQL depends on the locale a database was made with.
 */
export const foldCase = (text: string): string =>
  text.length > LONGEST ? '' : text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');

/**
 * Nobody's name is longer, and nobody's is empty. NFKC puts the accents of a letter in order, and takes minutes for as many
 * as a request can hold; and what is looked up is copied many times.
 */
const LONGEST = 1000;
