// @module-tag security
import {
  type GraphQLInputType,
  getNamedType,
  isCompositeType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import { expect, test } from 'vitest';
import { introspectSchema } from '../../support/schema.ts';
import { aUser } from '../../support/test-data.ts';
import { isLong, send } from './rig.ts';

/**
 * One text as long as a request can hold, in each place that takes a text, made of pieces that cause backtracking in
 * patterns, or that are normalized or escaped. Work that grows with the square of the length would show.
 */

const LENGTH = isLong ? 1_400_000 : 100_000;

const PIECES = [
  'x',
  '1',
  ' ',
  '\t',
  '\n',
  '-',
  '_',
  '@',
  '.',
  '/',
  '\\',
  "'",
  '"',
  '""',
  '=(',
  '(',
  '[',
  '{',
  '%',
  '?',
  '&',
  ';',
  '0.',
  '1e',
  'a-',
  'a@',
  ' a',
  '\u0301\u0316',
  'ﷺ',
  'ß',
  'İ',
  '\ud83d\udc09',
  '\0',
  '\ud800',
  'ü',
  '\u200b',
  'Did you mean ',
  ' Did you mean "x"?',
  'database ',
  'database is not currently accepting ',
  'Connection terminated ',
  'select ',
  'http://a',
  'https://[',
  '2026-01-01T00:00:00Z',
  '/*',
  '--',
  '<a ',
  '&#x',
  '../',
  'QXJ0aWNsZTox',
  'WyJ',
  '__proto__',
];

/** Prefix and suffix of the pieces, to pass the first check of a text. */
const FRAMES = [
  ['', ''],
  ['http://a.example/', '!'],
  ['a@', '@'],
] as const;

const schema = await introspectSchema();

/** Each place of an input that takes a text, as a function from the text to the whole input. */
function* placesIn(type: GraphQLInputType, path: string): Generator<[path: string, write: (text: string) => unknown]> {
  if (isNonNullType(type)) {
    yield* placesIn(type.ofType, path);
  } else if (isListType(type)) {
    for (const [where, write] of placesIn(type.ofType, `${path}[0]`)) yield [where, (text) => [write(text)]];
  } else if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) {
      const others = type.isOneOf ? {} : plain(type);
      for (const [where, write] of placesIn(field.type, `${path}.${field.name}`))
        yield [where, (text) => ({ ...(others as object), [field.name]: write(text) })];
    }
  } else {
    yield [path, (text) => text];
  }
}

/** The smallest value that the type accepts. */
function plain(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return plain(type.ofType);
  if (isListType(type)) return [];
  if (!isInputObjectType(type)) return 'a';
  const fields = Object.values(type.getFields());
  const wanted = type.isOneOf ? fields.slice(0, 1) : fields.filter((field) => isNonNullType(field.type));
  return Object.fromEntries(wanted.map((field) => [field.name, plain(field.type)]));
}

function* operations(): Generator<[place: string, query: string, write: (text: string) => unknown]> {
  for (const root of [schema.getQueryType(), schema.getMutationType()]) {
    for (const field of Object.values(root?.getFields() ?? {})) {
      const selection = isCompositeType(getNamedType(field.type)) ? '{ __typename }' : '';
      for (const argument of field.args) {
        const others = field.args.filter((other) => other !== argument && isNonNullType(other.type));
        const given = others.map((other) => `, ${other.name}: ${JSON.stringify(plain(other.type))}`).join('');
        const kind = root === schema.getMutationType() ? 'mutation' : 'query';
        const query = `${kind}($value: ${argument.type}) { ${field.name}(${argument.name}: $value${given}) ${selection} }`;
        for (const [path, write] of placesIn(argument.type, `${field.name}(${argument.name}:`))
          yield [path, query, write];
      }
    }
  }
}

