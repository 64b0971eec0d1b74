import type { SampleType } from './sample-tables.ts';

/**
 * Values of a type as PostgreSQL reads and writes them, an ordinary one first, then the edges of the type. Those of
 * built-in types and enums are valid; others (`isCertain`) are proposals that the database may refuse.
 */
export function valuesOf(oid: number, modifier: number, types: Map<number, SampleType>): string[] {
  const type = types.get(oid);
  if (!type) return [];
  const values = (of: number) => valuesOf(of, -1, types);
  if (type.builtIn && BUILT_IN[type.name]) return [...new Set(BUILT_IN[type.name]?.(modifier))];
  if (type.kind === 'e') return [...new Set([type.labels[0], type.labels.at(-1), ...type.labels])] as string[];
  if (type.kind === 'd') return valuesOf(type.base, type.modifier, types);
  if (type.kind === 'c') return composites(type.attributes.map((each) => valuesOf(each.type, each.modifier, types)));
  if (type.kind === 'r') return ranges(values(type.subtype));
  if (type.kind === 'm') return ['{}', ...ranges(values(type.subtype)).map((range) => `{${range}}`)];
  if (type.category === 'A') return arrays(valuesOf(type.element, modifier, types), type.delimiter);
  if (type.category === 'S') return texts(modifier);
  return PROPOSALS;
}

/** Whether the type takes all of its values as they are. */
export function isCertain(oid: number, types: Map<number, SampleType>): boolean {
  const type = types.get(oid);
  if (!type) return false;
  if (type.category === 'A' && !BUILT_IN[type.name]) return isCertain(type.element, types);
  return type.kind === 'e' || (type.builtIn && type.name in BUILT_IN);
}

/** The texts that fit, of up to `length` characters. */
function texts(modifier: number, fill = (text: string) => text): string[] {
  const limit = modifier >= 4 ? modifier - 4 : 300;
  const longest = 'x'.repeat(Math.min(limit, 10_000));
  return TEXTS.toSpliced(2, 0, longest).map((text) => fill([...text].slice(0, limit).join('')));
}

const TEXTS = [
  'Sample',
  '',
  `It's "quoted" \\ {%_}`,
  'Ünïcödé 日本 🎉',
  'a@example.com',
  'https://example.com/a',
  '12345',
  'ABC',
  'a-b',
  'b',
];

/** As many nines as fit before and after the point. */
function numerics(modifier: number): string[] {
  if (modifier < 4) return ['12.5', '0', '-0.000001', '12345678901234567890.123456789', '1', '-7', '100'];
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  const digits = '9'.repeat(precision).padStart(scale, '0');
  const largest = scale > 0 ? `${digits.slice(0, -scale)}.${digits.slice(-scale)}` : digits + '0'.repeat(-scale);
  const fits = precision > scale && scale >= 0 ? ['1', '-1', '7', '9'] : [];
  return [fits[0] ?? largest, '0', largest, `-${largest}`, ...fits, ...(precision - scale > 2 ? ['100', '42'] : [])];
}

const integers = (bits: number) => () => [
  '7',
  '0',
  String(-(2n ** BigInt(bits - 1))),
  String(2n ** BigInt(bits - 1) - 1n),
  '-1',
  '1',
  '2',
  '42',
  '100',
  '1000',
];

const bits = (modifier: number) => {
  const length = Math.max(1, modifier);
  return ['10', '0', '1', '01', '110'].map((pattern) => pattern.repeat(length).slice(0, length));
};

const DATES = ['2024-02-29', '1970-01-01', '0001-01-01', '9999-12-31', '2001-09-09', '2025-06-15'];
const TIMES = ['12:34:56.789012', '00:00:00', '23:59:59.999', '06:30:00', '18:00:00.5'];
const TIMESTAMPS = [
  '2024-02-29 12:34:56.789012',
  '1970-01-01 00:00:00',
  '0001-01-01 00:00:00',
  '9999-12-31 23:59:59',
  '2001-09-09 01:46:40.5',
];
const JSONS = [
  `{"a": {"b": [1, "}{", "it's \\"quoted\\""]}, "n": null}`,
  '{}',
  '[]',
  '"text"',
  '{"b": -1.5}',
  '[1, [2]]',
  'null',
];
const UUIDS = ['a', '0', 'f', '1', '2', '3', '4'].map((digit) => '8-4-4-4-12'.replace(/\d+/g, (n) => digit.repeat(+n)));
const fixed =
  (...values: string[]) =>
  () =>
    values;

