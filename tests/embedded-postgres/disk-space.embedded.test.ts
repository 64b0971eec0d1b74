import { expect, test } from 'vitest';
import { connect, errorOf, openTestDatabase } from './test-database.ts';

test('a nearly full disk refuses writes and serves reads until there is space', async () => {
  let megabytes = 500;
  const lines: string[] = [];
  const freeSpace = () => Promise.resolve(megabytes * 1024 * 1024);
  const database = await openTestDatabase({ freeSpace, log: (line) => lines.push(line) });
  const one = await connect(database);
  await one.query('create table t as select 1 as id');
  megabytes = 20;
  await expect.poll(() => lines.length, { timeout: 20_000 }).toBe(1);
  expect(await errorOf(one.query('insert into t values (2)'))).toMatchObject({
    code: '53100',
    message: 'The disk is nearly full: 20 MB free. Writes resume at 64 MB.',
  });
  expect((await one.query('select * from t')).rows).toEqual([{ id: 1 }]);
  megabytes = 100;
  await expect.poll(() => lines.length, { timeout: 20_000 }).toBe(2);
  await one.query('insert into t values (3)');
  expect((await one.query('select * from t')).rows).toEqual([{ id: 1 }, { id: 3 }]);
});
