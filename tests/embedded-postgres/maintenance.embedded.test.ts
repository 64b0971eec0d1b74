import { expect, test } from 'vitest';
import { connect, openTestDatabase, tempFolder } from './test-database.ts';

const eventually = { timeout: 50_000, interval: 250 };

test('vacuums and analyzes a table with many dead rows while the database is idle', async () => {
  const one = await connect(await openTestDatabase());
  await one.query('create table t as select i as id, 0 as n from generate_series(1, 2000) i');
  await one.query('create table untouched (id int)');
  await one.query('update t set n = 1');
  const stats = async (table: string) => {
    const sql =
      'select vacuum_count::int, analyze_count::int, n_dead_tup::int from pg_stat_user_tables where relname = $1';
    return (await one.query(sql, [table])).rows[0];
  };
  await expect.poll(() => stats('t'), eventually).toEqual({ vacuum_count: 1, analyze_count: 1, n_dead_tup: 0 });
  expect(await stats('untouched')).toMatchObject({ vacuum_count: 0, analyze_count: 0 });
  expect((await one.query('select reltuples::int from pg_class where relname = $1', ['t'])).rows).toEqual([
    { reltuples: 2000 },
  ]);
});

test('checkpoints a large WAL, so that the next start has little to recover', async () => {
  const one = await connect(await openTestDatabase({ folder: tempFolder() }));
  const sinceCheckpoint = async () => {
    const sql = 'select pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn)::int as bytes from pg_control_checkpoint()';
    return (await one.query(sql)).rows[0].bytes as number;
  };
  await one.query('create table t as select repeat(md5(i::text), 30) as text from generate_series(1, 80000) i');
  expect(await sinceCheckpoint()).toBeGreaterThan(64 * 1024 * 1024);
  await expect.poll(sinceCheckpoint, eventually).toBeLessThan(1024 * 1024);
});
