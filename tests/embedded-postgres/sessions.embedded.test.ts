import { createConnection, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type EmbeddedDatabase, openEmbeddedDatabase } from '../../src/embedded-postgres/embedded-database.ts';
import * as wire from '../../src/embedded-postgres/protocol.ts';
import { address, client, failure, opened } from './opened.ts';

let database: EmbeddedDatabase;
beforeAll(async () => {
  database = await openEmbeddedDatabase({ folder: 'memory', queueTimeout: 30_000, idleInTransactionTimeout: 1000 });
  const setUp = new pg.Client(address(database));
  await setUp.connect();
  await setUp.query('create table item (id int generated always as identity primary key, name text)');
  await setUp.end();
}, 60_000);
afterAll(() => database.close({ transactionTimeout: 0 }));

test('a client asks, with and without parameters, and is told the faults of its statements', async () => {
  const one = await client(database);
  expect(
    ((await one.query('select 1 as a; select 2 as a')) as unknown as pg.QueryResult[]).map(({ rows }) => rows),
  ).toEqual([[{ a: 1 }], [{ a: 2 }]]);
  expect((await one.query('select $1::int + 1 as b', [41])).rows).toEqual([{ b: 42 }]);
  expect((await failure(one.query('select $1::int', ['x']))).code).toBe('22P02');
  expect((await failure(one.query('selec'))).code).toBe('42601');
  expect((await one.query('select 3 as c')).rows).toEqual([{ c: 3 }]);
});

