/**
 * The key by which two names are equal: NFKC and case-folded. Upper case comes first, since only then does "ß" equal "SS".
 * It is stored in its own column, because PostgreSQL's `lower()` depends on the locale of the database.
 */
export const foldCase = (text: string): string =>
  text.length > MAX_LENGTH ? '' : text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');

/** No name is longer, and none is empty. NFKC sorts the accents of a letter, which takes minutes for a request full of them. */
const MAX_LENGTH = 1000;
