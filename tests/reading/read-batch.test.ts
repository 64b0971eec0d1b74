import { expect, test, vi } from 'vitest';
import { PreparedStatements } from '../../src/reading/prepared-statements.ts';
import { ReadBatch } from '../../src/reading/read-batch.ts';
import { raw, type Sql, sql } from '../../src/reading/sql.ts';
import { orm } from '../support/blog.ts';
import { statementsDuring } from '../support/statements.ts';

const statements = new PreparedStatements(orm.em);
const oneRequest = (signal = new AbortController().signal) => new ReadBatch(statements, signal);

/** What each comes to: the value, or in which words it fails. */
const answersTo = async (reads: ReadBatch, expressions: readonly Sql[]) =>
  Promise.all(expressions.map((expression) => reads.value(expression).catch((error: Error) => error.message)));

test('what is asked for in one tick is one statement, and each has its own answer', async () => {
  const reads = oneRequest();
  let answers: unknown;
  const sent = await statementsDuring(async () => {
    answers = await answersTo(reads, [sql`${'a'}::text`, sql`null`, sql`${'b'}::text || ${1}::int`]);
  });
  expect(answers).toEqual(['a', null, 'b1']);
  expect(sent).toHaveLength(1);
});

test('what is asked for after an answer is a statement of its own', async () => {
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

test('one that fails does so alone', async () => {
  const failing = sql`1 / ${0}::int`;
  expect(await answersTo(oneRequest(), [sql`1`, failing, sql`3`])).toEqual(['1', 'division by zero', '3']);
  const unknown = raw('no_such_column');
  expect(await answersTo(oneRequest(), [unknown, sql`2`])).toEqual([
    expect.stringMatching(/"?no_such_column"? does not exist/),
    '2',
  ]);
});

test('when the database can not serve they fail together, and are not sent again', async () => {
  const outOfMemory = Object.assign(new Error('out of memory'), { code: '53200' });
  const rows = vi.fn<PreparedStatements['rows']>().mockRejectedValue(outOfMemory);
  const reads = new ReadBatch({ rows } as unknown as PreparedStatements, new AbortController().signal);
  expect(await answersTo(reads, [sql`1`, sql`2`])).toEqual(['out of memory', 'out of memory']);
  expect(rows).toHaveBeenCalledTimes(1);
});

test('nothing is sent for a request that was given up', async () => {
  const reads = oneRequest(AbortSignal.abort(new Error('given up')));
  const sent = await statementsDuring(async () => {
    expect(await answersTo(reads, [sql`1`, sql`2`])).toEqual(['given up', 'given up']);
  });
  expect(sent).toEqual([]);
});
