import { beforeEach, describe, expect, test } from 'vitest';
import type { Person } from '../support/test-data.ts';
import { executeGraphql } from '../support/test-server.ts';
import {
  aBlogFullOfTies,
  addArticles,
  addTwo,
  connectionFields,
  documentFor,
  empty,
  idsOf,
  type List,
  lists,
  plainLists,
  type ReadPage,
  readPage,
  remove,
  tableOfLists,
} from './lists.ts';

const SIZE = 3;
const NOWHERE = { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null };

/** Invalid paging arguments, with the message after the field's name. */
const INVALID_PAGING = [
  ...['first', 'last'].flatMap((size) =>
    [0, -1, 101, 2 ** 31 - 1].map((value) => ({
      paging: `${size}: ${value}`,
      message: `(${size}:) is ${value}; it must be from 1 to 100.`,
    })),
  ),
  ...[-1, 10_001].map((value) => ({
    paging: `offset: ${value}`,
    message: `(offset:) is ${value}; it must be from 0 to 10000. Page with after to go further.`,
  })),
  { paging: 'first: 5, last: 5', message: '(first:) and last are both given; give one of them.' },
  { paging: 'offset: 5, after: "x"', message: '(offset:) and after are both given; give one of them.' },
  { paging: 'offset: 0, before: "x"', message: '(offset:) and before are both given; give one of them.' },
  { paging: 'offset: 5, last: 5', message: '(offset:) and last are both given; give one of them.' },
];

let bob: Person;
beforeEach(async () => {
  bob = await aBlogFullOfTies();
});

test('every list of the schema is in the table of lists', () => {
  expect(tableOfLists).toEqual(connectionFields);
});

describe.each(plainLists)('$field, in each order and with each filter:', ({ field }) => {
  const cases = lists.filter((list) => list.field === field);

  test.each([
    { words: 'first and after', strategy: forward },
    { words: 'last and before', strategy: backward },
    { words: 'offset', strategy: byOffset },
  ])('$words visit each item once, in order, and report both ends', async ({ strategy }) => {
    for (const list of cases) {
      const ids = await idsOf(list);
      const pages = await walk(list, strategy);
      if (strategy === backward) pages.reverse();
      expect(pages.flatMap(idsIn), list.name).toEqual(ids);
      expectEndsToBeRight(list, pages, ids.length);
    }
  });

  test.each([
    { words: 'first and after', strategy: forward },
    { words: 'last and before', strategy: backward },
  ])('$words visit remaining items exactly once while others are added and removed', async ({ strategy }) => {
    for (const list of cases) {
      const { seen, stayed } = await walkWhileItChanges(list, strategy);
      expect(new Set(seen).size, list.name).toBe(seen.length);
      expect(
        seen.filter((id) => stayed.includes(id)),
        list.name,
      ).toEqual(stayed);
      expect(stayed.length).toBeGreaterThan(2);
    }
  });
});

