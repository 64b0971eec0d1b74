import { findChangedValues } from './changed-values.ts';
import { selectsOfDeletes } from './clauses.ts';
import { findDroppedData } from './dropped-data.ts';
import { EarlierChanges, nestedData } from './earlier-changes.ts';
import type { Execute, Probe } from './execute.ts';
import { codeOf } from './nested-statements.ts';
import type { CodeStatement } from './plpgsql-body.ts';
import { literal, quote } from './quote.ts';
import { parseStatements, type Statement, type Tree } from './statements.ts';

export interface LossOptions {
  execute: Execute;
  /** To convert values on trial; without it, changes of type are left out. */
  probe?: Probe;
  /** What ran, or will run, before the statements. */
  earlier?: EarlierChanges;
  /** The tables whose rows may be deleted by a condition. */
  mayDeleteFrom?: (relation: Tree) => boolean;
  /** The names of the functions whose bodies were read already. */
  readFunctions?: Set<string>;
}

/**
 * Describes the data that the statements would drop, delete or change beyond recognition: one line for each table or
 * column that has any, with the query that shows it.
 */
export async function findDataLoss(statements: Statement[], options: LossOptions): Promise<string[]> {
  const { earlier = new EarlierChanges(), readFunctions = new Set() } = options;
  const losses: string[] = [];
  for (const statement of statements) {
    losses.push(...(await lossesOf(statement, { ...options, earlier, readFunctions })));
    earlier.add(statement);
    // Code before it is no reason to look away from what the rows are like now.
    earlier.unknown = false;
  }
  return [...new Set(losses)];
}

async function lossesOf(
  statement: Statement,
  options: Required<Pick<LossOptions, 'earlier'>> & LossOptions,
): Promise<string[]> {
  const { execute, earlier, probe } = options;
  const losses: string[] = [];
  for (const { table, column } of await findDroppedData(statement, earlier, execute)) {
    const where = column ? ` where ${quote(column)} is not null` : '';
    const rows = await countRows(table, where, execute);
    if (!rows) continue;
    const what = column ? `column ${table}.${quote(column)}: ${rows} with a value` : `table ${table}: ${rows}`;
    losses.push(`${what} (select * from ${table}${where})`);
  }
  losses.push(...(await deletedRows(statement, options)));
  for (const changed of probe ? await findChangedValues(statement, earlier, probe) : []) {
    losses.push(`column ${changed.column}: ${inWords(changed.count)}, where ${changed.description} (${changed.rows})`);
  }
  return [...losses, ...(await lossesInCode(statement, options))];
}

/** DELETE and MERGE, also in common table expressions. */
async function deletedRows(
  { kind, tree, sql }: Statement,
  { execute, probe, earlier = new EarlierChanges(), mayDeleteFrom }: LossOptions,
) {
  const losses: string[] = [];
  const selects = selectsOfDeletes(sql);
  for (const [nested, node] of [[kind, tree] as const, ...nestedData(tree)]) {
    const deletes =
      nested === 'DeleteStmt' ||
      (nested === 'MergeStmt' &&
        node.mergeWhenClauses?.some((each: Tree) => each.MergeWhenClause.commandType === 'CMD_DELETE'));
    const table = deletes && earlier.tableBefore(node.relation);
    if (!table || (isSelective(node.whereClause ?? node.joinCondition) && mayDeleteFrom?.(node.relation))) continue;
    const select = nested === 'DeleteStmt' ? selects.find((each) => readsFrom(each, node.relation)) : undefined;
    const matched = select
      ? await probe?.(`select count(*)::int as n from (select 1 from (${select}) s limit 10001) t`)
      : undefined;
    const n = Number(matched?.rows[0]?.n);
    // A condition that can't be asked on its own, such as one on another common table expression.
    const rows = !matched || matched.error ? await countRows(table, '', execute) : inWords(n);
    if (rows) losses.push(`table ${table}: ${rows} (${select && !matched?.error ? select : `select * from ${table}`})`);
  }
  return losses;
}

/** What a DO block, or a function that the statement calls, would lose. SQL that is composed at run time is named. */
async function lossesInCode(statement: Statement, options: Required<Pick<LossOptions, 'earlier'>> & LossOptions) {
  const bodies = statement.kind === 'DoStmt' ? [codeOf(statement)] : await functionsCalledBy(statement, options);
  const losses: string[] = [];
  for (const body of bodies) {
    losses.push(
      ...(await findDataLoss(
        body.filter(({ composedOf }) => !composedOf),
        options,
      )),
    );
    for (const text of body.flatMap(({ composedOf }) => composedOf ?? []).filter(mayLoseData)) {
      losses.push(`unknown: code that composes its SQL while it runs (${text.replace(/\s+/g, ' ').slice(0, 120)})`);
    }
  }
  return losses;
}

/** Composed from a constant that names no such command, it can't be one. */
const mayLoseData = (expression: string) =>
  !expression.includes("'") || /drop|delete|truncate|alter|merge/i.test(expression);

/** The functions and procedures of the application that a statement calls, each read once. */
async function functionsCalledBy(
  { kind, tree }: Statement,
  { execute, readFunctions }: LossOptions,
): Promise<CodeStatement[][]> {
  if (!['CallStmt', 'SelectStmt'].includes(kind)) return [];
  const called = [...JSON.stringify(tree).matchAll(/"funcname":\[(.*?)\]/g)].map(
    ([, names = '']) => [...names.matchAll(/"sval":"(.*?)"/g)].at(-1)?.[1],
  );
  const unread = [...new Set(called)].filter((name) => name && !readFunctions?.has(name));
  if (unread.length === 0) return [];
  for (const name of unread) readFunctions?.add(name as string);
  const definitions = await execute(
    `select pg_get_functiondef(p.oid) as definition from pg_proc p join pg_language l on l.oid = p.prolang
      where p.proname in (${unread.map(literal).join(', ')}) and p.prokind in ('f', 'p') and l.lanname in ('sql', 'plpgsql')
        and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)`,
  );
  return definitions.flatMap(({ definition }) => parseStatements(String(definition)).map(codeOf));
}

const readsFrom = (select: string, { relname }: Tree) =>
  parseStatements(select)[0]?.tree.fromClause?.[0]?.RangeVar?.relname === relname;

/** Whether the condition depends on the row. */
const isSelective = (condition: Tree) => JSON.stringify(condition ?? null).includes('"ColumnRef":');

async function countRows(table: string, where: string, execute: Execute): Promise<string | undefined> {
  const [found] = await execute(`select to_regclass(${literal(table)}) is not null as yes`);
  if (!found?.yes) return undefined;
  // Counted up to a bound: whether there is data matters, not how many millions of rows.
  const [counted] = await execute(`select count(*)::int as n from (select 1 from ${table}${where} limit 10001) t`);
  return inWords(Number(counted?.n ?? 0));
}

const inWords = (n: number): string | undefined =>
  n === 0 ? undefined : n > 10_000 ? 'more than 10000 rows' : `${n} ${n === 1 ? 'row' : 'rows'}`;
