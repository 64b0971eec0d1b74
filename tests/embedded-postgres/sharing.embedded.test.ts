import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  DataFolderInUseError,
  type EmbeddedDatabaseOptions,
  openEmbeddedDatabase,
} from '../../src/embedded-postgres/embedded-database.ts';
import { aFolder, client, failure, fresh, opened } from './opened.ts';
import { OtherProcess } from './processes.ts';

function another(folder: string, options: Partial<EmbeddedDatabaseOptions> = {}): OtherProcess {
  const process = new OtherProcess(folder, { durable: false, ...options });
  onTestFinished(() => process.kill());
  return process;
}

test('a second process works on the same data, through the first', async () => {
  const folder = aFolder();
  const database = await opened({ folder });
  const here = await client(database);
  await here.query('create table shared (id int)');
  const other = another(folder);
  expect(await other.heard()).toMatchObject({ open: true, isOwner: false });
  await other.ask('insert into shared values (7)');
  expect((await here.query('select * from shared')).rows).toEqual([{ id: 7 }]);
  expect(await other.end()).toBe(0);
});

test('psql connects, describes a table and copies a file in', async () => {
  const folder = aFolder();
  const { connection } = await opened({ folder });
  const file = join(folder, '..', 'rows.txt');
  writeFileSync(file, '1\tone\n2\ttwo\n');
  const script = `create table t (id int primary key, name text);\n\\copy t from '${file}'\n\\d t\nselect * from t order by id;`;
  const args = [
    '-X',
    '-v',
    'ON_ERROR_STOP=1',
    '-h',
    connection.host,
    '-p',
    String(connection.port),
    '-U',
    connection.user,
    connection.dbName,
  ];
  const { promise, resolve } = Promise.withResolvers<string>();
  const { execFile } = await import('node:child_process');
  const psql = execFile('psql', args, (error, stdout, stderr) => resolve(error === null ? stdout : stderr));
  psql.stdin?.end(script);
  const said = await promise;
  expect(said).toContain('COPY 2');
  expect(said).toContain('"t_pkey" PRIMARY KEY, btree (id)');
  expect(said).toMatch(/1 \| one\n\s+2 \| two/);
});

test('who insists on owning the folder is told which process holds it', async () => {
  const folder = aFolder();
  const other = another(folder);
  await other.heard();
  const held = await failure(
    openEmbeddedDatabase({ folder, requireOwnership: true, openTimeout: 100, durable: false }),
  );
  expect(held).toBeInstanceOf(DataFolderInUseError);
  expect(held.message).toMatch(new RegExp(`process ${other.child.pid} \\(.*other-process.ts .*since 2`));
});

test('who insists on owning the folder waits for one that is about to end', async () => {
  const folder = aFolder();
  const other = another(folder);
  await other.heard();
  const mine = openEmbeddedDatabase({ folder, requireOwnership: true, openTimeout: 20_000, durable: false });
  await other.end();
  const database = await mine;
  expect(database.isOwner).toBe(true);
  await database.close();
});

test('the lock of a process that was killed is nobody’s: the next one owns the folder, and nothing is lost', async () => {
  const folder = aFolder();
  const killed = another(folder);
  await killed.heard();
  await killed.ask('create table kept (id int)');
  await killed.ask('insert into kept values (1)');
  await killed.kill();
  const database = await opened({ folder, requireOwnership: true, openTimeout: 0 });
  expect((await (await client(database)).query('select * from kept')).rows).toEqual([{ id: 1 }]);
});

test('when the owner is killed, one that joined takes over, and its pool goes on at the same address', async () => {
  const folder = aFolder();
  const owner = another(folder);
  const { connection } = await owner.heard();
  const joined = await opened({ folder });
  expect(joined.isOwner).toBe(false);
  await owner.ask('create table handed (id int)');
  await owner.kill();
  await expect.poll(() => joined.isOwner, { timeout: 20_000 }).toBe(true);
  expect(joined.connection).toEqual(connection);
  expect((await (await client(joined)).query('select count(*)::int as n from handed')).rows).toEqual([{ n: 0 }]);
});

test('a command that has done its work stays for those that joined it', async () => {
  const folder = aFolder();
  const [first, joined] = [another(folder), another(folder)];
  const hello = await Promise.all([first.heard(), joined.heard()]);
  const [owner, guest] = hello[0].isOwner === true ? [first, joined] : [joined, first];
  const ended = owner.end();
  for (let i = 0; i < 20; i += 1) expect(await guest.ask('select 1 as a')).toMatchObject({ rows: [{ a: 1 }] });
  expect(owner.child.exitCode).toBe(null);
  expect(await guest.end()).toBe(0);
  expect(await ended).toBe(0);
});

test('an owner whose folder is removed lets go of it, and the next process makes a new one', async () => {
  const folder = aFolder();
  const lines: string[] = [];
  const database = await opened({ folder, log: (line) => lines.push(line) });
  const here = await client(database);
  await here.query('create table old (id int)');
  rmSync(dirname(folder), { recursive: true });
  await expect.poll(() => database.health().state, { timeout: 20_000 }).toBe('closed');
  expect(lines.join()).toContain('was removed or replaced');
  const next = another(folder);
  expect(await next.heard()).toMatchObject({ open: true, isOwner: true });
  await database.close();
  expect(await next.ask('select * from old')).toMatchObject({ code: '42P01' });
  expect(existsSync(`${folder}.run/owner.json`)).toBe(true);
});

