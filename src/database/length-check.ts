/** The expression of a check constraint on the length of a text, in characters (code points). */
export const lengthCheck = (column: string, min: number, max: number): string =>
  `(char_length(${column}) >= ${min}) and (char_length(${column}) <= ${max})`;