describe.each(plainLists)('$field', (list) => {
  test('has no previous or next page when it is empty', async () => {
    await empty(list);
    const nothing = { nodes: [], edges: [], pageInfo: NOWHERE, totalCount: 0 };
    expect(await readPage(list, bob, 'first: 5')).toEqual(nothing);
    expect(await readPage(list, bob, 'last: 5')).toEqual(nothing);
    expect(await readPage(list, bob, 'first: 5, offset: 5')).toEqual(nothing);
  });

  test('is empty after its end and before its start, and reports items in the other direction', async () => {
    const { pageInfo, totalCount } = await readPage(list, bob, 'first: 100');
    const after = `after: "${pageInfo.endCursor}"`;
    const before = `before: "${pageInfo.startCursor}"`;
    for (const paging of [`first: 2, ${after}`, `last: 2, ${after}`, `first: 2, offset: ${totalCount}`]) {
      const beyond = await readPage(list, bob, paging);
      expect(beyond).toEqual({ nodes: [], edges: [], pageInfo: { ...NOWHERE, hasPreviousPage: true }, totalCount });
    }
    for (const paging of [`first: 2, ${before}`, `last: 2, ${before}`]) {
      const ahead = await readPage(list, bob, paging);
      expect(ahead).toEqual({ nodes: [], edges: [], pageInfo: { ...NOWHERE, hasNextPage: true }, totalCount });
    }
  });

  test('between two cursors returns the items between them, from either end', async () => {
    const ids = await idsOf(list);
    const { edges } = await readPage(list, bob, 'first: 100');
    const between = `after: "${edges[1]?.cursor}", before: "${edges[6]?.cursor}"`;
    const start = await readPage(list, bob, `first: 2, ${between}`);
    expect(idsIn(start)).toEqual(ids.slice(2, 4));
    expect(start.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: true });
    const end = await readPage(list, bob, `last: 2, ${between}`);
    expect(idsIn(end)).toEqual(ids.slice(4, 6));
    expect(end.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: true });
    expect(idsIn(await readPage(list, bob, `first: 50, ${between}`))).toEqual(ids.slice(2, 6));
    expect(idsIn(await readPage(list, bob, between))).toEqual(ids.slice(2, 6));
  });

  test('returns pageInfo and totalCount also when only one of them is selected', async () => {
    const whole = await readPage(list, bob, 'first: 3');
    const document = documentFor(list, 'first: 3');
    const cut = (...fields: RegExp[]) => fields.reduce((text, field) => text.replace(field, ''), document);
    const onlyInfo = await executeGraphql(cut(/nodes \{.*\}/, /edges \{.*\}/, /totalCount/), {
      as: bob,
    });
    expect(JSON.stringify(onlyInfo.data)).toContain(JSON.stringify({ pageInfo: whole.pageInfo }));
    const onlyTotal = await executeGraphql(cut(/nodes \{.*\}/, /edges \{.*\}/, /pageInfo \{.*\}/), { as: bob });
    expect(JSON.stringify(onlyTotal.data)).toContain(JSON.stringify({ totalCount: whole.totalCount }));
  });

  test('rejects invalid paging arguments with the field, the value and what is allowed', async () => {
    const field = list.field.split('.')[1];
    for (const { paging, message } of INVALID_PAGING) {
      const response = await executeGraphql(documentFor(list, paging), { as: bob });
      expect(response, paging).toFailWith('BAD_USER_INPUT');
      expect(response.errors?.[0]?.message).toBe(`${field}${message}`);
    }
  });

  test('rejects forged cursors with the field and what is allowed', async () => {
    const field = list.field.split('.')[1];
    const { pageInfo } = await readPage(list, bob, 'first: 3');
    for (const forged of forgeriesOf(pageInfo.endCursor ?? '')) {
      for (const argument of ['after', 'before']) {
        const response = await executeGraphql(documentFor(list, `first: 3, ${argument}: ${JSON.stringify(forged)}`), {
          as: bob,
        });
        expect(response, `${argument}: ${decoded(forged)}`).toFailWith('BAD_USER_INPUT');
        expect(response.errors?.[0]?.message).toContain(`${field}(${argument}:) is "${forged.slice(0, 20)}`);
        expect(response.errors?.[0]?.message).toMatch(/; it must be a cursor from this list's pageInfo or edges\.$/);
      }
    }
  });
});

test('a cursor of another order is rejected with a message that names both', async () => {
  const orders = new Map<string, { list: List; cursor: string }>();
  for (const list of lists) {
    const cursor = (await readPage(list, bob, 'first: 1')).pageInfo.endCursor ?? '';
    orders.set(orderIn(cursor), { list, cursor });
  }
  expect(orders.size).toBeGreaterThan(15);
  for (const [order, { list }] of orders) {
    for (const [otherOrder, { cursor }] of orders) {
      if (order === otherOrder) continue;
      const response = await executeGraphql(documentFor(list, `first: 3, after: "${cursor}"`), { as: bob });
      expect(response, `${otherOrder} in ${order}`).toFailWith('BAD_USER_INPUT');
      expect(response.errors?.[0]?.message).toContain(otherOrder);
      expect(response.errors?.[0]?.message).toContain(order);
    }
  }
});