test('a socket that somebody cleaned away is made again, and those who are connected notice nothing', async () => {
  const folder = aFolder();
  const database = await opened({ folder });
  const here = await client(database);
  rmSync(`${folder}.run/owner.json`);
  rmSync(`${folder}.run/.s.PGSQL.5432`);
  const said = async () => (await client(database).then((one) => one.query('select 1 as a'))).rows;
  await expect.poll(() => said().catch(() => 'nothing'), { timeout: 20_000 }).toEqual([{ a: 1 }]);
  expect((await here.query('select 2 as a')).rows).toEqual([{ a: 2 }]);
  expect(await another(folder).heard()).toMatchObject({ open: true, isOwner: false });
});

test('who waits for an owner that does not answer is told who that is, and does not wait for ever', async () => {
  const folder = aFolder();
  const other = another(folder);
  await other.heard();
  other.child.kill('SIGSTOP');
  const held = await failure(openEmbeddedDatabase({ folder, openTimeout: 100, durable: false }));
  expect(held.message).toMatch(new RegExp(`in use by process ${other.child.pid} \\(`));
  other.child.kill('SIGCONT');
  expect((await other.ask('select 1 as a')).rows).toEqual([{ a: 1 }]);
});

test('two processes that start at one instant are both served, and one of them owns the folder', async () => {
  const folder = aFolder();
  const both = [another(folder), another(folder)];
  const hello = await Promise.all(both.map((one) => one.heard()));
  expect(hello.map(({ open }) => open)).toEqual([true, true]);
  expect(hello.filter(({ isOwner }) => isOwner)).toHaveLength(1);
  await both[0]?.ask('create table together (id int)');
  expect(await both[1]?.ask('select count(*)::int as n from together')).toMatchObject({ rows: [{ n: 0 }] });
});

test('a process that has done its work ends by itself, and leaves the folder closed', async () => {
  const folder = aFolder();
  const program = `
    import { openEmbeddedDatabase } from ${JSON.stringify(new URL('../../src/embedded-postgres/embedded-database.ts', import.meta.url).href)};
    const database = await openEmbeddedDatabase({ folder: ${JSON.stringify(folder)}, durable: false });
    console.log(database.isOwner);`;
  const command = ['--import', '@oxc-node/core/register', '--input-type=module', '-e', program];
  expect(execFileSync(process.execPath, command, { encoding: 'utf8', timeout: 30_000 })).toBe('true\n');
  expect(existsSync(`${folder}.run/owner.json`)).toBe(false);
});

test('a start that was cut short is begun again', async () => {
  const folder = aFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'PG_VERSION'), '18\n');
  mkdirSync(`${folder}.run`);
  writeFileSync(`${folder}.run/unfinished`, '');
  const database = await opened({ folder });
  expect((await (await client(database)).query('select 1 as a')).rows).toEqual([{ a: 1 }]);
  expect(existsSync(`${folder}.run/unfinished`)).toBe(false);
});

test('a folder that can not be a database is named, and what is wrong with it', async () => {
  const file = aFolder();
  writeFileSync(file, 'a letter');
  const within = failure(openEmbeddedDatabase({ folder: join(file, 'postgres') }));
  expect((await within).message).toMatch(/^Cannot create the database in .*postgres: .*(EEXIST|ENOTDIR)/);

  const older = aFolder();
  mkdirSync(older, { recursive: true });
  writeFileSync(join(older, 'PG_VERSION'), '15\n');
  expect((await failure(openEmbeddedDatabase({ folder: older }))).message).toMatch(
    /was created by PostgreSQL 15, but this is PostgreSQL 18/,
  );

  const damaged = aFolder();
  mkdirSync(damaged, { recursive: true });
  writeFileSync(join(damaged, 'PG_VERSION'), '18\n');
  expect((await failure(openEmbeddedDatabase({ folder: damaged }))).message).toMatch(
    /does not open: .*restore a copy of it/s,
  );
});

test('a folder with other files in it is left alone', async () => {
  const folder = aFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'letters.txt'), 'dear');
  expect((await failure(openEmbeddedDatabase({ folder }))).message).toContain('contains files but no database');
  expect(existsSync(join(folder, 'letters.txt'))).toBe(true);
});

test('nobody but the owner’s user may reach the socket, and a deep folder has one too', async () => {
  const deep = join(aFolder(), 'd'.repeat(60), 'e'.repeat(60));
  const database = await opened({ folder: deep });
  const { host, port } = database.connection;
  expect(statSync(host).mode & 0o777).toBe(0o700);
  expect(statSync(`${host}/.s.PGSQL.${port}`).mode & 0o777).toBe(0o600);
  expect((await (await client(database)).query('select 1 as a')).rows).toEqual([{ a: 1 }]);
});

test('a copy of the data folder opens as a database of its own', async () => {
  const one = await opened();
  await (await client(one)).query("create table copied as select 'x' as name");
  const loadDataDir = await one.dumpDataDir();
  const two = await opened({ loadDataDir });
  expect((await (await client(two)).query('select * from copied')).rows).toEqual([{ name: 'x' }]);
  expect((await fresh()).length).toBeGreaterThan(0);
});
