import { createConnection, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type EmbeddedDatabase, openEmbeddedDatabase } from '../../src/embedded-postgres/embedded-database.ts';
import * as wire from '../../src/embedded-postgres/protocol.ts';
import { clientConfig, connect, errorOf, openTestDatabase } from './test-database.ts';

let database: EmbeddedDatabase;
beforeAll(async () => {
  database = await openEmbeddedDatabase({ folder: 'memory', queueTimeout: 30_000, idleInTransactionTimeout: 1000 });
  const setUp = new pg.Client(clientConfig(database));
  await setUp.connect();
  await setUp.query('create table item (id int generated always as identity primary key, name text)');
  await setUp.end();
}, 60_000);
afterAll(() => database.close({ transactionTimeout: 0 }));

test('runs statements with and without parameters, and reports their errors', async () => {
  const one = await connect(database);
  expect(
    ((await one.query('select 1 as a; select 2 as a')) as unknown as pg.QueryResult[]).map(({ rows }) => rows),
  ).toEqual([[{ a: 1 }], [{ a: 2 }]]);
  expect((await one.query('select $1::int + 1 as b', [41])).rows).toEqual([{ b: 42 }]);
  expect((await errorOf(one.query('select $1::int', ['x']))).code).toBe('22P02');
  expect((await errorOf(one.query('selec'))).code).toBe('42601');
  expect((await one.query('select 3 as c')).rows).toEqual([{ c: 3 }]);
});

