import {
  type GraphQLInputType,
  type GraphQLList,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isScalarType,
} from 'graphql';

/** Values of an input type that are invalid in one place, each with the path of that place. */
export function* invalidValues(
  type: GraphQLInputType,
  value: unknown,
  path: string,
): Generator<[path: string, bad: unknown]> {
  if (isNonNullType(type)) {
    yield* invalidValues(type.ofType, value, path);
  } else if (isListType(type)) {
    const item = (type as GraphQLList<GraphQLInputType>).ofType;
    for (const bad of [null, {}, [null], [[]], Array(1000).fill('a'), Array(1000).fill('')]) yield [path, bad];
    for (const [where, bad] of invalidValues(item, undefined, `${path}[0]`)) yield [where, [bad]];
  } else if (isInputObjectType(type)) {
    for (const bad of [null, 7, 'text', true, [], {}, { nosuch: 1 }, JSON.parse('{"__proto__": {"admin": true}}')]) {
      yield [path, bad];
    }
    const given = (value ?? {}) as Record<string, unknown>;
    const fields = Object.values(type.getFields());
    if (type.isOneOf) yield [path, Object.fromEntries(fields.map(({ name }) => [name, 'both']))];
    for (const field of fields) {
      const others = type.isOneOf ? {} : given;
      for (const [where, bad] of invalidValues(field.type, given[field.name], `${path}.${field.name}`)) {
        yield [where, { ...others, [field.name]: bad }];
      }
    }
  } else if (isScalarType(type) || isEnumType(type)) {
    const cursors = path === 'after' || path === 'before' ? CURSORS : [];
    for (const bad of [...OF_ANY_TYPE, ...(BAD[type.name] ?? []), ...cursors]) yield [path, bad];
  }
}

const base64url = (text: string) => Buffer.from(text).toString('base64url');

const OF_ANY_TYPE = [null, 7, -1, 1.5, true, '', [], ['a', 'b'], {}, { id: '1' }];

const TEXTS = [
  '\0',
  'a\0b',
  '\ud800',
  'a\udc00b',
  '\u{1f600}',
  '\u202e\u0007\u200b',
  ' \n\t ',
  "'; drop table users; --",
  '__proto__',
  'constructor',
  '%_\\',
  'x'.repeat(900_000),
];

const SORT_VALUES = [
  '+275760-09-13T00:00:00.000Z',
  '0000-01-01T00:00:00.000Z',
  '-000001-01-01T00:00:00.000Z',
  'infinity',
  '2026-01-01',
  '\0',
  '\ud800',
  null,
  2 ** 31,
  1.5,
];

const ORDERS = ['PUBLISHED_AT DESC', 'FAVORITED_AT DESC', 'FOLLOWED_AT DESC', 'CREATED_AT ASC', 'ARTICLES_COUNT DESC'];

const CURSORS = [
  ...ORDERS.flatMap((order) => SORT_VALUES.map((value) => base64url(JSON.stringify([order, value, 1])))),
  ...['{}', '[]', 'null', '[', '["PUBLISHED_AT DESC"]', '["PUBLISHED_AT DESC","2026-01-01T00:00:00.000Z",1e99]'].map(
    base64url,
  ),
];

const BAD: Record<string, unknown[]> = {
  String: TEXTS,
  ID: [
    ...TEXTS,
    ...['User:1', 'Article:1', 'Comment:1', 'Tag:1', 'Session:1'].map(base64url),
    ...['Article:0', 'Article:-1', 'Article:01', 'Article:1.5', 'Article:2147483648', 'Article:99999999999'].map(
      base64url,
    ),
    ...['Article:', ':1', 'Article:1\0', 'Article:1\n', 'article:1', '__proto__:1', 'Viewer:1'].map(base64url),
    `${base64url('Article:1')}=`,
    ` ${base64url('Article:1')}`,
  ],
  Int: [0, 101, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53, 1e300, '1', '1; drop table users'],
  Boolean: ['true', 0, 1],
  DateTime: [
    ...TEXTS,
    'yesterday',
    '2026-02-30T00:00:00Z',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
    '9999-12-31T23:59:59.999-23:59',
    '0000-01-01T00:00:00.000+23:59',
    '+275760-09-13T00:00:00.000Z',
    'infinity',
    8.64e15,
    -8.64e15,
  ],
};
