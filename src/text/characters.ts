import { domainToASCII } from 'node:url';

/**
 * Which characters a text may hold, by Unicode's own properties. docs/clients.md has the rules as clients see them. Characters
 * that a later version of Unicode may give to an emoji count as emoji.
 */

/** Whether the text is drawn as nothing. A control character is no blank but a fault, unless it is white space. */
export const isBlank = (text: string): boolean => BLANK.test(text);

/**
 * Whether the text can be a name: one line in which each character is seen, or changes how its neighbours are drawn. The rules
 * are those of RFC 8264 (FreeformClass) and RFC 5892 (CONTEXTJ).
 */
export function isName(text: string): boolean {
  if (text !== text.trim() || /^\p{M}/u.test(text)) return false;
  const seen = text
    .replaceAll(EMOJI, EMPTY_BOX)
    .replaceAll(VARIANT, '')
    .replaceAll(JOINER, (found, _, joiner, ...rest) => {
      const { before, after } = rest.at(-1) as { before: string; after?: string };
      return joins(before, joiner, after ?? '') ? before : found;
    });
  return !UNSEEN.test(seen);
}

/** Whether the text can be a line of running text, such as a title. */
export const isLine = (text: string): boolean => !/[\n\r\p{Zl}\p{Zp}]/u.test(text) && isText(text);

/**
 * Whether the text can be running text of many lines. Characters that reverse the direction of letters are refused; those that
 * isolate or embed a phrase must end in its paragraph, so that they do not change what a page shows after it.
 */
export const isText = (text: string): boolean =>
  !/[\p{Cc}--[\t\n\r]]|[\u202d\u202e]/v.test(text) && text.split(/[\n\r\p{Zp}]/u).every(closesDirections);

const BLANK =
  /^[\p{White_Space}\p{DI}\p{M}\p{Co}[\p{Cn}--\p{ExtPict}]\u2800\ufff9-\ufffc\u{13430}-\u{1343f}\u{1d159}]*$/v;

const UNSEEN =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{DI}\p{Co}[\p{Cn}--\p{ExtPict}]\u2800\ufff9-\ufffc\u{13430}-\u{1343f}\u{16fe4}\u{1d159}]/v;

/** An emoji with its variation selector or skin tone, several of them joined (UTS #51, ED-16), a keycap, or a flag of tags. */
const EMOJI =
  /\p{RGI_Emoji_Tag_Sequence}|[0-9#*]\ufe0f\u20e3|\p{ExtPict}(?:\ufe0f?\p{EMod}|[\ufe0e\ufe0f])?(?:\u200d\p{ExtPict}(?:\ufe0f?\p{EMod}|[\ufe0e\ufe0f])?)*/gv;
const EMPTY_BOX = '\u25a1';

/** A selector of another form of a Han character or a Mongolian letter, Mongolian's vowel separator, a space in Braille. */
const VARIANT =
  /(?<=\p{Unified_Ideograph})[\ufe00-\ufe02\u{e0100}-\u{e01ef}]|(?<=\p{sc=Mong})(?:[\u180b-\u180d\u180f]|\u180e(?=[\u1820\u1821]))|(?<=[\u2801-\u28ff])\u2800(?=[\u2801-\u28ff])/gu;

/** A joiner with the letters around it. At the end of a text it joins nothing. */
const JOINER = /(?<before>\p{L}\p{M}{0,8})([\u200c\u200d])(?!$)(?=(?<after>\p{M}{0,8}\p{L})?)/gu;

/** Node's parser of domain names knows CONTEXTJ. It leaves out the joiner between Bengali's ra and a form of ya. */
const joins = (before: string, joiner: string, after: string) =>
  (before === '\u09b0' && after.startsWith('\u09cd')) || domainToASCII(before + joiner + after) !== '';

function closesDirections(paragraph: string): boolean {
  const open: string[] = [];
  for (const character of paragraph.match(/[\u202a-\u202c\u2066-\u2069]/g) ?? []) {
    const end = ENDS[character];
    if (end) open.push(end);
    else if (open.pop() !== character) return false;
  }
  return open.length === 0;
}

/** The character that ends an embedding or an isolate, by the one that starts it. */
const ENDS: Record<string, string> = {
  '\u202a': '\u202c',
  '\u202b': '\u202c',
  '\u2066': '\u2069',
  '\u2067': '\u2069',
  '\u2068': '\u2069',
};
