import { expect, test } from 'vitest';
import { aFolder, client, failure, opened } from './opened.ts';

const RUNAWAY = 'select count(*) from generate_series(1, 100000000000)';

test('a runaway statement is ended at the deadline, and the next one works on the same connection', async () => {
  const database = await opened({ folder: aFolder(), statementTimeout: 3000 });
  const one = await client(database);
  await one.query('create table kept as select 1 as id');
  expect((await failure(one.query(RUNAWAY))).code).toBe('57014');
  expect((await one.query('select * from kept')).rows).toEqual([{ id: 1 }]);
  expect(database.health().restarts).toBe(1);
});

test('the others lose nothing but time: their settings and prepared statements are there after the restart', async () => {
  const database = await opened({ folder: aFolder() });
  const [runs, waits] = [await client(database, { statement_timeout: 300 }), await client(database)];
  await waits.query("set work_mem = '8MB'");
  const prepared = () =>
    waits.query({ name: 'kept', text: "select $1::int as a, current_setting('work_mem') as m", values: [5] });
  await prepared();
  const ended = failure(runs.query(RUNAWAY));
  expect((await prepared()).rows).toEqual([{ a: 5, m: '8MB' }]);
  expect((await ended).code).toBe('57014');
});

test('a transaction whose statement is ended is over, and its connection with it', async () => {
  const database = await opened({ folder: aFolder() });
  const one = await client(database);
  await one.query('create table t (id int)');
  await one.query('begin');
  await one.query('insert into t values (1)');
  await one.query('set local statement_timeout = 300');
  expect((await failure(one.query(RUNAWAY))).code).toBe('57014');
  expect((await failure(one.query('select 1'))).message).toMatch(/not queryable|connection error|terminated/i);
  expect((await (await client(database)).query('select * from t')).rows).toEqual([]);
});

test('a connection may set a longer deadline for itself, or a shorter one', async () => {
  const database = await opened({ folder: aFolder(), statementTimeout: 200 });
  const patient = await client(database, { statement_timeout: 60_000 });
  const slow = 'select count(*)::int as n from generate_series(1, 3000000)';
  expect((await patient.query(slow)).rows).toEqual([{ n: 3_000_000 }]);
  await patient.query("begin; set local statement_timeout = '250ms'; commit");
  expect((await patient.query(slow)).rows).toEqual([{ n: 3_000_000 }]);
  const hasty = await client(database, { statement_timeout: 100 });
  expect((await failure(hasty.query(RUNAWAY))).message).toContain('100 ms');
});

test('a client can cancel what it runs', async () => {
  const database = await opened({ folder: aFolder() });
  const [one, two] = [await client(database), await client(database)];
  const running = failure(one.query(RUNAWAY));
  await expect.poll(() => database.health().busyFor).toBeGreaterThan(0);
  const { processID, secretKey } = one as unknown as { processID: number; secretKey: number };
  const { createConnection } = await import('node:net');
  const { int32 } = await import('../../src/embedded-postgres/protocol.ts');
  const { host, port } = database.connection;
  createConnection(`${host}/.s.PGSQL.${port}`).end(
    Buffer.concat([int32(16), int32(80877102), int32(processID), int32(secretKey)]),
  );
  expect((await running).code).toBe('57014');
  expect((await two.query('select 1 as a')).rows).toEqual([{ a: 1 }]);
});

test('while a statement runs on and on, the event loop turns and the database says that it is not ready', async () => {
  const database = await opened({ folder: aFolder(), statementTimeout: 4000 });
  const one = await client(database);
  const running = failure(one.query(RUNAWAY));
  await expect.poll(() => database.health().isReady, { timeout: 10_000 }).toBe(false);
  expect((await running).code).toBe('57014');
  await expect.poll(() => database.health().isReady, { timeout: 10_000 }).toBe(true);
});

test('closing tells every connection that the database shuts down', async () => {
  const database = await opened();
  const one = await client(database);
  const told = Promise.withResolvers<Error & { code?: string }>();
  one.on('error', told.resolve);
  await database.close();
  expect((await told.promise).code).toBe('57P01');
});
