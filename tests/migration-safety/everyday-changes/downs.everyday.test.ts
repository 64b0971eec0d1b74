import { p } from '@mikro-orm/core';
import { expect, test, vi } from 'vitest';
import { blog, table } from './blog.ts';
import { deployed } from './change.ts';

vi.setConfig({ testTimeout: 240_000 });

const plain = () => blog();

const LOSSES: Record<string, { up: string; down: string; message: RegExp }> = {
  'deletes rows': {
    up: "insert into authors (name, email) values ('Cy', 'cy@example.com')",
    down: 'delete from articles',
    message: /articles[\s\S]*3 rows/,
  },
  'deletes rows in a query': {
    up: 'select 1',
    down: 'with gone as (delete from articles returning id) select count(*) from gone',
    message: /articles/,
  },
  'drops a schema with its tables': {
    up: 'create schema stats; create table stats.days as select 1 as day',
    down: 'drop schema stats cascade',
    message: /stats/,
  },
  'narrows a type': {
    up: 'alter table articles alter title type varchar(100)',
    down: 'alter table articles alter title type varchar(5)',
    message: /title[\s\S]*1 row|1 row[\s\S]*title/,
  },
  'drops a column with values': {
    up: 'alter table articles add stars int default 3',
    down: 'alter table articles drop stars',
    message: /stars[\s\S]*3 rows/,
  },
};

for (const [what, { up, down, message }] of Object.entries(LOSSES)) {
  test(`a down that ${what} is refused`, async () => {
    const application = await deployed({ byHand: { up: [up], down: [down] } });
    await application.become(plain, { disposable: false });
    const before = { catalog: await application.catalog(), rows: await application.rows() };
    await expect(application.downTo(application.files().at(-2)?.replace('.ts', ''))).rejects.toThrow(message);
    expect(await application.catalog()).toEqual(before.catalog);
    expect(await application.rows()).toEqual(before.rows);
  });
}

test('the down of a longer varchar is refused while a value needs the length', async () => {
  const application = await deployed({});
  const last = application.files().at(-1)?.replace('.ts', '');
  await application.become(() => blog({ articles: { properties: { title: p.string().length(100) } } }), {
    disposable: false,
  });
  await application.create();
  await application.up();
  await application.query("update articles set title = repeat('x', 80) where id = 1");
  await expect(application.downTo(last)).rejects.toThrow(/1 row[\s\S]*title|title[\s\S]*1 row/);
  expect(await application.query('select length(title) as n from articles where id = 1')).toEqual([{ n: 80 }]);
  await application.query("update articles set title = 'short' where id = 1");
  await application.downTo(last);
});

test('the down of a column that is no longer required is refused while a value is missing', async () => {
  const application = await deployed({});
  const last = application.files().at(-1)?.replace('.ts', '');
  await application.become(() => blog({ articles: { properties: { body: p.text().nullable() } } }));
  await application.create();
  await application.up();
  await application.query('update articles set body = null where id = 1');
  await expect(application.downTo(last)).rejects.toThrow(/body[\s\S]*null/);
  expect(await application.query('select id from articles where body is null')).toEqual([{ id: 1 }]);
});

test('the down of a required reference to a table that is dropped too leaves its rows without a value', async () => {
  const comments = (properties: Record<string, unknown>) => [
    table('Comment', 'comments', { properties: { id: p.integer().primary(), body: p.text(), ...properties } }),
  ];
  const application = await deployed({
    from: () => blog({ others: (of) => comments({ article: () => p.manyToOne(of.Article) }) }),
    andRows: ["insert into comments (body, article_id) values ('Good', 1)"],
  });
  const last = application.files().at(-1)?.replace('.ts', '');
  const before = await application.catalog();
  await application.become(() => blog({ articles: null, others: () => comments({}) }));
  await application.assure(await application.create(), ['drop-table', 'drop-column', 'drop-cascade']);
  expect(application.logged.join()).toMatch(
    /While there are rows in comments, down does not undo everything that up does\.\s+table comments, column article_id: the state before up has integer not null, the state after down has integer/,
  );
  await application.up();
  await application.downTo(last);
  expect(await application.query('select body, article_id from comments')).toEqual([
    { body: 'Good', article_id: null },
  ]);
  const after = await application.catalog();
  const changed = [...before.values()].filter(({ id, definition }) => after.get(id)?.definition !== definition);
  expect(changed.map(({ id }) => id)).toEqual(['table comments, column article_id']);
  await application.up();
  expect(await application.faults()).toEqual([]);
});
