import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isBlank, isLine, isName, isText } from '../../src/text/characters.ts';

/** Any character, half of them from where the rules are: joiners, marks, fillers, emoji, and scripts that join. */
const character = fc.oneof(
  fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
  fc.constantFrom(
    ...'\u200c\u200d\u200b\u2060\u00ad\ufe0f\u{e0100}\u2800\u3164\u115f\u0301\u094d \t\n\u2066\u2069\u202e',
  ),
  fc.constantFrom(...'علیرनकषবর😀👩🏽💻❤葛ᠠ⠁aB1'),
);
const texts = fc.array(character, { maxLength: 12 }).map((characters) => characters.join(''));

const all = (holds: (text: string) => boolean | undefined) => fc.assert(fc.property(texts, holds), { numRuns: 5000 });

/** The planes with characters, but for the Han characters of the second and third; private and undefined ones are among them. */
const codePoints = [0, 0x10000, 0xe0000].flatMap((plane) =>
  Array.from({ length: 0x10000 }, (_, code) => String.fromCodePoint(plane + code)),
);

const hexadecimal = (character: string) => character.codePointAt(0)?.toString(16);

test('a text is blank exactly if each of its characters is', () => {
  all((text) => isBlank(text) === [...text].every(isBlank));
});

test('no character that is not drawn ends a name, begins it, or stands beside Latin letters', () => {
  const unseen = codePoints.filter((character) => isBlank(character) && !/\p{M}/u.test(character));
  expect(unseen.length).toBeGreaterThan(60_000);
  const beside = (found: string) => (/\p{Zs}/u.test(found) ? [] : [`an${found}n`]);
  expect(
    unseen.filter((found) => [found, `${found}ann`, `ann${found}`, ...beside(found)].some(isName)).map(hexadecimal),
  ).toEqual([]);
});

test('no joiner ends a name, and none follows another', () => {
  all((text) => !isName(`${text}\u200c`) && !isName(`${text}\u200d`));
  all((text) => !isName(`न\u094d\u200d\u200d${text}`) && !isName(`👩\u200d\u200d💻${text}`));
});

test('every letter, digit, punctuation mark and symbol may be in a name and in a text', () => {
  const drawn = codePoints.filter((character) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) && !isBlank(character));
  expect(drawn.length).toBeGreaterThan(60_000);
  expect(drawn.filter((found) => !isName(`${found}ann${found}`) || !isLine(found)).map(hexadecimal)).toEqual([]);
});

test('every emoji that Unicode recommends may be a name', () => {
  const emoji = codePoints.filter((character) => /^\p{RGI_Emoji}$/v.test(character));
  expect(emoji.length).toBeGreaterThan(1000);
  expect(emoji.filter((found) => !isName(found))).toEqual([]);
  for (const joined of ['👨‍👩‍👧‍👦', '🏳️‍🌈', '👁️‍🗨️', '🧑🏿‍❤️‍💋‍🧑🏻', '🐈‍⬛', '❤️‍🔥', '#️⃣', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', '🇺🇦']) {
    expect(isName(joined), joined).toBe(true);
  }
});

test('a name is a line, and a line is a text', () => {
  all((text) => !isName(text) || isLine(text));
  all((text) => !isLine(text) || isText(text));
});

test('a text between others leaves the direction of what follows as it was', () => {
  const starts = (text: string) => (text.match(/[\u2066-\u2068]/g) ?? []).length;
  const ends = (text: string) => (text.match(/\u2069/g) ?? []).length;
  all((text) => !isText(text) || starts(text) === ends(text));
});