test('cursors of followers and following are not interchangeable', async () => {
  const listOf = (name: string) => plainLists.find(({ field }) => field === name) as List;
  const [followers, following] = [listOf('User.followers'), listOf('User.following')];
  for (const [one, other] of [[followers, following] as const, [following, followers] as const]) {
    const { endCursor } = (await readPage(one, bob, 'first: 1')).pageInfo;
    expect(await executeGraphql(documentFor(other, `after: "${endCursor}"`), { as: bob })).toFailWith('BAD_USER_INPUT');
  }
});

test('a deeply nested list rejects invalid paging arguments', async () => {
  for (const { paging, message } of INVALID_PAGING) {
    const list = `followers { edges { node { favorites(${paging}) { totalCount } } } }`;
    const response = await executeGraphql(`{ articles(first: 10) { nodes { author { ${list} } } } }`);
    expect(response, paging).toFailWith('BAD_USER_INPUT');
    expect(response.errors?.[0]?.message).toBe(`favorites${message}`);
  }
});

test('invalid paging arguments of an empty list are rejected too', async () => {
  expect(await executeGraphql('{ user(by: { username: "nobody" }) { articles(first: 0) { totalCount } } }')).toFailWith(
    'BAD_USER_INPUT',
  );
});

test('a page has twenty items by default', async () => {
  await addArticles('ann', 23, 30);
  const { data } = await executeGraphql<{ articles: ReadPage }, object>(
    '{ articles { nodes { id } pageInfo { hasNextPage } } }',
  );
  expect(data.articles.nodes).toHaveLength(20);
  expect(data.articles.pageInfo.hasNextPage).toBe(true);
});

test('null is the same as an omitted paging argument', async () => {
  const nulls = 'first: null, after: null, last: null, before: null, offset: null';
  for (const list of plainLists) {
    expect(await readPage(list, bob, `${nulls}`)).toEqual(await readPage(list, bob, 'first: 20'));
  }
});

test('the largest page and the largest offset are allowed', async () => {
  for (const list of plainLists) {
    expect((await readPage(list, bob, 'first: 100')).nodes).not.toHaveLength(0);
    expect((await readPage(list, bob, 'last: 100')).nodes).not.toHaveLength(0);
    expect((await readPage(list, bob, 'offset: 10000')).nodes).toHaveLength(0);
  }
});

/** The paging arguments of the next page, or of the first; null after the last. */
type Strategy = (page: ReadPage | undefined, pageNumber: number) => string | null;

function forward(page?: ReadPage): string | null {
  if (!page) return `first: ${SIZE}`;
  return page.pageInfo.hasNextPage ? `first: ${SIZE}, after: "${page.pageInfo.endCursor}"` : null;
}

function backward(page?: ReadPage): string | null {
  if (!page) return `last: ${SIZE}`;
  return page.pageInfo.hasPreviousPage ? `last: ${SIZE}, before: "${page.pageInfo.startCursor}"` : null;
}

function byOffset(page: ReadPage | undefined, pageNumber: number): string | null {
  return !page || page.pageInfo.hasNextPage ? `first: ${SIZE}, offset: ${pageNumber * SIZE}` : null;
}

async function walk(list: List, strategy: Strategy, between = async (_page: ReadPage) => {}): Promise<ReadPage[]> {
  const pages: ReadPage[] = [];
  for (let paging = strategy(undefined, 0); paging !== null; paging = strategy(pages.at(-1), pages.length)) {
    if (pages.length > 50) throw new Error(`${list.name} does not end.`);
    const page = await readPage(list, bob, paging);
    pages.push(page);
    await between(page);
  }
  return pages;
}

