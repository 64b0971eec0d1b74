import { readFileSync } from 'node:fs';
import { MikroORM } from '@mikro-orm/postgresql';
import { pino } from 'pino';
import { expect, inject, onTestFinished, test } from 'vitest';
import { ormConfig } from '../mikro-orm.config.ts';
import { openDatabase } from '../src/database/open-database.ts';
import { readDatabaseEnvironment } from '../src/environment.ts';
import { applyPendingMigrations } from '../src/migration-safety/index.ts';
import { Readiness } from '../src/server/http/health.ts';
import { buildServer } from '../src/server/server.ts';
import { databaseOn, onServer } from './support/migrated-template.ts';
import { settings } from './support/test-server.ts';

test('with deploy/roles.sql one role migrates, and the other serves the blog but changes no table', async () => {
  const template = inject('template');
  if (template.kind !== 'postgres') throw new Error('This test needs a PostgreSQL server.');
  const database = `${template.name}_roles_${process.pid}`;
  const [owner, server] = [`${database}_owner`, `${database}_server`];
  await onServer(template.server, (client) => client.query(`create database ${database}`));
  onTestFinished(async () => {
    await onServer(template.server, (client) => client.query(`drop database ${database} with (force)`));
    await onServer(template.server, (client) => client.query(`drop role ${owner}, ${server}`));
  });
  const roles = readFileSync('deploy/roles.sql', 'utf8')
    .replaceAll('conduit_owner', owner)
    .replaceAll('conduit_server', server);
  const url = databaseOn(template.server, database);
  await onServer(url, (client) =>
    client.query(`${roles}; alter role ${owner} password 'secret'; alter role ${server} password 'secret'`),
  );
  const connect = async (user: string) => {
    const DATABASE_URL = Object.assign(new URL(url), { username: user, password: 'secret' }).href;
    const config = ormConfig(await openDatabase(readDatabaseEnvironment({ DATABASE_URL }), 'command'));
    const orm = await MikroORM.init({ ...config, migrations: { ...config.migrations, silent: true } });
    onTestFinished(() => orm.close(true));
    return orm;
  };

  expect(await applyPendingMigrations(await connect(owner))).not.toEqual([]);

  const serving = await connect(server);
  const readiness = new Readiness(serving, null, 'checked');
  expect(await readiness.migrationProblem()).toBeNull();
  const blog = await buildServer({ em: serving.em, log: pino({ level: 'silent' }), settings, readiness });
  onTestFinished(() => blog.close());
  const ask = async (query: string, token?: string) => {
    const headers = token ? { authorization: `Token ${token}` } : {};
    return (await blog.inject({ method: 'POST', url: '/graphql', headers, payload: { query } })).json();
  };
  const account = '{ username: "ann", email: "ann@example.com", password: "password123" }';
  const { data } = await ask(`mutation { register(input: ${account}) { token } }`);
  const { token } = data.register;
  const article = '{ title: "One", description: "d", body: "b", tagList: ["a"] }';
  const written = await ask(`mutation { createArticle(input: ${article}) { article { slug } } }`, token);
  expect(written).toMatchObject({ data: { createArticle: { article: { slug: 'one' } } } });
  const favorite = 'favoriteArticle(input: { article: { slug: "one" } }) { article { favoritesCount } }';
  expect(await ask(`mutation { ${favorite} }`, token)).toMatchObject({
    data: { favoriteArticle: { article: { favoritesCount: 1 } } },
  });

  for (const statement of [
    'create table more (id int)',
    'alter table users add column more int',
    'drop table users',
    'truncate users',
    'alter table favorites disable trigger all',
    'create temporary table more (id int)',
  ]) {
    await expect(serving.em.fork().execute(statement), statement).rejects.toMatchObject({ code: '42501' });
  }
});
