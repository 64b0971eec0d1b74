import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  DataFolderInUseError,
  type EmbeddedDatabaseOptions,
  openEmbeddedDatabase,
} from '../../src/embedded-postgres/embedded-database.ts';
import { DatabaseProcess } from './database-process.ts';
import { connect, errorOf, freshDataDir, openTestDatabase, tempFolder } from './test-database.ts';

function startProcess(folder: string, options: Partial<EmbeddedDatabaseOptions> = {}): DatabaseProcess {
  const process = new DatabaseProcess(folder, { durable: false, ...options });
  onTestFinished(() => process.kill());
  return process;
}

test('a second process uses the data through the first', async () => {
  const folder = tempFolder();
  const database = await openTestDatabase({ folder });
  const here = await connect(database);
  await here.query('create table shared (id int)');
  const other = startProcess(folder);
  expect(await other.reply()).toMatchObject({ open: true, isOwner: false });
  await other.query('insert into shared values (7)');
  expect((await here.query('select * from shared')).rows).toEqual([{ id: 7 }]);
  expect(await other.exit()).toBe(0);
});

test('psql connects, describes a table and copies a file in', async () => {
  const folder = tempFolder();
  const { connection } = await openTestDatabase({ folder });
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
  const output = await promise;
  expect(output).toContain('COPY 2');
  expect(output).toContain('"t_pkey" PRIMARY KEY, btree (id)');
  expect(output).toMatch(/1 \| one\n\s+2 \| two/);
});

test('a process that requires ownership fails with the name of the owner', async () => {
  const folder = tempFolder();
  const other = startProcess(folder);
  await other.reply();
  const error = await errorOf(
    openEmbeddedDatabase({ folder, requireOwnership: true, openTimeout: 100, durable: false }),
  );
  expect(error).toBeInstanceOf(DataFolderInUseError);
  expect(error.message).toMatch(new RegExp(`process ${other.child.pid} \\(.*database-program.ts .*since 2`));
});

test('a process that requires ownership waits for an owner that exits', async () => {
  const folder = tempFolder();
  const other = startProcess(folder);
  await other.reply();
  const mine = openEmbeddedDatabase({ folder, requireOwnership: true, openTimeout: 20_000, durable: false });
  await other.exit();
  const database = await mine;
  expect(database.isOwner).toBe(true);
  await database.close();
});

test('after kill -9 of the owner, the next process owns the folder and nothing is lost', async () => {
  const folder = tempFolder();
  const killed = startProcess(folder);
  await killed.reply();
  await killed.query('create table kept (id int)');
  await killed.query('insert into kept values (1)');
  await killed.kill();
  const database = await openTestDatabase({ folder, requireOwnership: true, openTimeout: 0 });
  expect((await (await connect(database)).query('select * from kept')).rows).toEqual([{ id: 1 }]);
});

test('when the owner is killed, a joined process takes over at the same address', async () => {
  const folder = tempFolder();
  const owner = startProcess(folder);
  const { connection } = await owner.reply();
  const joined = await openTestDatabase({ folder });
  expect(joined.isOwner).toBe(false);
  await owner.query('create table handed (id int)');
  await owner.kill();
  await expect.poll(() => joined.isOwner, { timeout: 20_000 }).toBe(true);
  expect(joined.connection).toEqual(connection);
  expect((await (await connect(joined)).query('select count(*)::int as n from handed')).rows).toEqual([{ n: 0 }]);
});

test('a command that is done waits for the processes that joined it', async () => {
  const folder = tempFolder();
  const [first, joined] = [startProcess(folder), startProcess(folder)];
  const replies = await Promise.all([first.reply(), joined.reply()]);
  const [owner, other] = replies[0].isOwner === true ? [first, joined] : [joined, first];
  const ended = owner.exit();
  for (let i = 0; i < 20; i += 1) expect(await other.query('select 1 as a')).toMatchObject({ rows: [{ a: 1 }] });
  expect(owner.child.exitCode).toBe(null);
  expect(await other.exit()).toBe(0);
  expect(await ended).toBe(0);
});

test('an owner whose folder is removed stops, and the next process creates a new one', async () => {
  const folder = tempFolder();
  const lines: string[] = [];
  const database = await openTestDatabase({ folder, log: (line) => lines.push(line) });
  const here = await connect(database);
  await here.query('create table old (id int)');
  rmSync(dirname(folder), { recursive: true });
  await expect.poll(() => database.health().state, { timeout: 20_000 }).toBe('closed');
  expect(lines.join()).toContain('was removed or replaced');
  const next = startProcess(folder);
  expect(await next.reply()).toMatchObject({ open: true, isOwner: true });
  await database.close();
  expect(await next.query('select * from old')).toMatchObject({ code: '42P01' });
  expect(existsSync(`${folder}.run/owner.json`)).toBe(true);
});