/** Between two pages, two items are added, and the cursor's item and the next one are removed. */
async function walkWhileItChanges(list: List, strategy: Strategy) {
  let stayed = await idsOf(list);
  const pages = await walk(list, strategy, async (page) => {
    const ids = await idsOf(list);
    const [edge, step] = strategy === forward ? [idsIn(page).at(-1), 1] : [idsIn(page)[0], -1];
    const next = ids[ids.indexOf(edge ?? '') + 2 * step];
    await remove(list, [edge, next]);
    await addTwo(list);
    const left = await idsOf(list);
    stayed = stayed.filter((id) => left.includes(id));
  });
  const seen = (strategy === forward ? pages : pages.reverse()).flatMap(idsIn);
  return { seen, stayed };
}

const idsIn = ({ nodes }: ReadPage): string[] => nodes.map(({ id }) => id);

function expectEndsToBeRight(list: List, pages: readonly ReadPage[], totalCount: number): void {
  for (const [index, page] of pages.entries()) {
    expect(page.edges.map(({ node }) => node)).toEqual(page.nodes);
    expect(page.pageInfo, list.name).toEqual({
      hasPreviousPage: index > 0,
      hasNextPage: index < pages.length - 1,
      startCursor: page.edges[0]?.cursor,
      endCursor: page.edges.at(-1)?.cursor,
    });
    expect(page.totalCount, list.name).toBe(totalCount);
  }
}

const orderIn = (cursor: string): string => (JSON.parse(decoded(cursor)) as [string])[0];
const decoded = (cursor: string): string => Buffer.from(cursor, 'base64url').toString();
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Invalid cursors: no base64, no JSON, no list, parts of wrong types, values out of range. */
function forgeriesOf(cursor: string): string[] {
  const [order, value, id] = JSON.parse(decoded(cursor)) as [string, string | number, number];
  const wrongIds = [null, '1', 1.5, 2 ** 31, -(2 ** 31), 1e300, true, [], {}];
  const wrongNumbers = [null, '1', 1.5, 2 ** 31, -1e300, true, [], {}, '2026-01-01T00:00:00.000Z'];
  const wrongTexts = [null, 1, true, [], {}, 'a\0b', '\ud800'];
  const wrongInstants = [
    ...[
      null,
      1,
      true,
      [],
      {},
      '',
      'today',
      'infinity',
      '2026-01-01',
      '2026-01-01T00:00:00Z',
      '2026-02-30T00:00:00.000Z',
    ],
    ...['2026-01-01T24:00:00.000Z', '0000-01-01T00:00:00.000Z', '-000001-01-01T00:00:00.000Z'],
    ...['+010000-01-01T00:00:00.000Z', '+275760-09-13T00:00:00.000Z', "2026-01-01T00:00:00.000Z' or true--"],
  ];
  const isInstant = /^\d{4}-.*Z$/.test(String(value));
  const wrongValues = typeof value === 'number' ? wrongNumbers : isInstant ? wrongInstants : wrongTexts;
  return [
    ...['', ' ', 'null', 'é', '\ud83d\ude00', 'x'.repeat(10_000), cursor.slice(0, -3), `x${cursor}`],
    ...[0, 40, 255].map((byte) => Buffer.alloc(12, byte).toString('base64url')),
    Buffer.from([0x91, 0x4f, 0x00, 0xe3, 0xff, 0x1b, 0x22, 0x5b]).toString('base64url'),
    ...[
      null,
      true,
      5,
      'text',
      {},
      [],
      [order],
      [order, value],
      [order, value, id, id],
      [value, id],
      [[order, value, id]],
    ],
    { 0: order, 1: value, 2: id },
    ['not an order', value, id],
    [null, value, id],
    ...wrongIds.map((wrong) => [order, value, wrong]),
    ...wrongValues.map((wrong) => [order, wrong, id]),
  ].map((forged) => (typeof forged === 'string' ? forged : encoded(forged)));
}
