/** A text that a regular expression probably matches: the first branch, one repetition. Undefined if it is not understood. */
export function sampleOfRegex(source: string): string | undefined {
  let at = 0;
  try {
    const text = branches();
    return at === source.length ? text : undefined;
  } catch {
    return undefined;
  }

  function branches(): string {
    const first = sequence();
    while (source[at] === '|') {
      at++;
      sequence();
    }
    return first;
  }

  function sequence(): string {
    let text = '';
    while (at < source.length && source[at] !== '|' && source[at] !== ')') text += repeated(atom());
    return text;
  }

  function atom(): string {
    const char = source[at++] ?? '';
    if (char === '^' || char === '$') return '';
    if (char === '.') return 'a';
    if (char === '\\') return ESCAPES[source[at++] ?? ''] ?? source[at - 1] ?? '';
    if (char === '[') return memberOf(bracket());
    if (char !== '(') return char;
    const [prefix = ''] = /^\?(:|<?[=!])/.exec(source.slice(at)) ?? [];
    at += prefix.length;
    const inside = branches();
    if (source[at++] !== ')') throw new Error('unbalanced');
    return prefix === '' || prefix === '?:' ? inside : '';
  }

  function bracket(): string {
    const [whole, inside = ''] = /^(\^?\]?(?:\[:\w+:\]|\\.|[^\]])*)\]/.exec(source.slice(at)) ?? [];
    if (whole === undefined) throw new Error('unbalanced');
    at += whole.length;
    return inside.replace(/\[:(\w+):\]/g, (_, name) => POSIX[name] ?? 'a');
  }

  function memberOf(inside: string): string {
    const pattern = new RegExp(`[${inside.replaceAll('[', '\\[').replace(/^(\^?)\]/, '$1\\]')}]`);
    return [...'abcA10-_ .@/', ...inside].find((char) => pattern.test(char)) ?? '';
  }

  function repeated(text: string): string {
    const [whole = '', count] = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/.exec(source.slice(at)) ?? [];
    at += whole.length;
    return count === undefined ? text : text.repeat(Math.min(10_000, Number(count) || 1));
  }
}

const ESCAPES: Record<string, string> = {
  d: '1',
  w: 'a',
  s: ' ',
  D: 'a',
  W: '-',
  S: 'a',
  m: '',
  M: '',
  y: '',
  A: '',
  Z: '',
  n: '\n',
  t: '\t',
};
const POSIX: Record<string, string> = {
  alpha: 'a-zA-Z',
  digit: '0-9',
  alnum: 'a-zA-Z0-9',
  lower: 'a-z',
  upper: 'A-Z',
  space: '\\s',
  punct: '!-\\/:-@',
  xdigit: '0-9a-f',
};
