import { domainToUnicode } from 'node:url';

/**
 * The address as the URL class serializes it: the host in lower case, characters beyond ASCII encoded. Null if it is none, and
 * also if the class repairs it, as it does with missing or reversed slashes, spaces, quotes and numbers for a host: what a
 * browser would make of such an address is not what was typed.
 */
export function serializeHttpUrl(typed: string): string | null {
  const [, authority = '', rest = ''] = /^https?:\/\/([^/?#\\]+)(.*)$/isu.exec(typed) ?? [];
  const url = typed.isWellFormed() && !REFUSED.test(typed) ? URL.parse(typed) : null;
  if (!url || !isHost(authority.replace(/:\d*$/, ''), url.hostname)) return null;
  const serialized = url.href.slice(`${url.protocol}//${url.host}`.length);
  return withoutChoices(serialized) === withoutChoices(rest.replace(/^(?!\/)/, '/')) ? url.href : null;
}

/** What no address may hold (RFC 3986): half an encoded character, white space, and signs that could end an attribute. */
const REFUSED = /%(?![\da-f]{2})|[\s"<>\\^`{|}]/i;

/** Whether the host was parsed without a repair, and its labels can be those of a name. */
function isHost(typed: string, parsed: string): boolean {
  if (parsed.startsWith('[')) return typed.startsWith('[');
  const labels = parsed.replace(/\.$/, '').split('.');
  return (
    labels.every((label) => /^[\w-]{1,63}$/.test(label)) &&
    parsed.length <= 254 &&
    [parsed, domainToUnicode(parsed)].includes(typed.normalize('NFC').toLowerCase())
  );
}

/** Characters beyond ASCII and single quotes may be encoded or not. */
const withoutChoices = (part: string) => part.replaceAll(/[^\0-\x7f]+/g, encodeURIComponent).replaceAll('%27', "'");
