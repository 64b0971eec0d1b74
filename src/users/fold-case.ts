/**
 * What makes two names the same: NFKC, without case. Upper case first, because only that way round does "ß" meet "SS".
 * Kept in a column of its own, since `lower()` in PostgreSQL depends on the locale a database was made with.
 */
export const foldCase = (text: string): string => text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
