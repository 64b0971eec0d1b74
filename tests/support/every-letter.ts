/** Names of at most 50 characters that together hold each letter with a case, each accent and each invisible character. */
export function namesOfEveryLetter(): string[] {
  const letters = Array.from({ length: END_OF_LETTERS }, (_, code) => String.fromCodePoint(code)).filter((letter) =>
    /[\p{Lu}\p{Lt}\p{Ll}\p{M}\p{DI}]/u.test(letter),
  );
  return Array.from({ length: Math.ceil(letters.length / 12) }, (_, index) =>
    letters.slice(index * 12, index * 12 + 12).join('.'),
  );
}

const END_OF_LETTERS = 0x20000;
