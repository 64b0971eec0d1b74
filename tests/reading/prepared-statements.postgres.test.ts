import { MikroORM } from '@mikro-orm/postgresql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ormConfig } from '../../mikro-orm.config.ts';
import { ServerPool } from '../../src/database/server-pool.ts';
import { PreparedStatements } from '../../src/reading/prepared-statements.ts';
import { sql, toStatement } from '../../src/reading/sql.ts';
import { orm } from '../support/test-server.ts';

/** Statements on the only connection of a pool. */
async function oneConnection() {
  const { host, port, user, password, database } = orm.em.getConnection().getConnectionOptions() as {
    [option: string]: string;
  };
  const connection = { host, port: Number(port), user, password, dbName: database } as never as { clientUrl: string };
  const { driverOptions } = new ServerPool(1);
  const own = await MikroORM.init(ormConfig({ connection: { ...connection, driverOptions } }));
  onTestFinished(() => own.close(true));
  const lines: string[] = [];
  const statements = new PreparedStatements(own.em, { log: (line) => lines.push(line) });
  const execute = <T>(text: string) => own.em.fork().execute<T[]>(text);
  return { statements, lines, execute };
}

const names = 'select name from pg_prepared_statements';
const ONE = sql`select ${1}::int + 1`;

test('a connection that lacks a prepared statement, as behind an old pooler: nothing is prepared any more', async () => {
  const { statements, lines, execute } = await oneConnection();
  expect(await statements.rows(ONE)).toEqual([[2]]);
  expect(await execute(names)).toHaveLength(1);
  await execute('deallocate all');
  expect(await statements.rows(ONE)).toEqual([[2]]);
  expect(await statements.rows(ONE)).toEqual([[2]]);
  expect(lines).toEqual([expect.stringContaining('PREPARED_STATEMENTS=off')]);
  expect(await execute(names)).toEqual([]);
});

test('a connection on which another client has prepared the statement: nothing is prepared any more', async () => {
  const first = await oneConnection();
  await first.statements.rows(ONE);
  const [{ name } = { name: '' }] = await first.execute<{ name: string }>(names);
  const { statements, lines, execute } = await oneConnection();
  await execute(`prepare "${name}" as select 7`);
  expect(await statements.rows(ONE)).toEqual([[2]]);
  expect(lines).toHaveLength(1);
});

describe('statements that run together', () => {
  const insert = (name: string) => toStatement(sql`insert into tags (name, name_key) values (${name}, ${name})`);
  const divide = (by: number) => toStatement(sql`select 6 / ${by}::int`);
  const tags = async () => (await orm.em.fork().execute('select name from tags order by name')).map(({ name }) => name);

  test('are one transaction, and return the rows of the last', async () => {
    const { statements } = await oneConnection();
    expect(await statements.transaction([insert('a'), insert('b'), divide(2)])).toEqual([['3']]);
    expect(await tags()).toEqual(['a', 'b']);
    await expect(statements.transaction([insert('c'), divide(0), insert('d')])).rejects.toMatchObject({
      code: '22012',
    });
    expect(await tags()).toEqual(['a', 'b']);
  });

  test('work again after an error, wherever it was, on the same connection and prepared', async () => {
    const { statements, lines, execute } = await oneConnection();
    const fails = [
      [insert('a'), divide(0), insert('b')],
      [divide(0), insert('a')],
      [insert('a'), toStatement(sql`select from no_such_table where ${1}`), divide(1)],
      [insert('a'), insert('a'), divide(1)],
      [toStatement(sql`select ${'x'}::int`), insert('a')],
    ];
    for (const together of fails) {
      await expect(statements.transaction(together)).rejects.toThrow();
      expect(await statements.transaction([insert('a'), divide(1)])).toEqual([['6']]);
      await execute('delete from tags');
    }
    expect(lines).toEqual([]);
    expect((await execute(names)).length).toBeGreaterThan(1);
  });

  test('on a connection that lacks what was prepared run once, and nothing is prepared any more', async () => {
    const { statements, lines, execute } = await oneConnection();
    await statements.transaction([insert('a'), divide(1)]);
    await execute('deallocate all');
    expect(await statements.transaction([insert('b'), divide(1)])).toEqual([['6']]);
    expect(await tags()).toEqual(['a', 'b']);
    expect(lines).toEqual([expect.stringContaining('PREPARED_STATEMENTS=off')]);
    expect(await statements.transaction([insert('c'), divide(1)])).toEqual([['6']]);
    expect(await execute(names)).toEqual([]);
  });
});

test('a connection is not used again after its statement was aborted', async () => {
  const { statements, execute } = await oneConnection();
  const pid = async () => (await execute<{ pid: number }>('select pg_backend_pid() as pid'))[0]?.pid;
  const before = await pid();
  const leaving = new AbortController();
  const sleeping = statements.rows(sql`select pg_sleep(60)`, leaving.signal);
  const isAsleep = async () =>
    (await orm.em.fork().execute(`select 1 from pg_stat_activity where pid = ${before} and wait_event = 'PgSleep'`))
      .length;
  await expect.poll(isAsleep, { timeout: 10_000 }).toBe(1);
  leaving.abort(new Error('left'));
  await expect(sleeping).rejects.toThrow('left');
  expect(await pid()).not.toBe(before);
});
