import { execFile } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import {
  AddCommentDocument,
  ArticlesDocument,
  CreateArticleDocument,
  RegisterDocument,
  UpdateArticleDocument,
} from '../../schema/generated/graphql.ts';
import { databaseOn, onServer } from '../support/migrated-template.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

/** What an operator may have set for the database, or a hosting provider for the role. */
const SETTINGS: [name: string, value: string][] = [
  ['datestyle', 'SQL, DMY'],
  ['datestyle', 'German'],
  ['datestyle', 'Postgres, YMD'],
  ['intervalstyle', 'iso_8601'],
  ['intervalstyle', 'sql_standard'],
  ['timezone', 'Pacific/Auckland'],
  ['timezone', '<+01>-1:30'],
  ['client_encoding', 'latin1'],
  ['standard_conforming_strings', 'off'],
  ['search_path', ''],
  ['search_path', 'pg_catalog'],
  ['search_path', 'elsewhere, public'],
  ['bytea_output', 'escape'],
  ['extra_float_digits', '-15'],
  ['lc_numeric', 'C.UTF-8'],
  ['lc_time', 'C.UTF-8'],
  ['default_transaction_isolation', 'serializable'],
  ['default_transaction_deferrable', 'on'],
  ['idle_session_timeout', '1'],
  ['array_nulls', 'off'],
  ['transform_null_equals', 'on'],
  ['quote_all_identifiers', 'on'],
  ['backslash_quote', 'off'],
  ['row_security', 'off'],
  ['exit_on_error', 'on'],
  ['check_function_bodies', 'off'],
  ['xmloption', 'document'],
  ['client_min_messages', 'debug1'],
];

let database = '';
beforeEach(async () => {
  const [row] = await orm.em.fork().execute<{ name: string }[]>('select current_database() as name');
  database = row?.name ?? '';
  await orm.em.fork().execute('create schema if not exists elsewhere');
  await orm.em.fork().execute('create table if not exists elsewhere.users (id int)');
});
afterEach(() => outside(`alter database ${database} reset all`));

describe('a server whose database has', () => {
  test.each(SETTINGS)('%s = %s serves as it does with the default', async (name, value) => {
    await set(name, value);
    await useTheBlog();
  });
});

const MINUTES = 60_000;

test('commands work with all of these settings, and with timeouts', { timeout: 4 * MINUTES }, async () => {
  await orm.em.fork().execute('drop schema elsewhere cascade');
  await outside(everySetting(database));
  expect(await run('src/migration-safety/cli/command.ts', 'migration', 'check')).toMatchObject({ code: 0 });
  expect(await run('src/seeding/seed.ts', '--articles', '200')).toMatchObject({ code: 0 });
});

test('a new database with all of these settings is migrated and seeded', { timeout: 4 * MINUTES }, async () => {
  const migrated = database;
  database = `${migrated}_new`;
  await outside(`create database ${database}`);
  try {
    await outside(everySetting(database));
    expect(await run('src/migration-safety/cli/command.ts', 'migration:up')).toMatchObject({ code: 0 });
    expect(await run('src/seeding/seed.ts')).toMatchObject({ code: 0 });
  } finally {
    await outside(`drop database ${database} with (force)`);
    database = migrated;
  }
});

const everySetting = (name: string) =>
  Object.entries({ ...Object.fromEntries(SETTINGS), ...TIMEOUTS })
    .map((setting) => alter(name, ...setting))
    .join(';');

/** Milliseconds. A server has timeouts of its own; commands take as long as they need. */
const TIMEOUTS = { statement_timeout: '1', lock_timeout: '1', idle_in_transaction_session_timeout: '1' };

async function useTheBlog() {
  const tagList = ["it's", 'back\\slash', 'ünïcode'];
  const account = { username: 'ann', email: 'ann@example.com', password: 'password123' };
  const registered = await executeGraphql(RegisterDocument, { input: account });
  expect(registered).toSucceed();
  const as = { token: registered.data.register?.token ?? '' };
  const written = { title: "Ann's \\ title", description: 'ünïcode 😀', body: 'Some body.', tagList };
  const created = await executeGraphql(CreateArticleDocument, { as, input: written });
  expect(created).toSucceed();
  const article = { slug: created.data.createArticle?.article?.slug ?? '' };
  const body = 'Another body.';
  expect(await executeGraphql(UpdateArticleDocument, { as, input: { article, body } })).toSucceed();
  expect(await executeGraphql(AddCommentDocument, { as, input: { article, body } })).toSucceed();
  expect(await executeGraphql('{ viewer { email } }', { as })).toMatchObject({
    data: { viewer: { email: account.email } },
  });

  const before = new Date(Date.now() - 3_600_000).toISOString();
  const after = new Date(Date.now() + 3_600_000).toISOString();
  const filter = { author: 'ann', tagsAll: tagList, publishedAfter: before, publishedBefore: after };
  const { data } = await executeGraphql(ArticlesDocument, { as, filter });
  expect(data.articles.edges.map(({ node }) => node)).toMatchObject([
    { title: written.title, description: written.description, tagList },
  ]);
}

/** The value holds for connections that are opened from now on. */
async function set(name: string, value: string) {
  await outside(`${alter(database, name, value)};
    select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}' and pid <> pg_backend_pid()`);
  await expect
    .poll(() =>
      orm.em
        .fork()
        .execute('select 1')
        .catch(() => null),
    )
    .not.toBeNull();
}

const alter = (database: string, name: string, value: string) =>
  `alter database ${database} set ${name} to ${name === 'search_path' ? value || "''" : `'${value}'`}`;

/** On a connection that no setting of the database affects. */
async function outside(sql: string) {
  const template = inject('template');
  if (template.kind !== 'postgres') throw new Error('This test needs a PostgreSQL server.');
  return onServer(template.server, (client) => client.query(sql));
}

const run = (file: string, ...args: string[]) =>
  new Promise<{ code: number; said: string }>((done) => {
    const template = inject('template');
    if (template.kind !== 'postgres') throw new Error('This test needs a PostgreSQL server.');
    const env = { ...process.env, DATABASE_URL: databaseOn(template.server, database), NODE_ENV: 'development' };
    const child = execFile('node', ['--import', '@oxc-node/core/register', file, ...args], { env }, (_, out, errors) =>
      done({ code: child.exitCode ?? -1, said: out + errors }),
    );
  });
