/** Keys by which texts are equal ignoring case. They have columns of their own, since `lower()` depends on a database's locale. */

/** NFKC and case-folded. Upper case comes first, since only then does "ß" equal "SS". */
export const foldCase = (text: string): string =>
  text.length > MAX_LENGTH ? '' : text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');

/**
 * The key of a name: also without characters that are not drawn, such as joiners, and with one space for several, so that no two
 * names look equal by these. A sigma at the end of a word is the same as one within it, so that a name starts with its prefixes. Only
 * the capital ß is left as ß by `foldCase`.
 */
export const nameKey = (name: string): string =>
  foldCase(name)
    .replaceAll('ς', 'σ')
    .replaceAll('ß', 'ss')
    .replaceAll(/\p{DI}/gu, '')
    .normalize('NFKC')
    .replaceAll(/ +/g, ' ');

/** No name is longer, and none is empty. NFKC sorts the accents of a letter, which takes minutes for a request full of them. */
const MAX_LENGTH = 1000;