test('thousands of failed statements, and some that fail in deep recursion, leak no stack', async () => {
  const one = await connect(database);
  await one.query('create table once (id int primary key); insert into once values (1)');
  for (let i = 0; i < 2500; i += 1) {
    expect((await errorOf(one.query('insert into once values (1)'))).code).toBe('23505');
  }
  for (let i = 0; i < 3; i += 1) {
    expect((await errorOf(one.query("select repeat('(', 100000)::tsquery"))).code).toBe('54001');
  }
  expect((await one.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
});

test('refuses a statement that nests too deep, without a restart', async () => {
  const own = await openTestDatabase();
  const one = await connect(own);
  await one.query('create function down(i int) returns int language plpgsql as $$ begin return down(i + 1); end $$');
  expect((await errorOf(one.query('select down(1)'))).code).toBe('54001');
  expect((await errorOf(one.query(`select ${'1+'.repeat(200_000)}1`))).code).toBe('54001');
  expect(own.health().restarts).toBe(0);
});

test('a transaction holds the session: other statements run after it', async () => {
  const [one, two] = [await connect(database), await connect(database)];
  await one.query('begin');
  await one.query("insert into item (name) values ('alone')");
  const waiting = two.query("select count(*)::int as n from item where name = 'alone'");
  await one.query("insert into item (name) values ('alone')");
  await one.query('commit');
  expect((await waiting).rows).toEqual([{ n: 2 }]);
});

test('rolls back the transaction of a client that disconnects', async () => {
  const [one, two] = [await connect(database), await connect(database)];
  await one.query('begin');
  await one.query("insert into item (name) values ('dropped')");
  disconnect(one);
  expect((await two.query("select * from item where name = 'dropped'")).rows).toEqual([]);
});

test('ends a transaction that is idle while others wait', async () => {
  const [idle, waits] = [await connect(database), await connect(database)];
  await idle.query('begin');
  expect((await waits.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
  expect((await errorOf(idle.query('select 1'))).message).toMatch(/terminated|not queryable|connection error/i);
});

test('ends a client that does not read its result, or does not send its COPY, while others wait', async () => {
  const waits = await connect(database);
  const stalled = await connect(database, { statement_timeout: 60_000 });
  await stalled.query('begin');
  streamOf(stalled).pause();
  const response = errorOf(stalled.query("select repeat('x', 1000) from generate_series(1, 50000)"));
  expect((await waits.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
  disconnect(stalled);
  await response;

  await waits.query('create table slow (id int)');
  const socket = await rawConnection();
  socket.write(Buffer.concat([wire.query('set statement_timeout = 0'), wire.query('copy slow from stdin')]));
  await new Promise((resolve) => socket.once('data', resolve));
  expect((await waits.query('select * from slow')).rows).toEqual([]);
  expect(database.health().restarts).toBe(0);
});

test('a statement that waits too long for a transaction fails with a retryable error', async () => {
  const short = await openTestDatabase({ queueTimeout: 200 });
  const [busy, waits] = [await connect(short), await connect(short)];
  await busy.query('begin');
  const refused = errorOf(waits.query('select 1'));
  expect((await refused).code).toBe('55P03');
  await busy.query('commit');
  expect((await waits.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
});

test('prepared statements of the same name are separate in each connection', async () => {
  const [one, two] = [await connect(database), await connect(database)];
  const ask = (who: pg.Client, text: string) => who.query({ name: 'same', text, values: [1] });
  expect((await ask(one, 'select $1::int as one')).rows).toEqual([{ one: 1 }]);
  expect((await ask(two, 'select $1::int as two')).rows).toEqual([{ two: 1 }]);
  expect((await ask(one, 'select $1::int as one')).rows).toEqual([{ one: 1 }]);
});

test('statement names longer than PostgreSQL allows stay distinct', async () => {
  const one = await connect(database);
  const name = 'x'.repeat(70);
  await one.query({ name: `${name}1`, text: 'select 1 as a', values: [] });
  expect((await one.query({ name: `${name}2`, text: 'select 2 as a', values: [] })).rows).toEqual([{ a: 2 }]);
});

test('`discard all` of one connection keeps the prepared statements of others', async () => {
  const [one, two] = [await connect(database), await connect(database)];
  await one.query({ name: 'kept', text: 'select $1::int as a', values: [1] });
  await two.query('discard all');
  expect((await one.query({ name: 'kept', text: 'select $1::int as a', values: [7] })).rows).toEqual([{ a: 7 }]);
});

test('settings belong to the connection that set them', async () => {
  const [one, two] = [await connect(database), await connect(database, { application_name: 'two' })];
  const show = async (who: pg.Client, name: string) => (await who.query(`show ${name}`)).rows[0][name];
  await one.query("set work_mem = '8MB'");
  await one.query("select set_config('search_path', 'pg_catalog', false)");
  expect(await show(two, 'work_mem')).toBe('4MB');
  expect(await show(two, 'search_path')).toBe('public');
  expect(await show(two, 'application_name')).toBe('two');
  expect(await show(one, 'work_mem')).toBe('8MB');
  expect(await show(one, 'search_path')).toBe('pg_catalog');
  expect(await show(one, 'application_name')).toBe('');
});

test('reverts settings of a rolled-back transaction, and local ones', async () => {
  const [one, two] = [await connect(database), await connect(database)];
  await one.query("begin; set work_mem = '9MB'; rollback");
  await one.query("begin; set local maintenance_work_mem = '9MB'; commit");
  await two.query("set work_mem = '10MB'");
  expect((await one.query('show work_mem')).rows).toEqual([{ work_mem: '4MB' }]);
  expect((await one.query('show maintenance_work_mem')).rows).toEqual([{ maintenance_work_mem: '64MB' }]);
});

test('custom settings, and those set by code, belong to their connection', async () => {
  const [one, two] = [await connect(database), await connect(database)];
  const tenant = async (who: pg.Client) =>
    (await who.query("select current_setting('app.tenant', true) as tenant")).rows[0].tenant || null;
  await one.query("set app.tenant = 'one'");
  expect(await tenant(two)).toBe(null);
  await two.query("select set_config('app.tenant', $1, false)", ['two']);
  expect(await tenant(one)).toBe('one');
  expect(await tenant(two)).toBe('two');
  await one.query("do $$ begin execute 'set work_mem = ''11MB'''; end $$");
  expect((await two.query('show work_mem')).rows).toEqual([{ work_mem: '4MB' }]);
  expect((await one.query('show work_mem')).rows).toEqual([{ work_mem: '11MB' }]);
});

test('a prepared statement that sets a setting sets it for its connection, each time', async () => {
  const [one, two] = [await connect(database), await connect(database)];
  const set = (value: string) =>
    one.query({ name: 'set', text: "select set_config('work_mem', $1, false)", values: [value] });
  await set('12MB');
  await two.query('select 1');
  await set('13MB');
  expect((await two.query('show work_mem')).rows).toEqual([{ work_mem: '4MB' }]);
  expect((await one.query('show work_mem')).rows).toEqual([{ work_mem: '13MB' }]);
});

test('role and session user belong to their connection', async () => {
  const [one, two] = [await connect(database), await connect(database)];
  await one.query('create role guest');
  const who = async (of: pg.Client) => Object.values((await of.query('select session_user, current_user')).rows[0]);
  await one.query('set role guest');
  expect(await who(two)).toEqual(['postgres', 'postgres']);
  expect(await who(one)).toEqual(['postgres', 'guest']);
  await one.query('set session authorization guest');
  expect(await who(two)).toEqual(['postgres', 'postgres']);
  expect(await who(one)).toEqual(['guest', 'guest']);
  await one.end();
  expect(await who(two)).toEqual(['postgres', 'postgres']);
});

test('a client that disconnects in a transaction leaves neither settings nor locks', async () => {
  const [one, two] = [await connect(database), await connect(database)];
  await one.query("set work_mem = '14MB'");
  await one.query('begin; reset work_mem');
  await one.query('select pg_advisory_lock(3)');
  disconnect(one);
  expect((await two.query('show work_mem')).rows).toEqual([{ work_mem: '4MB' }]);
  expect((await two.query("select from pg_locks where locktype = 'advisory'")).rowCount).toBe(0);
});

test('drops temporary tables, held cursors and the like with the last connection that created any', async () => {
  const made =
    'create temp table scratch (id int); declare held cursor with hold for select 1; prepare known as select 1';
  const one = await connect(database);
  const other = await connect(database);
  await other.query({ name: 'kept', text: 'select $1::int as a', values: [1] });
  await one.query(made);
  await one.end();
  await expect.poll(async () => (await errorOf(other.query('select * from scratch'))).code).toBe('42P01');
  await other.query(made);
  expect((await other.query({ name: 'kept', text: 'select $1::int as a', values: [7] })).rows).toEqual([{ a: 7 }]);
});

test('an unnamed statement survives internal queries in between', async () => {
  const parse = wire.message(
    'P',
    wire.cstring(''),
    wire.cstring("select set_config('a.b', 'c', false)"),
    Buffer.from([0, 0]),
  );
  const bind = wire.message('B', wire.cstring(''), wire.cstring(''), Buffer.alloc(6));
  const execute = wire.message('E', wire.cstring(''), wire.int32(0));
  const ask = Buffer.concat([bind, execute, wire.sync()]);
  const types = await sendRaw([parse, wire.sync(), ask, ask], 3);
  expect(types.join('')).toBe('1Z2DCZ2DCZ');
});

test('a duration in a startup packet may have a unit', async () => {
  const one = await connect(database, { options: '-c statement_timeout=1min -c lock_timeout=2s' });
  expect((await one.query('select 1 as a, pg_sleep(0.01)')).rows).toMatchObject([{ a: 1 }]);
  expect(database.health().restarts).toBe(0);
});

test('a startup packet sets the settings of PGOPTIONS', async () => {
  const one = await connect(database, { options: '-c work_mem=7MB --statement-timeout=9000' });
  expect((await one.query('show work_mem')).rows).toEqual([{ work_mem: '7MB' }]);
  expect((await one.query('show statement_timeout')).rows).toEqual([{ statement_timeout: '9s' }]);
});

test('one connection at a time holds session-level advisory locks: others wait, or are refused', async () => {
  const [one, two] = [await connect(database), await connect(database)];
  await one.query('select pg_advisory_lock(1)');
  expect((await errorOf(two.query('select pg_try_advisory_lock(1)'))).code).toBe('55P03');
  expect((await two.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
  let isGranted = false;
  const waiting = two.query('select pg_advisory_lock($1)', [1]).then(() => {
    isGranted = true;
  });
  await one.query('select 1');
  expect(isGranted).toBe(false);
  await one.query('select pg_advisory_unlock(1)');
  await waiting;
  await two.end();
  // The server releases the locks a moment after the client has disconnected, so this waits.
  expect((await one.query('select pg_advisory_lock(1)')).rowCount).toBe(1);
});

test('a transaction-level advisory lock is released with its transaction', async () => {
  const [one, two] = [await connect(database), await connect(database)];
  await one.query('begin; select pg_advisory_xact_lock(2)');
  const waiting = two.query('select pg_try_advisory_xact_lock(2) as got');
  await one.query('commit');
  expect((await waiting).rows).toEqual([{ got: true }]);
});

test('handles statements and results larger than a chunk of the socket', async () => {
  const one = await connect(database);
  const text = 'ä'.repeat(3_000_000);
  const { rows } = await one.query('select $1::text as text, length($1) as n', [text]);
  expect(rows[0].n).toBe(3_000_000);
  expect(rows[0].text === text).toBe(true);
  const many = await one.query("select i, repeat('x', 100) from generate_series(1, 100000) i");
  expect(many.rowCount).toBe(100_000);
});

test('an error in pipelined messages skips to their Sync, and no further', async () => {
  const parse = (sql: string) => wire.message('P', wire.cstring(''), wire.cstring(sql), Buffer.from([0, 0]));
  const bind = wire.message('B', wire.cstring(''), wire.cstring(''), Buffer.alloc(6));
  const execute = wire.message('E', wire.cstring(''), wire.int32(0));
  const ask = (sql: string) => Buffer.concat([parse(sql), bind, execute]);
  const types = await sendRaw(
    [ask('select 1/0'), ask("insert into item (name) values ('skipped')"), wire.sync(), ask('select 5'), wire.sync()],
    2,
  );
  expect(types.join('')).toBe('1EZ12DCZ');
  const one = await connect(database);
  expect((await one.query("select * from item where name = 'skipped'")).rows).toEqual([]);
});

test('an unnamed statement survives a parse of another client before its bind', async () => {
  const parse = wire.message('P', wire.cstring(''), wire.cstring("select 'mine'"), Buffer.from([0, 0]));
  const bind = wire.message('B', wire.cstring(''), wire.cstring(''), Buffer.alloc(6));
  const execute = wire.message('E', wire.cstring(''), wire.int32(0));
  const other = await connect(database);
  const types = await sendRaw(
    [Buffer.concat([parse, wire.sync()])],
    1,
    async (send) => {
      await other.query('select $1::int', [1]);
      send(Buffer.concat([bind, execute, wire.sync()]));
    },
    1,
  );
  expect(types.join('')).toBe('1Z2DCZ');
});

test('messages that end in Flush are processed at once, and hold the session until Sync', async () => {
  const parse = wire.message('P', wire.cstring(''), wire.cstring('select generate_series(1, 3)'), Buffer.from([0, 0]));
  const bind = wire.message('B', wire.cstring('rows'), wire.cstring(''), Buffer.alloc(6));
  const two = wire.message('E', wire.cstring('rows'), wire.int32(2));
  const rest = wire.message('E', wire.cstring('rows'), wire.int32(0));
  const types = await sendRaw([parse, bind, two, wire.message('H'), rest, wire.message('H'), wire.sync()], 1);
  expect(types.join('')).toBe('12DDsDCZ');
});

test('copies rows in and out with COPY', async () => {
  const one = await connect(database);
  await one.query('create table copied (id int, name text)');
  const rows = Array.from({ length: 50_000 }, (_, i) => `${i}\tname ${i}\n`);
  const data: Buffer[] = [];
  for (let i = 0; i < rows.length; i += 1000)
    data.push(wire.message('d', Buffer.from(rows.slice(i, i + 1000).join(''))));
  const taken = await sendRaw(
    [wire.query('copy copied from stdin')],
    0,
    async (send) => {
      for (const chunk of data) send(chunk);
      send(wire.message('c'));
    },
    1,
  );
  expect(taken.join('')).toBe('GCZ');
  expect((await one.query('select count(*)::int as n, max(id) as last from copied')).rows).toEqual([
    { n: 50_000, last: 49_999 },
  ]);
  const given = await sendRaw([wire.query('copy copied to stdout')], 1);
  expect(given.filter((type) => type === 'd')).toHaveLength(50_000);
});

test('a COPY with an invalid row fails as a whole, and the connection remains usable', async () => {
  const one = await connect(database);
  await one.query('create table picky (id int)');
  const types = await sendRaw(
    [wire.query('copy picky from stdin')],
    0,
    async (send) => {
      send(wire.message('d', Buffer.from('1\nx\n2\n')));
      send(wire.message('c'));
      send(wire.query('select 1'));
    },
    2,
  );
  expect(types.join('')).toBe('GEZTDCZ');
  expect((await one.query('select * from picky')).rows).toEqual([]);
});

test('discards the COPY of a client that disconnects', async () => {
  const one = await connect(database);
  await one.query('create table half (id int)');
  await sendRaw([wire.query('copy half from stdin'), wire.message('d', Buffer.from('1\n'))], 0);
  expect((await one.query('select * from half')).rows).toEqual([]);
});

test('declines SSL, and the client may continue without', async () => {
  const one = await connect(database);
  const response = await new Promise<string>((resolve) => {
    const socket = createConnection(`${database.connection.host}/.s.PGSQL.${database.connection.port}`);
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString());
    });
    socket.write(Buffer.concat([wire.int32(8), wire.int32(80877103)]));
  });
  expect(response).toBe('N');
  expect((await one.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
});

test('refuses an unknown database by name', async () => {
  const refused = errorOf(connect(database, { database: 'blog' }));
  expect(await refused).toMatchObject({ code: '3D000', message: expect.stringContaining('"blog"') });
});

test('requires the password over TCP', async () => {
  const guarded = await openTestDatabase({ useTcp: true });
  expect(guarded.connection.host).toBe('127.0.0.1');
  expect((await (await connect(guarded)).query('select 1 as a')).rows).toEqual([{ a: 1 }]);
  expect((await errorOf(connect(guarded, { password: 'guess' }))).code).toBe('28P01');
});

test('a pool mixing transactions, named and plain queries gets the right result for each', async () => {
  const pool = new pg.Pool({ ...clientConfig(database), max: 8 });
  await pool.query('create table tally (id int primary key, n int)');
  await pool.query('insert into tally select i, 0 from generate_series(0, 9) i');
  const work = Array.from({ length: 400 }, async (_, i) => {
    if (i % 4 === 0) return (await pool.query('select $1::int as v', [i])).rows[0].v === i;
    if (i % 4 === 1)
      return (
        (await pool.query({ name: `n${i % 7}`, text: `select $1::int + ${i % 7} as v`, values: [i] })).rows[0].v ===
        i + (i % 7)
      );
    if (i % 4 === 2) return (await errorOf(pool.query('select 1/0'))).code === '22012';
    const one = await pool.connect();
    try {
      await one.query('begin');
      const { n } = (await one.query('select n from tally where id = $1', [i % 10])).rows[0];
      await one.query('update tally set n = $2 where id = $1', [i % 10, n + 1]);
      await one.query('commit');
      return true;
    } finally {
      one.release();
    }
  });
  expect(await Promise.all(work)).not.toContain(false);
  expect((await pool.query('select sum(n)::int as n from tally')).rows).toEqual([{ n: 100 }]);
  await pool.end();
});

const streamOf = (one: pg.Client) => (one as unknown as { connection: { stream: Socket } }).connection.stream;
const disconnect = (one: pg.Client) => streamOf(one).destroy();

/** A socket after startup, for tests that speak the protocol themselves. */
async function rawConnection(): Promise<Socket> {
  const socket = createConnection(`${database.connection.host}/.s.PGSQL.${database.connection.port}`);
  onTestFinished(() => void socket.destroy());
  socket.write(wire.startupMessage('user', 'postgres'));
  await new Promise((resolve) => socket.once('data', resolve));
  return socket;
}

/** Sends messages; returns the types of the response up to the last ReadyForQuery, without those of the startup. */
async function sendRaw(
  messages: Buffer[],
  readies: number,
  then?: (send: (bytes: Buffer) => void) => Promise<void>,
  moreReadies = 0,
): Promise<string[]> {
  const socket = createConnection(`${database.connection.host}/.s.PGSQL.${database.connection.port}`);
  const reader = new wire.MessageReader();
  const types: string[] = [];
  socket.write(wire.startupMessage('user', 'postgres'));
  let check = () => {};
  const until = (reached: () => boolean) =>
    new Promise<void>((resolve) => {
      check = () => reached() && resolve();
      check();
    });
  socket.on('data', (chunk) => {
    reader.push(chunk);
    for (let message = reader.next(); message !== undefined; message = reader.next()) types.push(message.type);
    check();
  });
  await until(() => types.includes('Z'));
  const start = types.length;
  const seen = () => types.slice(start);
  const count = () => seen().filter((type) => type === 'Z').length;
  socket.write(Buffer.concat(messages));
  await until(() => (readies > 0 ? count() >= readies : seen().length > 0));
  await then?.((bytes) => socket.write(bytes));
  await until(() => count() >= readies + moreReadies);
  socket.destroy();
  return seen();
}
