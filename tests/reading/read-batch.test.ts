import { expect, test, vi } from 'vitest';
import { PreparedStatements } from '../../src/reading/prepared-statements.ts';
import { ReadBatch } from '../../src/reading/read-batch.ts';
import { raw, type Sql, sql } from '../../src/reading/sql.ts';
import { statementsDuring } from '../support/statements.ts';
import { orm } from '../support/test-server.ts';

const statements = new PreparedStatements(orm.em);
const oneRequest = (signal = new AbortController().signal) => new ReadBatch(statements, signal);

/** The value of each expression, or its error message. */
const resultsOf = async (reads: ReadBatch, expressions: readonly Sql[]) =>
  Promise.all(expressions.map((expression) => reads.value(expression).catch((error: Error) => error.message)));

test('reads of one tick are sent as one statement, and each gets its own value', async () => {
  const reads = oneRequest();
  let values: unknown;
  const sent = await statementsDuring(async () => {
    values = await resultsOf(reads, [sql`${'a'}::text`, sql`null`, sql`${'b'}::text || ${1}::int`]);
  });
  expect(values).toEqual(['a', null, 'b1']);
  expect(sent).toHaveLength(1);
});

test('a read after a result is a statement of its own', async () => {
  const reads = oneRequest();
  const sent = await statementsDuring(async () => {
    expect(await reads.value(sql`1`)).toBe('1');
    expect(await reads.value(sql`2`)).toBe('2');
  });
  expect(sent).toHaveLength(2);
});

test('two requests never share a statement', async () => {
  const sent = await statementsDuring(() => Promise.all([oneRequest().value(sql`1`), oneRequest().value(sql`2`)]));
  expect(sent).toHaveLength(2);
});

test('a read that fails does not fail the others', async () => {
  const failing = sql`1 / ${0}::int`;
  expect(await resultsOf(oneRequest(), [sql`1`, failing, sql`3`])).toEqual(['1', 'division by zero', '3']);
  const unknown = raw('no_such_column');
  expect(await resultsOf(oneRequest(), [unknown, sql`2`])).toEqual([
    expect.stringMatching(/"?no_such_column"? does not exist/),
    '2',
  ]);
});

test('when the database is unavailable all reads fail, and none is sent again', async () => {
  const outOfMemory = Object.assign(new Error('out of memory'), { code: '53200' });
  const rows = vi.fn<PreparedStatements['rows']>().mockRejectedValue(outOfMemory);
  const reads = new ReadBatch({ rows } as unknown as PreparedStatements, new AbortController().signal);
  expect(await resultsOf(reads, [sql`1`, sql`2`])).toEqual(['out of memory', 'out of memory']);
  expect(rows).toHaveBeenCalledTimes(1);
});

test('sends nothing for a request that was aborted', async () => {
  const reads = oneRequest(AbortSignal.abort(new Error('aborted')));
  const sent = await statementsDuring(async () => {
    expect(await resultsOf(reads, [sql`1`, sql`2`])).toEqual(['aborted', 'aborted']);
  });
  expect(sent).toEqual([]);
});
