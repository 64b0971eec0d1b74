import { once } from 'node:events';
import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import type { EmbeddedDatabase } from '../../src/embedded-postgres/embedded-database.ts';
import { int32 } from '../../src/embedded-postgres/protocol.ts';
import { connect, errorOf, openTestDatabase, tempFolder } from './test-database.ts';

const RUNAWAY = 'select count(*) from generate_series(1, 100000000000)';

test('a statement is cancelled at its timeout, and the next one works on the same connection', async () => {
  const database = await openTestDatabase({ folder: tempFolder(), statementTimeout: 3000 });
  const one = await connect(database);
  await one.query('create table kept as select 1 as id');
  expect((await errorOf(one.query(RUNAWAY))).code).toBe('57014');
  expect((await one.query('select * from kept')).rows).toEqual([{ id: 1 }]);
  expect(database.health().restarts).toBe(1);
});

test('other connections keep their settings and prepared statements over the restart', async () => {
  const database = await openTestDatabase({ folder: tempFolder() });
  const [slow, waiting] = [await connect(database, { statement_timeout: 300 }), await connect(database)];
  await waiting.query("set work_mem = '8MB'");
  const prepared = () =>
    waiting.query({ name: 'kept', text: "select $1::int as a, current_setting('work_mem') as m", values: [5] });
  await prepared();
  const ended = errorOf(slow.query(RUNAWAY));
  expect((await prepared()).rows).toEqual([{ a: 5, m: '8MB' }]);
  expect((await ended).code).toBe('57014');
});

test('a timeout in a transaction ends the transaction and its connection', async () => {
  const database = await openTestDatabase({ folder: tempFolder() });
  const one = await connect(database);
  await one.query('create table t (id int)');
  await one.query('begin');
  await one.query('insert into t values (1)');
  await one.query('set local statement_timeout = 300');
  expect((await errorOf(one.query(RUNAWAY))).code).toBe('57014');
  expect((await errorOf(one.query('select 1'))).message).toMatch(/not queryable|connection error|terminated/i);
  expect((await (await connect(database)).query('select * from t')).rows).toEqual([]);
});

test('a connection may set a longer or a shorter timeout', async () => {
  const database = await openTestDatabase({ folder: tempFolder(), statementTimeout: 200 });
  const patient = await connect(database, { statement_timeout: 60_000 });
  const slow = 'select count(*)::int as n from generate_series(1, 3000000)';
  expect((await patient.query(slow)).rows).toEqual([{ n: 3_000_000 }]);
  await patient.query("begin; set local statement_timeout = '250ms'; commit");
  expect((await patient.query(slow)).rows).toEqual([{ n: 3_000_000 }]);
  const hasty = await connect(database, { statement_timeout: 100 });
  expect((await errorOf(hasty.query(RUNAWAY))).message).toContain('100 ms');
});

test('a client can cancel its statement', async () => {
  const database = await openTestDatabase({ folder: tempFolder() });
  const [one, two] = [await connect(database), await connect(database)];
  const running = errorOf(one.query(RUNAWAY));
  await expect.poll(() => database.health().busyFor).toBeGreaterThan(0);
  const { processID, secretKey } = keysOf(one);
  await requestCancel(database, processID, secretKey);
  expect((await running).message).toContain('on request');
  expect((await two.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
});

test('a cancelled statement that is nearly done ends as usual, so that other clients need not wait for a restart', async () => {
  const database = await openTestDatabase({ folder: tempFolder() });
  const one = await connect(database);
  const running = one.query('select count(*)::int as n from generate_series(1, 200000)');
  await expect.poll(() => database.health().busyFor, { interval: 1 }).toBeGreaterThan(0);
  const { processID, secretKey } = keysOf(one);
  await requestCancel(database, processID, secretKey);
  expect((await running).rows).toEqual([{ n: 200_000 }]);
  expect(database.health().restarts).toBe(0);
});

test('a statement is not cancelled without the secret of its connection', async () => {
  const database = await openTestDatabase({ folder: tempFolder(), statementTimeout: 2000 });
  const [one, two] = [await connect(database), await connect(database)];
  const running = errorOf(one.query(RUNAWAY));
  await expect.poll(() => database.health().busyFor).toBeGreaterThan(0);
  const { processID, secretKey } = keysOf(one);
  for (const other of [0, 1, secretKey ^ 1, keysOf(two).secretKey]) await requestCancel(database, processID, other);
  expect((await running).message).toContain('its timeout of 2000 ms');
});

interface Keys {
  readonly processID: number;
  readonly secretKey: number;
}

/** The types of pg leave them out. */
const keysOf = (client: unknown) => client as Keys;

async function requestCancel({ connection }: EmbeddedDatabase, processID: number, secretKey: number): Promise<void> {
  const socket = createConnection(`${connection.host}/.s.PGSQL.${connection.port}`);
  socket.end(Buffer.concat([int32(16), int32(80877102), int32(processID), int32(secretKey)]));
  await once(socket.resume(), 'close');
}

test('a long statement makes the database unready but does not block the event loop', async () => {
  const database = await openTestDatabase({ folder: tempFolder(), statementTimeout: 4000 });
  const one = await connect(database);
  const running = errorOf(one.query(RUNAWAY));
  await expect.poll(() => database.health().isReady, { timeout: 10_000 }).toBe(false);
  expect((await running).code).toBe('57014');
  await expect.poll(() => database.health().isReady, { timeout: 10_000 }).toBe(true);
});

test('closing sends every connection an admin shutdown error', async () => {
  const database = await openTestDatabase();
  const one = await connect(database);
  const received = Promise.withResolvers<Error & { code?: string }>();
  one.on('error', received.resolve);
  await database.close();
  expect((await received.promise).code).toBe('57P01');
});
