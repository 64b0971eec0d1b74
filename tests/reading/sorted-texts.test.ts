import { expect, test } from 'vitest';
import { aUser } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

/** In the order in which people look for them, not that of their bytes, which puts Z before a and Ä behind z. */
const SORTED = [
  '2 apples',
  'Ähre',
  'apple',
  'Apple',
  'Äpple',
  'apples',
  'éclair',
  'Edel',
  'zebra',
  'Zebras',
  'Ωmega',
  'Яблоко',
  '苹果',
];

test('titles are sorted by letters, in one list and page by page in both directions', async () => {
  const by = await aUser('ann');
  await orm.em.fork().execute(
    `insert into articles (slug, title, description, body, author_id)
       select 's' || n, title, 'd', 'b', ? from json_array_elements_text(?) with ordinality as given (title, n)`,
    [by.id, JSON.stringify(shuffled(SORTED))],
  );
  for (const list of ['articles', 'user(by: { username: "ann" }) { articles']) {
    await expectSorted((args) => {
      const page = `(orderBy: { field: TITLE, direction: ASC }, ${args}) { nodes { name: title } pageInfo { startCursor endCursor } }`;
      return `{ ${list}${page} ${list.includes('{') ? '}' : ''} }`;
    });
  }
});

test('tags are sorted by letters, in one list and page by page in both directions', async () => {
  await orm.em
    .fork()
    .execute(`insert into tags (name, articles_count) select name, 1 from json_array_elements_text(?) as name`, [
      JSON.stringify(shuffled(SORTED)),
    ]);
  await expectSorted(
    (args) =>
      `{ tags(orderBy: { field: NAME, direction: ASC }, ${args}) { nodes { name } pageInfo { startCursor endCursor } } }`,
  );
});

async function expectSorted(document: (args: string) => string): Promise<void> {
  expect(names(await read(document('first: 100')))).toEqual(SORTED);
  const [forward, backward]: [string[], string[]] = [[], []];
  let cursor = '';
  for (let left = SORTED.length; left > 0; left -= 2) {
    const page = await read(document(`first: 2${cursor && `, after: "${cursor}"`}`));
    forward.push(...names(page));
    cursor = page.pageInfo.endCursor;
  }
  cursor = '';
  for (let left = SORTED.length; left > 0; left -= 2) {
    const page = await read(document(`last: 2${cursor && `, before: "${cursor}"`}`));
    backward.unshift(...names(page));
    cursor = page.pageInfo.startCursor;
  }
  expect(forward).toEqual(SORTED);
  expect(backward).toEqual(SORTED);
}

interface Names {
  nodes: { name: string }[];
  pageInfo: { startCursor: string; endCursor: string };
}

async function read(document: string): Promise<Names> {
  const response = await executeGraphql<Record<string, object>, object>(document);
  expect(response).toSucceed();
  const [list] = Object.values(response.data);
  return ('nodes' in (list as object) ? list : Object.values(list as object)[0]) as Names;
}

const names = ({ nodes }: Names) => nodes.map(({ name }) => name);

/** Another order than either direction, and the same in each run. */
const shuffled = (texts: readonly string[]) => texts.map((_, index) => texts[(index * 5) % texts.length] as string);