test(`no text of ${LENGTH.toLocaleString('en')} bytes keeps the server busy, in any place and of any content`, async () => {
  const { token } = await aUser('ann');
  const all: { busy: number; what: string }[] = [];
  const problems: string[] = [];
  const ask = async (what: string, body: string, headers = {}) => {
    const { status, text, busy } = await send(body, { authorization: `Token ${token}`, ...headers });
    all.push({ busy, what });
    if (status >= 500 || text.includes('INTERNAL_SERVER_ERROR'))
      problems.push(`${what}: ${status} ${text.slice(0, 200)}`);
  };
  let turn = 0;
  for (const [place, query, write] of operations()) {
    turn += 1;
    for (const [index, piece] of PIECES.entries()) {
      if (!isLong && (index + turn) % 5 > 0) continue;
      const [before, behind] = FRAMES[index % FRAMES.length] as (typeof FRAMES)[number];
      const times = Math.floor(LENGTH / Buffer.byteLength(JSON.stringify(piece).slice(1, -1)));
      const text = `${before}${piece.repeat(times)}${behind}`;
      await ask(`${place} ${JSON.stringify(piece)}`, JSON.stringify({ query, variables: { value: write(text) } }));
    }
  }
  for (const piece of PIECES) {
    const text = piece.repeat(Math.ceil(99_000 / piece.length)).slice(0, 99_000);
    for (const query of [
      text,
      `{${text}`,
      `"""${text}"""`,
      `{ __typename } #${text}`,
      `{ a(b: ${JSON.stringify(text)}) }`,
    ])
      await ask(`document ${query.slice(0, 4)} ${JSON.stringify(piece)}`, JSON.stringify({ query }));
    await ask(`body ${JSON.stringify(piece)}`, text);
    const header = text.replaceAll(/[^\x20-\x7e]/g, '').slice(0, 15_000);
    for (const name of [
      'authorization',
      'accept',
      'content-type',
      'if-none-match',
      'origin',
      'traceparent',
      'x-request-id',
      'x-forwarded-for',
    ])
      await ask(`header ${name} ${JSON.stringify(piece)}`, '{"query":"{ __typename }"}', { [name]: header });
  }
  const slowest = all.toSorted((one, other) => other.busy - one.busy).slice(0, 5);
  const listed = slowest.map(({ busy, what }) => `${what} ${busy.toFixed(0)} ms`).join(', ');
  console.log(`${all.length} long texts; the longest work: ${listed}`);
  expect(problems).toEqual([]);
  if (isLong) expect(slowest[0]?.busy).toBeLessThan(1000);
});

test('no nesting that fits into a request overflows the stack', async () => {
  const { token } = await aUser('ann');
  const problems: string[] = [];
  const ask = async (what: string, body: string) => {
    const { status, text } = await send(body, { authorization: `Token ${token}` });
    if (status >= 500 || text.includes('INTERNAL_SERVER_ERROR'))
      problems.push(`${what}: ${status} ${text.slice(0, 200)}`);
  };
  const nested = (times: number) => [
    `${'['.repeat(times)}${']'.repeat(times)}`,
    `${'{"a":'.repeat(times)}1${'}'.repeat(times)}`,
  ];
  for (const deep of nested(200_000)) {
    await ask('the body', deep);
    for (const name of ['query', 'documentId', 'operationName', 'variables', 'extensions', 'anything'])
      await ask(name, `{"query":"{ __typename }","${name}":${deep}}`);
    await ask('a document by its id', `{"documentId":${deep}}`);
    await ask('a hash', `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":${deep}}}}`);
    for (const [place, query, write] of operations())
      await ask(place, JSON.stringify({ query, variables: { value: write('DEEP') } }).replace('"DEEP"', deep));
  }
  for (const deep of nested(900))
    await ask(
      'a document',
      JSON.stringify({ query: `{ articles(filter: ${deep.replaceAll('"', '')}) { totalCount } }` }),
    );
  expect(problems).toEqual([]);
});
