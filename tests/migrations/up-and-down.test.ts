import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import type { MikroORM } from '@mikro-orm/postgresql';
import { afterEach, expect, test } from 'vitest';
import { emptyDatabase } from '../support/empty-database.ts';

/** Every test migrates its own database, as the `mikro-orm` commands do. */

const files = readdirSync('migrations');
const migrations = files
  .filter((file) => file !== '.snapshot.json') // written by migration:create; committing it is optional
  .map((file) => file.replace(/\.ts$/, ''));

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const remove of opened.splice(0)) await remove();
});

async function aDatabase() {
  const database = await emptyDatabase();
  opened.push(database.remove);
  return database;
}

test('after the last migration the schema matches the entities', async () => {
  const { orm } = await aDatabase();
  await orm.migrator.up();
  expect(await orm.schema.getUpdateSchemaSQL({ wrap: false })).toBe('');
  expect(await orm.migrator.checkSchema()).toBe(false);
});

test('migrating up, all the way down and up again, with rows in every table, produces the same schema', async () => {
  const { orm } = await aDatabase();
  await orm.migrator.up();
  const first = await schemaOf(orm);
  await fill(orm);
  await orm.migrator.down({ to: 0 });
  expect(await schemaOf(orm)).toEqual([]);
  await orm.migrator.up();
  expect(await schemaOf(orm)).toEqual(first);
  await fill(orm);
});

test('each migration can be reverted and applied again by itself', async () => {
  const { orm } = await aDatabase();
  const states = [await schemaOf(orm)];
  for (const name of migrations) {
    await orm.migrator.up({ to: name });
    states.push(await schemaOf(orm));
  }
  await fill(orm);
  for (const name of migrations.toReversed()) {
    await orm.migrator.down();
    states.pop();
    expect(await schemaOf(orm), name).toEqual(states.at(-1));
  }
  await orm.migrator.up();
  expect(await orm.schema.getUpdateSchemaSQL({ wrap: false })).toBe('');
});

test('a migration has a descriptive name and exports nothing else', async () => {
  for (const name of migrations) {
    expect(name).toMatch(/^Migration\d{14}_[a-z]+(_[a-z]+)+$/);
    const module = await import(`../../migrations/${name}.ts`);
    expect(Object.keys(module)).toEqual([name]);
  }
});

test('the commands apply migrations, find no difference, revert them and list what is pending', async () => {
  const { environment } = await aDatabase();
  const command = async (...args: string[]) => {
    const env = { ...process.env, NO_COLOR: '1', ...environment };
    const { stdout, stderr } = await promisify(execFile)('npx', ['mikro-orm', ...args], { env });
    return stdout + stderr;
  };
  const applied = await command('migration:up');
  for (const name of migrations) expect(applied).toContain(`Applied '${name}'`);
  expect(await command('migration:create', '--dump')).toMatch(/No changes required/);
  await command('migration:down', '--to', '0');
  const pending = await command('migration:pending');
  for (const name of migrations) expect(pending).toContain(name);
  expect(readdirSync('migrations')).toEqual(files);
}, 120_000);

/**
 * Columns, constraints, indexes, triggers, functions and sequences, without those of the migration log. A validated constraint
 * stays validated when the validation is reverted.
 */
async function schemaOf(orm: MikroORM): Promise<object[]> {
  const notMigrationLog = `not like 'mikro_orm_migrations%'`;
  return orm.em.fork().execute(`
    select 'column' as kind, table_name || '.' || column_name as name,
        concat_ws(' ', data_type, datetime_precision, is_nullable, column_default, is_identity, identity_generation) as body
      from information_schema.columns where table_schema = 'public' and table_name ${notMigrationLog}
    union all select 'constraint', conname, conrelid::regclass || ' ' || replace(pg_get_constraintdef(oid), ' NOT VALID', '')
      from pg_constraint where connamespace = 'public'::regnamespace and conrelid::regclass::text ${notMigrationLog}
    union all select 'index', indexname, indexdef from pg_indexes where schemaname = 'public' and tablename ${notMigrationLog}
    union all select 'trigger', tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all select 'function', proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace
    union all select 'sequence', sequencename, '' from pg_sequences where sequencename ${notMigrationLog}
    order by 1, 2, 3`);
}

async function fill(orm: MikroORM): Promise<void> {
  const statements = [
    `insert into users (username, username_key, email, email_key, password_hash)
       select 'user' || n, 'user' || n, n || '@e.com', n || '@e.com', '-' from generate_series(1, 3) n`,
    `insert into sessions (user_id, refresh_token_hash, expires_at) select id, '-', now() from users`,
    `insert into idempotency_keys (user_id, key, request) select id, 'k', '-' from users`,
    `insert into rate_limits values ('pair:somebody', 1, 0)`,
    'insert into follows (follower_id, followed_id) select f.id, u.id from users f, users u where f.id <> u.id',
    `insert into articles (slug, title, description, body, author_id) select 'a' || id, 't', 'd', 'b', id from users`,
    `insert into articles (slug, title, description, body, author_id, status, published_at)
       select 'draft-' || id, 't', 'd', 'b', id, 'DRAFT', null from users`,
    `insert into tags (name) values ('red'), ('blue')`,
    'insert into article_tags (article_id, tag_id) select articles.id, tags.id from articles, tags',
    'insert into favorites (user_id, article_id) select users.id, articles.id from users, articles',
    `insert into article_reads select id, 'somebody', now() from articles`,
    `insert into search_settings (id, language) values (1, 'english')`,
    `insert into comments (body, article_id, author_id) select 'c', articles.id, users.id from users, articles`,
  ];
  for (const statement of statements) await orm.em.fork().execute(statement);
  const tables: { name: string }[] = await orm.em
    .fork()
    .execute(`select table_name as name from information_schema.tables where table_schema = 'public'`);
  for (const { name } of tables) {
    const [{ count }] = (await orm.em.fork().execute(`select count(*)::int as count from ${name}`)) as [
      { count: number },
    ];
    expect(count, `rows in ${name}`).toBeGreaterThan(0);
  }
}
