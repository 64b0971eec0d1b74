import { setTimeout as sleep } from 'node:timers/promises';
import { p } from '@mikro-orm/core';
import { Client } from 'pg';
import { expect, test, vi } from 'vitest';
import { blog } from './blog.ts';
import { type Change, deployed, holds } from './change.ts';

vi.setConfig({ testTimeout: 240_000 });

const state = (...values: string[]) =>
  p
    .enum(values)
    .nativeEnumName('state')
    .default(values[0] as string);

const from = () =>
  blog({
    articles: {
      properties: { state: state('draft', 'published'), note: p.string().length(20).nullable() },
      indexes: [{ name: 'articles_slug', properties: ['slug'] }],
    },
  });

// The everyday changes are made beside writers too; these are one of each kind, for the gate.
const CHANGES: Record<string, Change> = {
  'adds, widens, requires, checks, refers and indexes': {
    from,
    to: () =>
      blog({
        articles: (of) => ({
          properties: {
            title: p.string().length(100),
            slug: p.string(),
            body: p.text().nullable(),
            language: p.string().length(2).default('en'),
            summary: p.text(),
            state: state('draft', 'reviewed', 'published'),
            note: p.string().length(20).nullable().unique(),
            editor: () => p.manyToOne(of.Author).nullable(),
          },
          checks: [{ name: 'articles_count', expression: 'read_count >= 0' }],
          indexes: [
            { name: 'articles_slug', properties: ['slug'], where: "slug <> ''" },
            { properties: ['readCount'] },
          ],
          triggers: [
            {
              name: 'trim',
              timing: 'before',
              events: ['insert', 'update'],
              body: 'new.slug = trim(new.slug); return new;',
            },
          ],
        }),
      }),
    andRows: ["update articles set slug = 'two' where slug is null"],
    fill: "'None yet'",
    assures: ['change-type'],
  },
  'renames and drops': {
    from,
    to: () =>
      blog({
        authors: { properties: { name: null, fullName: p.string().length(50) } },
        articles: { properties: { price: null, state: state('draft', 'published') } },
      }),
    renames: 'authors.name=full_name',
    assures: ['drop-column'],
    loses: ['articles.price', 'articles.note'],
  },
};

for (const [change, what] of Object.entries(CHANGES))
  test(`the application of before goes on writing while a change ${change}`, () => holds(what));

test('of a migration and a transaction that wait for each other, the migration gives way and is tried again', async () => {
  const application = await deployed({});
  await application.write(
    'add_editor',
    [
      'alter table articles add column editor_id int',
      'select pg_sleep(0.05)',
      'alter table articles add constraint editor foreign key (editor_id) references authors not valid',
    ],
    [],
  );
  const writer = new Client(application.url);
  await writer.connect();
  await writer.query('begin; update authors set name = name');
  const migrating = application.up();
  const isLocked = () =>
    application.query("select from pg_locks where relation = 'articles'::regclass and mode = 'AccessExclusiveLock'");
  while ((await isLocked()).length === 0) await sleep(5);
  await writer.query('update articles set title = title');
  await writer.query('commit');
  await writer.end();
  await migrating;
  expect(application.logged.join()).toContain('the table is busy; attempt 1 of 5');
  expect(await application.query('select editor_id from articles')).toHaveLength(3);
});