test('restores a removed socket without affecting open connections', async () => {
  const folder = tempFolder();
  const database = await openTestDatabase({ folder });
  const here = await connect(database);
  rmSync(`${folder}.run/owner.json`);
  rmSync(`${folder}.run/.s.PGSQL.5432`);
  const select = async () => (await connect(database).then((one) => one.query('select 1 as a'))).rows;
  await expect.poll(() => select().catch(() => 'nothing'), { timeout: 20_000 }).toEqual([{ a: 1 }]);
  expect((await here.query('select 2 as a')).rows).toEqual([{ a: 2 }]);
  expect(await startProcess(folder).reply()).toMatchObject({ open: true, isOwner: false });
});

test('waiting for an owner that does not respond times out with its name', async () => {
  const folder = tempFolder();
  const other = startProcess(folder);
  await other.reply();
  other.child.kill('SIGSTOP');
  const error = await errorOf(openEmbeddedDatabase({ folder, openTimeout: 100, durable: false }));
  expect(error.message).toMatch(new RegExp(`in use by process ${other.child.pid} \\(`));
  other.child.kill('SIGCONT');
  expect((await other.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
});

test('two processes that start at the same moment are both served, and one owns the folder', async () => {
  const folder = tempFolder();
  const both = [startProcess(folder), startProcess(folder)];
  const replies = await Promise.all(both.map((one) => one.reply()));
  expect(replies.map(({ open }) => open)).toEqual([true, true]);
  expect(replies.filter(({ isOwner }) => isOwner)).toHaveLength(1);
  await both[0]?.query('create table shared (id int)');
  expect(await both[1]?.query('select count(*)::int as n from shared')).toMatchObject({ rows: [{ n: 0 }] });
});

test('a process that is done exits by itself and closes the folder', async () => {
  const folder = tempFolder();
  const program = `
    import { openEmbeddedDatabase } from ${JSON.stringify(new URL('../../src/embedded-postgres/embedded-database.ts', import.meta.url).href)};
    const database = await openEmbeddedDatabase({ folder: ${JSON.stringify(folder)}, durable: false });
    console.log(database.isOwner);`;
  const command = ['--import', '@oxc-node/core/register', '--input-type=module', '-e', program];
  expect(execFileSync(process.execPath, command, { encoding: 'utf8', timeout: 30_000 })).toBe('true\n');
  expect(existsSync(`${folder}.run/owner.json`)).toBe(false);
});

test('repeats an interrupted initialization', async () => {
  const folder = tempFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'PG_VERSION'), '18\n');
  mkdirSync(`${folder}.run`);
  writeFileSync(`${folder}.run/unfinished`, '');
  const database = await openTestDatabase({ folder });
  expect((await (await connect(database)).query('select 1 as a')).rows).toEqual([{ a: 1 }]);
  expect(existsSync(`${folder}.run/unfinished`)).toBe(false);
});

test('the error for an unusable folder says which folder and why', async () => {
  const file = tempFolder();
  writeFileSync(file, 'a letter');
  const within = errorOf(openEmbeddedDatabase({ folder: join(file, 'postgres') }));
  expect((await within).message).toMatch(/^Cannot create the database in .*postgres: .*(EEXIST|ENOTDIR)/);

  const older = tempFolder();
  mkdirSync(older, { recursive: true });
  writeFileSync(join(older, 'PG_VERSION'), '15\n');
  expect((await errorOf(openEmbeddedDatabase({ folder: older }))).message).toMatch(
    /was created by PostgreSQL 15, but this is PostgreSQL 18/,
  );

  const damaged = tempFolder();
  mkdirSync(damaged, { recursive: true });
  writeFileSync(join(damaged, 'PG_VERSION'), '18\n');
  expect((await errorOf(openEmbeddedDatabase({ folder: damaged }))).message).toMatch(
    /does not open: .*restore a copy of it/s,
  );
});

test('refuses a folder with other files, and keeps them', async () => {
  const folder = tempFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'letters.txt'), 'dear');
  expect((await errorOf(openEmbeddedDatabase({ folder }))).message).toContain('contains files but no database');
  expect(existsSync(join(folder, 'letters.txt'))).toBe(true);
});

test('only the user of the owner may access the socket, also for a deep folder', async () => {
  const deep = join(tempFolder(), 'd'.repeat(60), 'e'.repeat(60));
  const database = await openTestDatabase({ folder: deep });
  const { host, port } = database.connection;
  expect(statSync(host).mode & 0o777).toBe(0o700);
  expect(statSync(`${host}/.s.PGSQL.${port}`).mode & 0o777).toBe(0o600);
  expect((await (await connect(database)).query('select 1 as a')).rows).toEqual([{ a: 1 }]);
});

test('a copy of the data folder opens as a separate database', async () => {
  const one = await openTestDatabase();
  await (await connect(one)).query("create table copied as select 'x' as name");
  const loadDataDir = await one.dumpDataDir();
  const two = await openTestDatabase({ loadDataDir });
  expect((await (await connect(two)).query('select * from copied')).rows).toEqual([{ name: 'x' }]);
  expect((await freshDataDir()).length).toBeGreaterThan(0);
});
