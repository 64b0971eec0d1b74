import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openMemoryEngine } from '../../src/migration-safety/shadow/memory-engine.ts';
import { findChangedValues } from '../../src/migration-safety/sql/changed-values.ts';
import { EarlierChanges } from '../../src/migration-safety/sql/earlier-changes.ts';
import type { Probe, Row } from '../../src/migration-safety/sql/execute.ts';
import { parseStatements, type Statement } from '../../src/migration-safety/sql/statements.ts';
import { onServer } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

const server = process.env.TEST_SERVER_URL ?? 'postgres://postgres@127.0.0.1:5432';
const database = `migsafe_test_values_${process.pid}`;

/** A column of each type with values, the change, and how many of the values it loses. */
const cases: [column: string, values: string[], change: string, lost: number][] = [
  ['varchar(50)', [`'abc'`, `'abcdef'`, 'null'], 'varchar(5)', 1],
  ['varchar(5)', [`'abc'`], 'text', 0],
  ['varchar(50)', [`'abcdef'`], 'varchar(60) using (c::varchar(60))', 0],
  ['text', [`'abcdef'`, `'a'`], 'varchar(20)', 0],
  ['text', [`'abcdef'`, `'a '`], 'char(5)', 2],
  ['text', [`'abcdef'`, `'abd'`], 'varchar(3) using left(c, 3)', 1],
  ['text', [`'12'`, `'x'`, `'7'`, `'1.5'`], 'int using c::int', 2],
  ['text', [`'12'`, `''`, 'null'], `int using nullif(c, '')::int`, 0],
  ['text', [`'1.239'`, `'1.2'`], 'numeric(10, 2) using c::numeric(10, 2)', 1],
  ['text', [`'2024-01-01'`, `'2024-01-01 10:00'`], 'date using c::date', 1],
  ['text', [`'2024-01-01 10:00'`, `'2024-01-01T10:00+05'`], 'timestamp using c::timestamp', 1],
  ['text', [`'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`, `'nope'`], 'uuid using c::uuid', 1],
  ['text', [`'{"a": 1}'`, `'{"a":1,"a":2}'`], 'jsonb using c::jsonb', 1],
  ['text', [`'yes'`, `'no'`], 'boolean using c::boolean', 0],
  ['json', [`'{"a":  1}'`, `'{"b":[{"a":1,"a":2}]}'`, `'"x"'`], 'jsonb', 1],
  ['jsonb', [`'{"a": 1}'`], 'json', 0],
  ['numeric(10, 2)', ['1.00', '1.50', 'null'], 'int', 1],
  ['numeric(10, 2)', ['1.50', '1.55'], 'numeric(10, 1)', 1],
  ['numeric(10, 2)', ['1.50'], 'numeric(12, 2)', 0],
  ['numeric', ['1.50', '12.5'], 'numeric(2, 1)', 1],
  ['numeric', ['0.1', '12345678901234567890.5'], 'double precision', 1],
  ['double precision', ['0.5', '0.1'], 'real', 1],
  ['double precision', ['1.5', '2'], 'int', 1],
  ['double precision', ['0.1'], 'text', 0],
  ['bigint', ['1', '5000000000'], 'int', 1],
  ['bigint', ['1', '123'], 'varchar(2) using c::varchar(2)', 1],
  ['int', ['1'], 'bigint', 0],
  ['int', ['0', '5'], 'boolean using c::boolean', 1],
  ['bigint', ['0', '1'], 'boolean using c::text::boolean', 0],
  ['bigint', ['0', '1', '5'], 'boolean using c::text::boolean', 1],
  ['boolean', ['true', 'null'], `text using case when c then 'yes' else 'no' end`, 0],
  ['timestamptz', [`'2024-01-01Z'`, 'null'], 'timestamp', 1],
  ['timestamptz', [`'2024-01-01Z'`, 'null'], 'date using c::date', 1],
  ['timestamptz[]', [`'{2024-01-01Z}'`, 'null'], 'timestamp[] using c::timestamp[]', 1],
  ['timestamptz', [`'2024-01-01Z'`], `timestamp using c at time zone 'Europe/Berlin'`, 0],
  ['timestamptz', [`'2024-01-01 00:00:00.5Z'`, `'2024-01-01Z'`], 'timestamptz(0)', 1],
  ['timestamp', [`'2024-01-01'`, `'2024-01-01 10:00'`], 'date', 1],
  ['timestamp', [`'2024-07-01'`], `timestamptz using c at time zone 'Europe/Berlin'`, 0],
  ['timestamp', [`'2024-07-01'`], 'timestamptz', 1],
  ['date', [`'2024-07-01'`], 'timestamp', 0],
  ['timestamp', [`'2024-01-01 10:00'`], 'time using c::time', 1],
  ['time', [`'10:00:00.5'`, `'10:00'`], 'time(0)', 1],
  ['timetz', [`'10:00+02'`], 'time', 1],
  ['interval', [`'30 days'`, `'1.5 seconds'`], 'interval(0)', 1],
  ['bit(8)', [`'10110000'`, `'10110001'`], 'bit(4) using c::bit(4)', 1],
  ['numeric[]', [`'{1.5}'`, `'{1}'`], 'int[]', 1],
];

const engines: Record<string, Probe> = {};
const ends: (() => Promise<unknown>)[] = [];
const tables = cases.flatMap(([type, values], i) => [
  `create table t${i} (id int generated always as identity primary key, c ${type})`,
  `insert into t${i} (c) values ${values.map((value) => `(${value})`).join(', ')}`,
]);

/** The applications store UTC, whatever the zone of the session that migrates. */
const ZONE = `set timezone = 'America/New_York'`;

beforeAll(async () => {
  const memory = await openMemoryEngine();
  for (const sql of [ZONE, ...tables]) await memory.exec(sql);
  engines.embedded = probe((sql) => memory.query<Row>(sql));
  const client = new Client(`${server}/${database}`);
  await onServer(`${server}/postgres`, (admin) => admin.query(`create database ${database}`));
  await client.connect();
  for (const sql of [ZONE, ...tables]) await client.query(sql);
  engines.server = probe((sql) => client.query(sql));
  ends.push(
    () => memory.close(),
    () => client.end(),
    () => onServer(`${server}/postgres`, (admin) => admin.query(`drop database ${database}`)),
  );
});

afterAll(async () => {
  for (const end of ends) await end();
});

test.each(cases.map((each, i) => [...each, i] as const))(
  '%s with %j as %s loses %i',
  async (_type, _values, change, lost, i) => {
    const [statement] = parseStatements(`alter table t${i} alter column c type ${change}`);
    for (const ask of Object.values(engines)) {
      const [found] = await findChangedValues(statement as Statement, new EarlierChanges(), ask);
      expect(found?.count ?? 0).toBe(lost);
      if (found) expect((await ask(found.rows)).rows).toHaveLength(lost);
    }
  },
);

/** A probe on the one connection of a test. */
function probe(query: (sql: string) => Promise<{ rows: Row[] }>): Probe {
  return async (...statements) => {
    await query('begin');
    try {
      let rows: Row[] = [];
      for (const sql of statements) rows = (await query(sql)).rows;
      return { rows };
    } catch (error) {
      return { rows: [], error };
    } finally {
      await query('rollback');
    }
  };
}
