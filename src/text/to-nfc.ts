/**
 * The text in Unicode's Normalization Form C, in which equal texts are equal strings. One that is longer than the limit in any
 * spelling stays as it is: NFC sorts the accents of a letter, which takes minutes for a request full of them.
 */
export const toNfc = (text: string, limit: number): string =>
  text.length > LONGEST_SPELLING * limit ? text : text.normalize('NFC');

/** Code units of the longest spelling of one character. */
const LONGEST_SPELLING = 4;
