import { expect, test } from 'vitest';
import { client, failure, opened } from './opened.ts';

test('on a disk that is nearly full reads go on and writes are refused, until there is space again', async () => {
  let megabytes = 500;
  const lines: string[] = [];
  const freeSpace = () => Promise.resolve(megabytes * 1024 * 1024);
  const database = await opened({ freeSpace, log: (line) => lines.push(line) });
  const one = await client(database);
  await one.query('create table t as select 1 as id');
  megabytes = 20;
  await expect.poll(() => lines.length, { timeout: 20_000 }).toBe(1);
  expect(await failure(one.query('insert into t values (2)'))).toMatchObject({
    code: '53100',
    message: 'The disk is nearly full: 20 MB free. Writes resume at 64 MB.',
  });
  expect((await one.query('select * from t')).rows).toEqual([{ id: 1 }]);
  megabytes = 100;
  await expect.poll(() => lines.length, { timeout: 20_000 }).toBe(2);
  await one.query('insert into t values (3)');
  expect((await one.query('select * from t')).rows).toEqual([{ id: 1 }, { id: 3 }]);
});
