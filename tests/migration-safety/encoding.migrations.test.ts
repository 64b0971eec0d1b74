import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Cluster } from '../rigs/faults/cluster.ts';
import { aProject, onServer, type Project, repository } from './project.ts';

vi.setConfig({ testTimeout: 300_000 });

/** A project whose database exists, is empty and has this encoding. */
async function aProjectIn(encoding: string): Promise<Project> {
  const project = aProject();
  await onServer(maintenanceUrl(project), (client) => client.query(createDatabase(project.database, encoding)));
  return project;
}

const createDatabase = (name: string, encoding: string) =>
  `create database ${name} encoding '${encoding}' lc_collate 'C' lc_ctype 'C' template template0`;

const maintenanceUrl = ({ url }: Project) => new URL('/postgres', url).href;

describe.each(['LATIN1', 'SQL_ASCII', 'WIN1252', 'EUC_KR'])('a database in %s', (encoding) => {
  test('fails migration:check, which names the encoding and how to change it', async () => {
    const project = await aProjectIn(encoding);
    const { code, out } = await project.run('migration:check');
    expect(out).toContain(`encoding: The database ${project.database} has the encoding ${encoding}; it must be UTF8`);
    expect(out).toContain(`create database "${project.database}_utf8" encoding 'UTF8' template template0;`);
    expect(code).toBe(41);
  });

  test('is refused by migration:up, which makes no table for entities', async () => {
    const project = await aProjectIn(encoding);
    const { code, out } = await project.run('migration:up');
    expect(out).toContain(`has the encoding ${encoding}; it must be UTF8`);
    expect(code).toBe(41);
    expect(await project.query(`select tablename from pg_tables where tablename in ('authors', 'articles')`)).toEqual(
      [],
    );
  });
});

test('on a server that creates databases in LATIN1, migration:up creates none', async () => {
  const server = await Cluster.start({ encoding: 'LATIN1' });
  onTestFinished(() => server.remove());
  const project = aProject().with({ DATABASE_URL: new URL('/missing', server.url).href });
  const { code, out } = await project.run('migration:up');
  expect(out).toContain('The database missing does not exist, and the server creates databases in LATIN1');
  expect(out).toContain(`create database "missing" encoding 'UTF8' template template0;`);
  expect(code).toBe(41);
  const databases = await onServer(server.url, (client) => client.query('select datname from pg_database'));
  expect(databases.rows.map(({ datname }) => datname).toSorted()).toEqual(['postgres', 'template0', 'template1']);
  await onServer(server.url, (client) => client.query(/create database .*;/.exec(out)?.[0] ?? ''));
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
});

test.each([
  ['LATIN1', 'up'],
  ['SQL_ASCII', 'check'],
  ['LATIN9', 'off'],
])('a server does not start on a database in %s with MIGRATE_ON_START=%s', async (encoding, MIGRATE_ON_START) => {
  const project = (await aProjectIn(encoding)).with({ PORT: '0', NODE_ENV: 'development', MIGRATE_ON_START });
  const { code, out } = await project.start(['--import', '@oxc-node/core/register', join(repository, 'src/main.ts')]);
  expect(out).toContain(`The database ${project.database} has the encoding ${encoding}; it must be UTF8`);
  expect(out).not.toMatch(/GraphQL at http|\n\s+at /);
  expect(code).toBe(1);
});

test('the JSON of migration:check has the fault; offline, the database does not matter', async () => {
  const project = await aProjectIn('LATIN1');
  const { stdout, code } = await project.extra('migration:check', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, faults: [{ kind: 'encoding', exitCode: 41 }] });
  expect(code).toBe(41);
  expect(await project.extra('migration:check', '--offline')).toMatchObject({ code: 0 });
});

test('the commands of the report move the rows to a database that is accepted', async () => {
  const project = await aProjectIn('LATIN1');
  await project.query(`create table notes (body text); insert into notes values ('Crème brûlée')`);
  const { out } = await project.run('migration:check');
  const [create = ''] = out.match(/create database .*;/) ?? [];
  const [copy = ''] = out.match(/pg_dump .*/) ?? [];
  await onServer(maintenanceUrl(project), (client) => client.query(create));
  const { hostname, port, username } = new URL(project.url);
  const env = { ...process.env, PGHOST: hostname, PGPORT: port, PGUSER: username };
  const name = `${project.database}_utf8`;
  onTestFinished(() =>
    onServer(maintenanceUrl(project), (client) => client.query(`drop database ${name} with (force)`)).then(() => {}),
  );
  execFileSync('sh', ['-c', copy], { env });
  project.with({ DATABASE_URL: `${project.url}_utf8` });
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await onServer(`${project.url}_utf8`, async (client) => (await client.query('table notes')).rows)).toEqual([
    { body: 'Crème brûlée' },
  ]);
});

test('a database in UTF8 is accepted', async () => {
  const project = await aProjectIn('UTF8');
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.run('migration:check')).toMatchObject({ code: 0 });
});
