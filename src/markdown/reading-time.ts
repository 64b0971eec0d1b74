export const WORDS_PER_MINUTE = 240;
/** For scripts without spaces between words. */
export const CHARACTERS_PER_MINUTE = 500;

/** Whole minutes, at least one. Chinese and Japanese are counted by characters. */
export function readingTimeMinutes(text: string): number {
  const characters = text.match(UNSPACED)?.length ?? 0;
  const words = text.replace(UNSPACED, ' ').split(/\s+/).filter(isWord).length;
  return Math.max(1, Math.ceil(words / WORDS_PER_MINUTE + characters / CHARACTERS_PER_MINUTE));
}

const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu;
const isWord = (text: string) => /[\p{L}\p{N}]/u.test(text);
