import { qualifiedName } from '../catalog/user-objects.ts';
import type { Execute } from '../sql/execute.ts';
import { literal, quote } from '../sql/quote.ts';
import { type DatabaseError, rolledBack, undoing } from '../sql/savepoint.ts';
import { insertRows, routinesOf, startSampling } from './sample-rows.ts';
import type { Sampling } from './sample-slots.ts';
import { readJson, type SampleTable } from './sample-tables.ts';

export type Operation = 'insert' | 'update' | 'delete';

/** An error that a write to a table meets in the code behind it: a trigger, a default, a check, a generated column. */
export interface TableError {
  /** As in the catalog: articles, audit."Log". */
  table: string;
  operation: Operation;
  message: string;
  code: string;
  /** The function that raised it: 'count_favorites()'. */
  routine: string | undefined;
  /** The trigger that runs the function: 'trigger favorites_count on favorites'. */
  trigger: string | undefined;
}

interface Trigger {
  name: string;
  table: string;
  /** As the context of an error names it: by its signature if it is PL/pgSQL. */
  routine: string;
}

const ROWS = 5;
const OUT_OF_RANGE = '22003';

/**
 * Inserts, updates and deletes rows of every table, so that all triggers fire, and undoes it. What a constraint refuses
 * (class 23) is not an error, and neither is a counter that leaves its type, since the rows hold the largest numbers too. Each
 * error is returned once.
 */
export async function exerciseTables(execute: Execute, trackingTable: string): Promise<TableError[]> {
  return rolledBack(execute, async () => {
    // Deferred triggers fire with the statement that causes them.
    await execute('set constraints all immediate');
    const sampling = await startSampling(execute, trackingTable);
    const triggers = await readTriggers(execute);
    const errors = new Map<string, TableError>();
    for (const table of sampling.tables.values()) {
      for (const [operation, error] of await refusalsOf(table, sampling, execute)) {
        if (!error.code || error.code.startsWith('23') || error.code === OUT_OF_RANGE) continue;
        const found = tableError(table.name, operation, error, triggers);
        errors.set(JSON.stringify(found), found);
      }
    }
    return [...errors.values()];
  });
}

async function refusalsOf(
  table: SampleTable,
  sampling: Sampling,
  execute: Execute,
): Promise<[Operation, DatabaseError][]> {
  const refusals: [Operation, DatabaseError][] = [];
  const rows = await rowsOf(table, execute);
  await undoing(execute, async (undone) => {
    const exercise = async (operation: Operation, statement: string) => {
      const error = await undone(() => execute(statement));
      if (error) refusals.push([operation, error]);
    };
    let isInserted = false;
    // A row with values that no row has yet.
    await undone(async () => {
      const result = await insertRows(table, sampling, { from: ROWS, to: ROWS + 1 }, execute);
      for (const refusal of result.refusals) refusals.push(['insert', refusal]);
      isInserted = result.inserted > 0;
    });
    for (const [at, row] of rows.entries()) {
      const remove = `delete from ${table.only} where ${row.is}`;
      if (!isInserted)
        await undone(async () => {
          await execute(remove);
          await execute(copy(table, row.json)).catch((error) => refusals.push(['insert', error]));
        });
      for (const update of updates(table, row.is, rows.at(at - 1)?.is ?? row.is)) await exercise('update', update);
      await exercise('delete', remove);
    }
  });
  return refusals;
}

interface StoredRow {
  /** The condition that selects it. */
  is: string;
  json: string;
}

const rowsOf = (table: SampleTable, execute: Execute): Promise<StoredRow[]> =>
  readJson(
    execute,
    `select format('tableoid = %s and ctid = %L', tableoid::int8, ctid) as "is", to_jsonb(t)::text as json from ${table.only} t limit ${ROWS}`,
  );

function copy(table: SampleTable, json: string): string {
  const names = table.columns.filter(({ generated }) => !generated).map(({ name }) => quote(name));
  if (names.length === 0) return `insert into ${table.sql} default values`;
  return `insert into ${table.sql} (${names.join(', ')}) overriding system value
    select ${names.join(', ')} from jsonb_populate_record(null::${table.sql}, ${literal(json)})`;
}

/** Each column to itself, for triggers on columns; then the values of another row, for triggers on changes. */
function updates(table: SampleTable, row: string, other: string): string[] {
  const settable = table.columns.filter(({ generated, identity }) => !generated && !identity).map(({ name }) => name);
  const free = settable.filter((name) => !table.keys.some((key) => key.includes(name))).map(quote);
  const itself = settable.map((name) => `${quote(name)} = t.${quote(name)}`);
  return [
    ...(itself.length > 0 ? [`update ${table.only} t set ${itself.join(', ')} where ${row}`] : []),
    ...(free.length > 0
      ? [
          `update ${table.only} set (${free.join(', ')}) = (select ${free.join(', ')} from ${table.only} where ${other}) where ${row}`,
        ]
      : []),
  ];
}

function tableError(table: string, operation: Operation, error: DatabaseError, triggers: Trigger[]): TableError {
  const routines = routinesOf(error.where);
  const running = triggers.filter(({ routine }) => routines.includes(routine));
  const trigger = running.find((each) => each.table === table) ?? running[0];
  return {
    table,
    operation,
    message: error.message,
    code: error.code ?? '',
    routine: routines[0],
    trigger: trigger && `trigger ${trigger.name} on ${trigger.table}`,
  };
}

const readTriggers = (execute: Execute): Promise<Trigger[]> =>
  readJson(
    execute,
    `select quote_ident(t.tgname) as name, t.tgfoid::regprocedure::text as routine,
      ${qualifiedName('c.relname')} as table
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where not t.tgisinternal order by c.relname, t.tgname`,
  );
