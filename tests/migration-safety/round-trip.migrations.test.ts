import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/core';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import { expect, test, vi } from 'vitest';
import { type Migrator, safeMigrations } from '../../src/migration-safety/index.ts';
import { tryRoundTrip } from '../../src/migration-safety/verify/round-trip.ts';
import { roundTripProblem, testRoundTrips } from '../../src/migration-safety/verify/test-history.ts';
import { DATABASES } from './models/database.ts';
import { aProject } from './project.ts';
import { entities } from './sample/entities.ts';

vi.setConfig({ testTimeout: 180_000 });

/** Each statement of each `down` of the sample history, and the fault if it is missing. */
const forgotten: [migration: string, statement: string, missed: string][] = [
  ['create_authors_and_articles', 'drop table "articles"', 'create_authors_and_articles: down fails'],
  ['create_authors_and_articles', 'drop table "authors"', 'table authors: only the state after down has it'],
  [
    'add_articles_slug',
    'alter table "articles" drop column "slug"',
    'table articles, column slug: only the state after down has it',
  ],
  [
    'invite_the_editor',
    'delete from "authors"',
    'table authors, rows: the state before up has 0, the state after down has 1',
  ],
  [
    'index_articles_title',
    'drop index concurrently "articles_title_index"',
    'table articles, index articles_title_index: only the state after down has it',
  ],
];

test.each(forgotten)('a down of %s without "%s" is found', async (migration, statement, missed) => {
  const project = aProject();
  const file = project.migrations().find((name) => name.includes(migration)) as string;
  project.edit(`migrations/${file}`, (text) =>
    text.replace(/^.*addSql.*$/gm, (line) => (line.includes(statement) ? '' : line)),
  );
  const problem = roundTripProblem(await testRoundTrips(await migratorFor(project.folder)));
  expect(problem?.exitCode).toBe(50);
  expect(problem?.message).toContain(migration);
  expect(problem?.message).toContain(missed);
});

const COUNTS = `create table users (id int primary key); create table counts (users int); insert into counts values (0);
  create function count_users() returns trigger language plpgsql as $$ begin
    execute 'update counts set users = users + 1'; return new; end $$;
  create trigger count_users after insert on users for each row execute function count_users()`;

test.each([
  ['with a down', 'alter table counts rename to totals', 'alter table totals rename to counts', true],
  ['without one', 'alter table counts rename to totals', undefined, true],
  ['that failed before, with a down', 'create table t (id int)', 'drop table t', false],
  ['that failed before, without one', 'create table t (id int)', undefined, false],
])('a trigger that fails after a migration %s is found if the migration is why', async (_, up, down, isWhy) => {
  const database = await DATABASES['in memory']();
  try {
    await database.run(isWhy ? COUNTS : `${COUNTS}; alter table counts rename to totals`);
    const run = (sql: string) => async () => void (await database.execute(sql));
    const step = { up: run(up), down: down === undefined ? undefined : run(down) };
    const { execute } = database;
    const found = await tryRoundTrip([step], { execute, trackingTable: 'mikro_orm_migrations' });
    const details = [
      'insert on users: relation "counts" does not exist, in count_users() (trigger count_users on users)',
    ];
    expect(found).toEqual(isWhy ? { phase: 'up', says: 'up breaks a trigger.', details } : undefined);
  } finally {
    await database.close();
  }
});

/** Migrations that change rows, and the part that their down does not restore. */
const incomplete: { up: string; down: string; missed: string }[] = [
  {
    up: `update "authors" set "email" = 'nobody@example.com'`,
    down: 'select 1',
    missed:
      'table authors, column email: the state before up has "editor-0@example.com", the state after down has "nobody@example.com"',
  },
  {
    up: `alter table "authors" alter column "email" type varchar(255) using upper("email")`,
    down: `alter table "authors" alter column "email" type varchar(255) using lower(replace("email", '-', ''))`,
    missed: 'has "editor-0@example.com", the state after down has "editor0@example.com"',
  },
];