/** By the name of the type in pg_type. */
const BUILT_IN: Record<string, (modifier: number) => string[]> = {
  text: texts,
  varchar: texts,
  bpchar: (modifier) => texts(modifier),
  name: () => texts(67),
  char: fixed('a', '', '"', '0', 'Z'),
  refcursor: () => texts(-1),
  bool: fixed('true', 'false'),
  int2: integers(16),
  int4: integers(32),
  int8: integers(64),
  float4: fixed('1.5', '0', '-1', '3e38', '1e-30', '7', '100'),
  float8: fixed('1.5', '0', '-1', '1.7e308', '1e-300', '0.1', '7', '100'),
  numeric: numerics,
  money: fixed('12.34', '0', '-12.34', '92233720368547758.07', '100'),
  oid: fixed('1', '0', '4294967295', '2', '3'),
  date: fixed(...DATES),
  time: fixed(...TIMES),
  timetz: fixed(...TIMES.map((time, i) => `${time}${['+02', '+00', '-11:30', '+05:45', '+00'][i]}`)),
  timestamp: fixed(...TIMESTAMPS),
  timestamptz: fixed(...TIMESTAMPS.map((time, i) => `${time}${['+02', '+00', '+00', '-11:30', '+05:45'][i]}`)),
  interval: fixed('1 day 02:03:04.5', '0', '-1 mon', '3 years 2 mons', '178000 years', '00:00:01'),
  json: fixed(...JSONS),
  jsonb: fixed(...JSONS),
  jsonpath: fixed('$.a[*] ? (@ > 1)', '$', 'strict $.b'),
  uuid: fixed(...UUIDS),
  bytea: fixed('\\x00ff275c', '\\x', '\\x61', '\\xdeadbeef', '\\x00'),
  inet: fixed('192.168.0.1', '::1', '10.0.0.0/8', '0.0.0.0/0', '2001:db8::5'),
  cidr: fixed('192.168.0.0/24', '::1/128', '10.0.0.0/8', '0.0.0.0/0', '2001:db8::/32'),
  macaddr: fixed(
    '08:00:2b:01:02:03',
    '00:00:00:00:00:00',
    'ff:ff:ff:ff:ff:ff',
    '00:00:5e:00:53:01',
    '0a:00:00:00:00:01',
  ),
  macaddr8: fixed(
    '08:00:2b:01:02:03:04:05',
    '00:00:00:00:00:00:00:00',
    'ff:ff:ff:ff:ff:ff:ff:ff',
    '00:00:00:00:00:00:00:01',
  ),
  bit: bits,
  varbit: (modifier) => (modifier > 0 ? [...bits(modifier), '', '1'] : ['101', '', '0', '1', '11110000']),
  xml: fixed('<a b="c">&amp;</a>', '<a/>', '', 'text'),
  tsvector: fixed("'sample':1A 'text':2", '', "'it''s'", "'a' 'b'", "'c'"),
  tsquery: fixed("'sample' & !'text'", '', "'a' | 'b'", "'c':*", "'d' <-> 'e'"),
  point: fixed('(1.5,-2)', '(0,0)', '(1e10,1e-10)', '(3,4)', '(5,6)'),
  line: fixed('{1,-1,0}', '{0,1,2}', '{1,0,-3}'),
  lseg: fixed('[(0,0),(1,1)]', '[(0,0),(0,0)]', '[(-1,2),(3,4)]'),
  box: fixed('(1,1),(0,0)', '(0,0),(0,0)', '(3,4),(-1,2)'),
  path: fixed('[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '[(0,0)]'),
  polygon: fixed('((0,0),(1,1),(2,0))', '((0,0))', '((0,0),(0,1))'),
  circle: fixed('<(0,0),1>', '<(1,2),0>', '<(-1,-1),2.5>'),
  pg_lsn: fixed('16/B374D848', '0/0', 'FFFFFFFF/FFFFFFFF', '0/1', '0/2'),
  pg_snapshot: fixed('10:20:10,14,15', '1:1:'),
  txid_snapshot: fixed('10:20:10,14,15', '1:1:'),
  xid: fixed('7', '0', '4294967295'),
  xid8: fixed('7', '0', '18446744073709551615', '1', '2'),
  cid: fixed('7', '0', '4294967295'),
  tid: fixed('(0,1)', '(1,2)', '(4294967295,65535)', '(0,2)', '(0,3)'),
  int2vector: fixed('1 2', '', '3'),
  oidvector: fixed('1 2', '', '3'),
  regclass: fixed('pg_class', '-', 'pg_type'),
  regtype: fixed('integer', '-', 'text'),
  regnamespace: fixed('pg_catalog', '-'),
  regproc: fixed('now', '-'),
  regprocedure: fixed('now()', '-'),
  regoper: fixed('0'),
  regoperator: fixed('+(integer,integer)', '-'),
  regrole: fixed('-'),
  regcollation: fixed('"C"', '-'),
  regconfig: fixed('simple', '-', 'english'),
  regdictionary: fixed('simple', '-'),
};

/** For types of extensions: whichever their input function takes. */
const PROPOSALS = [
  ...['Sample', '1', '', '0', '2', 'a', 'b', 'a=>1', 'a.b', '{}', '{"a":1}', '[1]', '[1,2]', '[1,2,3]', '(1,1)'],
  ...[
    'POINT(1 1)',
    'LINESTRING(0 0,1 1)',
    'POLYGON((0 0,1 1,1 0,0 0))',
    '2024-02-29',
    '=r/postgres',
    '978-0-393-04002-9',
  ],
];

function arrays(elements: string[], delimiter: string): string[] {
  const quoted = elements.map((element) => `"${element.replace(/["\\]/g, '\\$&')}"`);
  const [first = 'NULL', second = first] = quoted;
  return [
    `{${first}}`,
    '{}',
    `{${first}${delimiter}${second}}`,
    `{${second}${delimiter}NULL}`,
    ...quoted.slice(1).map((each) => `{${each}}`),
  ];
}

function composites(attributes: string[][]): string[] {
  const rowOf = (at: number) =>
    `(${attributes
      .map((values) => (values[at % values.length] ?? '').replace(/["\\]/g, '$&$&'))
      .map((value) => `"${value}"`)
      .join(',')})`;
  return [0, 1, 2, 3, 4].map(rowOf).toSpliced(1, 0, `(${attributes.map(() => '').join(',')})`);
}

/** Both orders of the bounds: only the database knows which of two values comes first. */
function ranges(bounds: string[]): string[] {
  const [a = '', b = '', c = '', d = ''] = bounds.map((bound) => `"${bound.replace(/["\\]/g, '$&$&')}"`);
  return [
    `[${b},${a})`,
    `[${a},${b})`,
    'empty',
    `[${a},)`,
    '(,)',
    `(,${c}]`,
    `[${b},${b}]`,
    `[${c},${d})`,
    `[${d},${c})`,
  ];
}