test('thousands of failed statements, and a few that fail deep down, leave room for the next ones', async () => {
  const one = await client(database);
  await one.query('create table once (id int primary key); insert into once values (1)');
  for (let i = 0; i < 2500; i += 1) {
    expect((await failure(one.query('insert into once values (1)'))).code).toBe('23505');
  }
  for (let i = 0; i < 3; i += 1) {
    expect((await failure(one.query("select repeat('(', 100000)::tsquery"))).code).toBe('54001');
  }
  expect((await one.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
});

test('a statement that nests too deep is refused, and nothing restarts', async () => {
  const own = await opened();
  const one = await client(own);
  await one.query('create function down(i int) returns int language plpgsql as $$ begin return down(i + 1); end $$');
  expect((await failure(one.query('select down(1)'))).code).toBe('54001');
  expect((await failure(one.query(`select ${'1+'.repeat(200_000)}1`))).code).toBe('54001');
  expect(own.health().restarts).toBe(0);
});

test('a transaction is alone: what others send meanwhile runs after it', async () => {
  const [one, two] = [await client(database), await client(database)];
  await one.query('begin');
  await one.query("insert into item (name) values ('alone')");
  const waiting = two.query("select count(*)::int as n from item where name = 'alone'");
  await one.query("insert into item (name) values ('alone')");
  await one.query('commit');
  expect((await waiting).rows).toEqual([{ n: 2 }]);
});

test('a client that goes away in its transaction leaves nothing of it', async () => {
  const [one, two] = [await client(database), await client(database)];
  await one.query('begin');
  await one.query("insert into item (name) values ('dropped')");
  vanish(one);
  expect((await two.query("select * from item where name = 'dropped'")).rows).toEqual([]);
});

test('a transaction that does nothing while others wait is ended, and they go on', async () => {
  const [idle, waits] = [await client(database), await client(database)];
  await idle.query('begin');
  expect((await waits.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
  expect((await failure(idle.query('select 1'))).message).toMatch(/terminated|not queryable|connection error/i);
});

test('nor can a client hold up the others that takes none of its answer, or sends none of its COPY', async () => {
  const waits = await client(database);
  const deaf = await client(database, { statement_timeout: 60_000 });
  await deaf.query('begin');
  streamOf(deaf).pause();
  const answer = failure(deaf.query("select repeat('x', 1000) from generate_series(1, 50000)"));
  expect((await waits.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
  vanish(deaf);
  await answer;

  await waits.query('create table slow (id int)');
  const socket = await greeted();
  socket.write(Buffer.concat([wire.query('set statement_timeout = 0'), wire.query('copy slow from stdin')]));
  await new Promise((resolve) => socket.once('data', resolve));
  expect((await waits.query('select * from slow')).rows).toEqual([]);
  expect(database.health().restarts).toBe(0);
});

test('who waits too long for a busy transaction is refused in a way that can be tried again', async () => {
  const short = await opened({ queueTimeout: 200 });
  const [busy, waits] = [await client(short), await client(short)];
  await busy.query('begin');
  const refused = failure(waits.query('select 1'));
  expect((await refused).code).toBe('55P03');
  await busy.query('commit');
  expect((await waits.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
});

test('prepared statements of one name are different ones in different connections', async () => {
  const [one, two] = [await client(database), await client(database)];
  const ask = (who: pg.Client, text: string) => who.query({ name: 'same', text, values: [1] });
  expect((await ask(one, 'select $1::int as one')).rows).toEqual([{ one: 1 }]);
  expect((await ask(two, 'select $1::int as two')).rows).toEqual([{ two: 1 }]);
  expect((await ask(one, 'select $1::int as one')).rows).toEqual([{ one: 1 }]);
});

test('names of statements that are too long for PostgreSQL stay apart', async () => {
  const one = await client(database);
  const name = 'x'.repeat(70);
  await one.query({ name: `${name}1`, text: 'select 1 as a', values: [] });
  expect((await one.query({ name: `${name}2`, text: 'select 2 as a', values: [] })).rows).toEqual([{ a: 2 }]);
});

test("one connection's `discard all` leaves the others their prepared statements", async () => {
  const [one, two] = [await client(database), await client(database)];
  await one.query({ name: 'kept', text: 'select $1::int as a', values: [1] });
  await two.query('discard all');
  expect((await one.query({ name: 'kept', text: 'select $1::int as a', values: [7] })).rows).toEqual([{ a: 7 }]);
});

test('settings belong to the connection that made them', async () => {
  const [one, two] = [await client(database), await client(database, { application_name: 'two' })];
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

test('a setting made in a transaction that is rolled back, or only for it, is gone after it', async () => {
  const [one, two] = [await client(database), await client(database)];
  await one.query("begin; set work_mem = '9MB'; rollback");
  await one.query("begin; set local maintenance_work_mem = '9MB'; commit");
  await two.query("set work_mem = '10MB'");
  expect((await one.query('show work_mem')).rows).toEqual([{ work_mem: '4MB' }]);
  expect((await one.query('show maintenance_work_mem')).rows).toEqual([{ maintenance_work_mem: '64MB' }]);
});

test('settings of a client’s own making, and those that code makes, belong to its connection too', async () => {
  const [one, two] = [await client(database), await client(database)];
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

test('a prepared statement that makes a setting makes it for its connection, each time', async () => {
  const [one, two] = [await client(database), await client(database)];
  const set = (value: string) =>
    one.query({ name: 'set', text: "select set_config('work_mem', $1, false)", values: [value] });
  await set('12MB');
  await two.query('select 1');
  await set('13MB');
  expect((await two.query('show work_mem')).rows).toEqual([{ work_mem: '4MB' }]);
  expect((await one.query('show work_mem')).rows).toEqual([{ work_mem: '13MB' }]);
});

test('who takes on another role, or another user, takes nobody along', async () => {
  const [one, two] = [await client(database), await client(database)];
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

test('a client that goes away in its transaction leaves neither the settings nor the locks it made there', async () => {
  const [one, two] = [await client(database), await client(database)];
  await one.query("set work_mem = '14MB'");
  await one.query('begin; reset work_mem');
  await one.query('select pg_advisory_lock(3)');
  vanish(one);
  expect((await two.query('show work_mem')).rows).toEqual([{ work_mem: '4MB' }]);
  expect((await two.query("select from pg_locks where locktype = 'advisory'")).rowCount).toBe(0);
});

test('temporary tables, held cursors and the like go with the last connection that made any', async () => {
  const made =
    'create temp table scratch (id int); declare held cursor with hold for select 1; prepare known as select 1';
  const one = await client(database);
  const other = await client(database);
  await other.query({ name: 'kept', text: 'select $1::int as a', values: [1] });
  await one.query(made);
  await one.end();
  await expect.poll(async () => (await failure(other.query('select * from scratch'))).code).toBe('42P01');
  await other.query(made);
  expect((await other.query({ name: 'kept', text: 'select $1::int as a', values: [7] })).rows).toEqual([{ a: 7 }]);
});

test('an unnamed statement survives what the house asks in between', async () => {
  const parse = wire.message(
    'P',
    wire.cstring(''),
    wire.cstring("select set_config('a.b', 'c', false)"),
    Buffer.from([0, 0]),
  );
  const bind = wire.message('B', wire.cstring(''), wire.cstring(''), Buffer.alloc(6));
  const execute = wire.message('E', wire.cstring(''), wire.int32(0));
  const ask = Buffer.concat([bind, execute, wire.sync()]);
  const answers = await rawly([parse, wire.sync(), ask, ask], 3);
  expect(answers.join('')).toBe('1Z2DCZ2DCZ');
});

test('a time in a startup packet may have a unit', async () => {
  const one = await client(database, { options: '-c statement_timeout=1min -c lock_timeout=2s' });
  expect((await one.query('select 1 as a, pg_sleep(0.01)')).rows).toMatchObject([{ a: 1 }]);
  expect(database.health().restarts).toBe(0);
});

test('a startup packet sets what PGOPTIONS would', async () => {
  const one = await client(database, { options: '-c work_mem=7MB --statement-timeout=9000' });
  expect((await one.query('show work_mem')).rows).toEqual([{ work_mem: '7MB' }]);
  expect((await one.query('show statement_timeout')).rows).toEqual([{ statement_timeout: '9s' }]);
});

test('session-level advisory locks are one connection’s at a time: another waits for them, or is refused', async () => {
  const [one, two] = [await client(database), await client(database)];
  await one.query('select pg_advisory_lock(1)');
  expect((await failure(two.query('select pg_try_advisory_lock(1)'))).code).toBe('55P03');
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
  // A connection that ends gives its locks back, a moment after its client has left: so this waits for it.
  expect((await one.query('select pg_advisory_lock(1)')).rowCount).toBe(1);
});

test('an advisory lock of a transaction goes with it', async () => {
  const [one, two] = [await client(database), await client(database)];
  await one.query('begin; select pg_advisory_xact_lock(2)');
  const waiting = two.query('select pg_try_advisory_xact_lock(2) as got');
  await one.query('commit');
  expect((await waiting).rows).toEqual([{ got: true }]);
});

test('a large statement arrives in many pieces, and a large answer leaves in many', async () => {
  const one = await client(database);
  const text = 'ä'.repeat(3_000_000);
  const { rows } = await one.query('select $1::text as text, length($1) as n', [text]);
  expect(rows[0].n).toBe(3_000_000);
  expect(rows[0].text === text).toBe(true);
  const many = await one.query("select i, repeat('x', 100) from generate_series(1, 100000) i");
  expect(many.rowCount).toBe(100_000);
});

test('a fault in the middle of pipelined messages skips to their Sync, and no further', async () => {
  const parse = (sql: string) => wire.message('P', wire.cstring(''), wire.cstring(sql), Buffer.from([0, 0]));
  const bind = wire.message('B', wire.cstring(''), wire.cstring(''), Buffer.alloc(6));
  const execute = wire.message('E', wire.cstring(''), wire.int32(0));
  const ask = (sql: string) => Buffer.concat([parse(sql), bind, execute]);
  const answers = await rawly(
    [ask('select 1/0'), ask("insert into item (name) values ('skipped')"), wire.sync(), ask('select 5'), wire.sync()],
    2,
  );
  expect(answers.join('')).toBe('1EZ12DCZ');
  const one = await client(database);
  expect((await one.query("select * from item where name = 'skipped'")).rows).toEqual([]);
});

test('an unnamed statement survives what others parse between its parse and its bind', async () => {
  const parse = wire.message('P', wire.cstring(''), wire.cstring("select 'mine'"), Buffer.from([0, 0]));
  const bind = wire.message('B', wire.cstring(''), wire.cstring(''), Buffer.alloc(6));
  const execute = wire.message('E', wire.cstring(''), wire.int32(0));
  const other = await client(database);
  const answers = await rawly(
    [Buffer.concat([parse, wire.sync()])],
    1,
    async (send) => {
      await other.query('select $1::int', [1]);
      send(Buffer.concat([bind, execute, wire.sync()]));
    },
    1,
  );
  expect(answers.join('')).toBe('1Z2DCZ');
});

test('messages that end in Flush are answered at once, and the session is theirs until Sync', async () => {
  const parse = wire.message('P', wire.cstring(''), wire.cstring('select generate_series(1, 3)'), Buffer.from([0, 0]));
  const bind = wire.message('B', wire.cstring('rows'), wire.cstring(''), Buffer.alloc(6));
  const two = wire.message('E', wire.cstring('rows'), wire.int32(2));
  const rest = wire.message('E', wire.cstring('rows'), wire.int32(0));
  const answers = await rawly([parse, bind, two, wire.message('H'), rest, wire.message('H'), wire.sync()], 1);
  expect(answers.join('')).toBe('12DDsDCZ');
});

test('COPY takes rows in and gives them out', async () => {
  const one = await client(database);
  await one.query('create table copied (id int, name text)');
  const rows = Array.from({ length: 50_000 }, (_, i) => `${i}\tname ${i}\n`);
  const data: Buffer[] = [];
  for (let i = 0; i < rows.length; i += 1000)
    data.push(wire.message('d', Buffer.from(rows.slice(i, i + 1000).join(''))));
  const taken = await rawly(
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
  const given = await rawly([wire.query('copy copied to stdout')], 1);
  expect(given.filter((type) => type === 'd')).toHaveLength(50_000);
});

test('a COPY with a bad row fails whole, and the connection goes on', async () => {
  const one = await client(database);
  await one.query('create table picky (id int)');
  const answers = await rawly(
    [wire.query('copy picky from stdin')],
    0,
    async (send) => {
      send(wire.message('d', Buffer.from('1\nx\n2\n')));
      send(wire.message('c'));
      send(wire.query('select 1'));
    },
    2,
  );
  expect(answers.join('')).toBe('GEZTDCZ');
  expect((await one.query('select * from picky')).rows).toEqual([]);
});

test('a client that goes away in the middle of a COPY leaves nothing of it', async () => {
  const one = await client(database);
  await one.query('create table half (id int)');
  await rawly([wire.query('copy half from stdin'), wire.message('d', Buffer.from('1\n'))], 0);
  expect((await one.query('select * from half')).rows).toEqual([]);
});

test('SSL is declined, and the client may go on without', async () => {
  const one = await client(database);
  const answer = await new Promise<string>((resolve) => {
    const socket = createConnection(`${database.connection.host}/.s.PGSQL.${database.connection.port}`);
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString());
    });
    socket.write(Buffer.concat([wire.int32(8), wire.int32(80877103)]));
  });
  expect(answer).toBe('N');
  expect((await one.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
});

test('another database than the one there is is refused by name', async () => {
  const refused = failure(client(database, { database: 'blog' }));
  expect(await refused).toMatchObject({ code: '3D000', message: expect.stringContaining('"blog"') });
});

test('over loopback, who does not know the secret stays out', async () => {
  const guarded = await opened({ useTcp: true });
  expect(guarded.connection.host).toBe('127.0.0.1');
  expect((await (await client(guarded)).query('select 1 as a')).rows).toEqual([{ a: 1 }]);
  expect((await failure(client(guarded, { password: 'guess' }))).code).toBe('28P01');
});

test('a pool of many connections mixes transactions, named and plain queries, and every answer is its own', async () => {
  const pool = new pg.Pool({ ...address(database), max: 8 });
  await pool.query('create table tally (id int primary key, n int)');
  await pool.query('insert into tally select i, 0 from generate_series(0, 9) i');
  const work = Array.from({ length: 400 }, async (_, i) => {
    if (i % 4 === 0) return (await pool.query('select $1::int as v', [i])).rows[0].v === i;
    if (i % 4 === 1)
      return (
        (await pool.query({ name: `n${i % 7}`, text: `select $1::int + ${i % 7} as v`, values: [i] })).rows[0].v ===
        i + (i % 7)
      );
    if (i % 4 === 2) return (await failure(pool.query('select 1/0'))).code === '22012';
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
const vanish = (one: pg.Client) => streamOf(one).destroy();

/** A connection that has said who it is, and speaks the protocol itself. */
async function greeted(): Promise<Socket> {
  const socket = createConnection(`${database.connection.host}/.s.PGSQL.${database.connection.port}`);
  onTestFinished(() => void socket.destroy());
  const greeting = Buffer.concat([wire.int32(3 << 16), ...['user', 'postgres', ''].map(wire.cstring)]);
  socket.write(Buffer.concat([wire.int32(greeting.length + 4), greeting]));
  await new Promise((resolve) => socket.once('data', resolve));
  return socket;
}

/** Sends bytes as they are; gives the types of the answers up to the last ReadyForQuery, without the greeting's. */
async function rawly(
  messages: Buffer[],
  readies: number,
  then?: (send: (bytes: Buffer) => void) => Promise<void>,
  moreReadies = 0,
): Promise<string[]> {
  const socket = createConnection(`${database.connection.host}/.s.PGSQL.${database.connection.port}`);
  const reader = new wire.MessageReader();
  const types: string[] = [];
  const greeting = Buffer.concat([wire.int32(3 << 16), ...['user', 'postgres', ''].map(wire.cstring)]);
  socket.write(Buffer.concat([wire.int32(greeting.length + 4), greeting]));
  let told = () => {};
  const until = (reached: () => boolean) =>
    new Promise<void>((resolve) => {
      told = () => reached() && resolve();
      told();
    });
  socket.on('data', (chunk) => {
    reader.push(chunk);
    for (let message = reader.next(); message !== undefined; message = reader.next()) types.push(message.type);
    told();
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
