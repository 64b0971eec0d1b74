import { secretIn, type seededRandom } from './rig.ts';

export type Random = ReturnType<typeof seededRandom>;
export const one = <T>(items: readonly T[], random: Random): T => items[random(items.length)] as T;

/** Texts that have broken other servers. */
export const CORPUS = [
  "' or '1'='1",
  "'; drop table users; --",
  '" or 1=1 --',
  "') union select null --",
  '$1',
  '%s%n',
  "\\'",
  '/* */',
  'pg_sleep(10)',
  '<script>alert(1)</script>',
  'javascript:alert(1)',
  '"><img src=x onerror=alert(1)>',
  '{{7*7}}',
  '#{7*7}',
  '../../../../etc/passwd',
  'file:///etc/passwd',
  'http://169.254.169.254/',
  '\r\nSet-Cookie: a=b',
  '\x1b[31m',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'NaN',
  'Infinity',
  '-0',
  '1e999',
  '9'.repeat(400),
  'null',
  'undefined',
  '\0',
  '\ud800',
  '\udfff\ud800',
  '\u202e',
  '\ufeff',
  '\u200b',
  'ﷺ'.repeat(50),
  'a\u0301'.repeat(100),
  '👩‍👩‍👧‍👦',
  'İ',
  'ß',
  'ſ',
  'K',
  '𝒜',
  'x'.repeat(20_000),
];

export const HEADERS = [
  'authorization',
  'accept',
  'accept-language',
  'content-type',
  'if-none-match',
  'origin',
  'x-forwarded-for',
  'x-request-id',
  'cookie',
  'range',
  'expect',
];

/** A request with some of its bytes changed, removed, duplicated, or replaced by others. */
export function withChangedBytes(request: Buffer, random: Random): Buffer {
  let bytes = request;
  for (let times = random(6) + 1; times > 0; times -= 1) {
    const place = random(bytes.length);
    const length = random(12);
    const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
    bytes = [
      () => Buffer.concat([before, Buffer.from([one(INTERESTING, random)]), after]),
      () => Buffer.concat([before, Buffer.from([random(256)]), after.subarray(1)]),
      () => Buffer.concat([before, after.subarray(length)]),
      () => Buffer.concat([before, after.subarray(0, length), after]),
      () => Buffer.concat([before, bytes.subarray(random(bytes.length))]),
      () => Buffer.concat([before, Buffer.from(one(CORPUS, random)), after]),
    ][random(6)]?.() as Buffer<ArrayBuffer>;
  }
  return bytes;
}

const INTERESTING = [
  0, 1, 10, 13, 32, 34, 35, 36, 39, 40, 44, 46, 58, 64, 91, 92, 93, 123, 125, 127, 128, 192, 237, 239, 255,
];
/** What is wrong with a response: a crash, or an internal or a secret that the request did not have. Null when nothing is. */
export function faultOrLeak({ status, text }: { status: number; text: string }, request: string): string | null {
  if (status >= 500) return `status ${status}`;
  const leak = INTERNALS.exec(text)?.[0] ?? secretIn(text);
  return leak && !request.includes(leak) ? `leaks ${leak}` : null;
}

const INTERNALS =
  /node_modules|\/(src|dist)\/\S+\.[jt]s|\bat \S+ \(|stacktrace|SQLSTATE|violates .* constraint|relation \\"|syntax error at|kysely|mikro-?orm|select \S+ from|insert into|password_hash|connect ECONN/i;