test.each(incomplete)('a down that restores the tables but not their rows is found: $up', async (each) => {
  const project = aProject().migration('Migration20260103500000_spoil', [each.up], [each.down]);
  const problem = roundTripProblem(await testRoundTrips(await migratorFor(project.folder)));
  expect(problem?.message).toContain('Migration20260103500000_spoil: down does not undo everything that up does.');
  expect(problem?.message).toContain(each.missed);
});

test('the values of a dropped column are gone, so down need not restore them', async () => {
  const project = aProject().migration(
    'Migration20260105000000_drop_name',
    ['alter table "authors" drop column "name"'],
    [
      `alter table "authors" add column "name" varchar(255) not null default ''`,
      'alter table "authors" alter column "name" drop default',
    ],
  );
  const problem = roundTripProblem(await testRoundTrips(await migratorFor(project.folder)));
  expect(problem?.message).not.toContain('drop_name');
});

test('a down that restores everything passes', async () => {
  const project = aProject().migration(
    'Migration20260103500000_spell',
    [`update "authors" set "name" = upper("name")`, `insert into "authors" ("name", "email") values ('B', 'b')`],
    [`delete from "authors" where "email" = 'b'`, `update "authors" set "name" = initcap("name")`],
  );
  expect(roundTripProblem(await testRoundTrips(await migratorFor(project.folder)))).toBeUndefined();
});

test('migration:test passes on a correct history, without a server', async () => {
  const project = aProject().with({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nowhere' });
  const { code, out } = await project.extra('migration:test');
  expect(out).toContain('4 migrations went up, down and up again');
  expect(code).toBe(0);
});

test('migration:test tests only the migrations from one on, and refuses a name that no migration has', async () => {
  const project = aProject();
  project.edit('migrations/Migration20260102000000_add_articles_slug.ts', (text) =>
    text.replace(/this.addSql.*drop column.*/, ''),
  );
  const later = await project.extra('migration:test', 'invite_the_editor');
  expect(later.out).toContain('2 migrations went up, down and up again; the schema matches the entities.');
  expect(later.code).toBe(0);
  const last = await project.extra('migration:test', 'index_articles_title');
  expect(last.out).toContain('1 migration went up, down and up again; the schema matches the entities.');
  const first = await project.extra('migration:test', 'add_articles_slug');
  expect(first.out).toContain('add_articles_slug: down does not undo everything that up does.');
  expect(first.code).toBe(50);
  const unknown = await project.extra('migration:test', 'invite_the_edtor');
  expect(unknown.out).toContain('Did you mean Migration20260103000000_invite_the_editor?');
  expect(unknown.code).toBe(10);
});

test('each statement that the entities need and history lacks is reported', async () => {
  const project = aProject().edit('entities.ts', (text) =>
    text.replace('slug: p', 'readCount: p.integer().default(0).index(),\n    slug: p'),
  );
  const { code, out } = await project.extra('migration:test');
  expect(code).toBe(50);
  expect(out).toContain('add column "read_count"');
  expect(out).toContain('articles_read_count_index');
});

test('migration:test has its own exit code and names every faulty migration', async () => {
  const project = aProject();
  project.edit('migrations/Migration20260102000000_add_articles_slug.ts', (text) =>
    text.replace(/this.addSql.*drop column.*/, ''),
  );
  project.migration(
    'Migration20260105000000_trigger',
    [
      'create function f() returns trigger language plpgsql as $$ begin return new; end $$',
      'create trigger g before insert on authors for each row execute function f()',
    ],
    ['drop trigger g on authors'],
  );
  const { code, out } = await project.extra('migration:test');
  expect(code).toBe(50);
  expect(out).toContain('table articles, column slug');
  expect(out).toContain('function f()');
});

async function migratorFor(folder: string): Promise<Migrator> {
  const orm = await MikroORM.init({
    driver: PostgreSqlDriver,
    dbName: 'nowhere',
    entities,
    preferTs: true,
    ...safeMigrations({ path: join(folder, 'migrations') }),
  });
  return orm.migrator as unknown as Migrator;
}
