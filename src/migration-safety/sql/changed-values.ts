import { sqlState } from '../problems.ts';
import { typeChangeClauses } from './clauses.ts';
import type { EarlierChanges } from './earlier-changes.ts';
import type { Probe } from './execute.ts';
import { literal, quote } from './quote.ts';
import type { Statement, Tree } from './statements.ts';

/** The rows of a column that a change of its type would change, or fail on. */
export interface ChangedValues {
  column: string;
  description: string;
  /** Selects them; where a value can't be converted at all, only the first of them, by their key. */
  rows: string;
  /** Counted up to 10,001. */
  count: number;
  /** Whether the statement fails on one of them, so that no reason allows it. */
  fails: boolean;
}

/**
 * Converts the values of every column whose type the statement changes, with plain reads, and compares each with what is
 * left of it: a value that is cut, rounded, shifted to another time, or refused, is found in a table of any size.
 */
export async function findChangedValues(
  statement: Statement,
  earlier: EarlierChanges,
  probe: Probe,
): Promise<ChangedValues[]> {
  const { kind, tree, sql } = statement;
  const found: ChangedValues[] = [];
  for (const { AlterTableCmd: cmd } of kind === 'AlterTableStmt' && tree.objtype === 'OBJECT_TABLE' ? tree.cmds : []) {
    const clauses = cmd.subtype === 'AT_AlterColumnType' && typeChangeClauses(sql, cmd.name);
    const table = earlier.tableBefore(tree.relation);
    const column = earlier.columnBefore(tree.relation, cmd.name);
    if (!clauses || !table || !column || earlier.valuesOf(tree.relation, cmd.name) !== 'same') continue;
    const using = cmd.def.ColumnDef.raw_default;
    const isPlain = !using || isCastOf(using, cmd.name);
    // The expression names the columns as they are then.
    if (using && column !== cmd.name) continue;
    const types = await readTypes(table, column, clauses.type, probe);
    if (!types || (isPlain && isWidening(types, cmd.def.ColumnDef.typeName.typmods ?? []))) continue;
    const change: Change = { ...types, table, column: quote(column), isPlain, zone: zoneOf(using), ...clauses };
    const lost = await findRows(change, probe);
    if (!lost) continue;
    const fails = (!using && REFUSES_LONGER.has(types.to)) || (await cannotConvert(change, probe));
    found.push({ column: `${table}.${quote(column)}`, description: describe(change), fails, ...lost });
  }
  return found;
}

interface Types {
  /** The type of the column as SQL. */
  old: string;
  /** The names of both types without a length or precision: int4, varchar, _text. */
  from: string;
  to: string;
  /** The length or precision of the old type, as the catalog stores it. */
  modifier: number;
}

interface Change extends Types {
  table: string;
  column: string;
  type: string;
  using: string | undefined;
  /** Whether the values are only cast, not computed by an expression. */
  isPlain: boolean;
  /** The time zone that the expression names, as SQL. */
  zone: string | undefined;
}

async function readTypes(table: string, column: string, type: string, probe: Probe): Promise<Types | undefined> {
  const { rows } = await probe(
    `select format_type(a.atttypid, a.atttypmod) as old, coalesce(b.typname, t.typname)::text as from, n.typname::text as to, a.atttypmod as modifier
       from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_type b on b.oid = t.typbasetype
       join pg_type n on n.oid = to_regtype(${literal(type)})
      where a.attrelid = to_regclass(${literal(table)}) and a.attname = ${literal(column)} and not a.attisdropped`,
  );
  return rows[0] as unknown as Types | undefined;
}

const describe = ({ column, old, type, from, to, zone }: Change) =>
  losesZone(from, to) && !zone
    ? `${column} loses its time zone (${old}) as ${type}`
    : `${column} (${old}) does not keep its value as ${type}`;

/** Whether some value has no counterpart in the new type. */
async function cannotConvert(change: Change, probe: Probe): Promise<boolean> {
  const { error } = await probe(`select count(${newValue(change)}) from ${change.table}`);
  return isDataException(error);
}

const isDataException = (error: unknown) => /^(22|23|P0001)/.test(sqlState(error) ?? '');

async function findRows(change: Change, probe: Probe): Promise<{ rows: string; count: number } | undefined> {
  for (const through of ['', '::text']) {
    const condition = losesValue(change, through);
    const rows = `select * from ${change.table} where ${condition}`;
    const { rows: counted, error } = await probe(countOf(rows));
    const state = sqlState(error) ?? '';
    // There is no cast back to the old type.
    if (state === '42846' && through === '') continue;
    // Some value can't be converted.
    if (isDataException(error)) return findRowsOneByOne(change, condition, probe);
    if (error) return undefined;
    const count = Number(counted[0]?.n);
    return count > 0 ? { rows, count } : undefined;
  }
  return undefined;
}

/** As PostgreSQL stops at the first value that it can't convert, a function that lasts as long as the question tries each row. */
async function findRowsOneByOne(change: Change, condition: string, probe: Probe) {
  const { table } = change;
  const name = table.slice(table.lastIndexOf('"', table.length - 2));
  const row = `from (select (row_of_table).*) as ${name}`;
  const create = `create function pg_temp.loses_value(row_of_table ${table}) returns boolean language plpgsql as $loses_value$
    #variable_conflict use_column
    begin
      begin
        perform ${newValue(change)} ${row};
      exception when data_exception or integrity_constraint_violation or raise_exception then return true;
      end;
      return (select ${condition} ${row});
    exception when data_exception then return ${change.isPlain};
    end $loses_value$`;
  const from = `${table} as t where pg_temp.loses_value(t)`;
  const { rows: counted } = await probe(create, countOf(`select 1 from ${from}`));
  const count = Number(counted[0]?.n ?? 0);
  if (count === 0) return undefined;
  const keys = await keyOf(table, probe);
  const list = keys.map((key, i) => `t.${key}::text as "${i}"`).join(', ');
  const { rows: first } = await probe(create, `select ${list} from ${from} limit 20`);
  const values = first.map(
    (each) =>
      `(${Object.values(each)
        .map((value) => literal(String(value)))
        .join(', ')})`,
  );
  return { rows: `select * from ${table} where (${keys.join(', ')}) in (${values.join(', ')})`, count };
}

/** The columns of the primary key; without one, the position of the row. */
async function keyOf(table: string, probe: Probe): Promise<string[]> {
  const { rows } = await probe(
    `select a.attname as name from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
      where i.indrelid = to_regclass(${literal(table)}) and i.indisprimary`,
  );
  return rows.length > 0 ? rows.map(({ name }) => quote(String(name))) : ['ctid'];
}

const countOf = (rows: string) => `select count(*)::int as n from (${rows} limit 10001) counted`;

/** The new value. An explicit cast cuts where ALTER TABLE refuses; both count. */
const newValue = ({ using, column, type }: Change) => `(${using ?? column})::${type}`;

/** The condition for a row whose value gets lost. `through` is the cast that leads back where there is no direct one. */
function losesValue(change: Change, through: string): string {
  const { column, old, from, to, zone, isPlain } = change;
  const value = `(${newValue(change)})`;
  const isText = TEXT.has(from);
  if (zone && (isTime(from) || isTime(to))) {
    const back = `(${value}${from === 'timestamptz' ? '::timestamp' : ''} at time zone ${zone})::${old}`;
    return `${back} is distinct from ${column}`;
  }
  if (losesZone(from, to)) return `${column} is not null`;
  if (isPlain && to === 'jsonb' && (from === 'json' || isText)) {
    return `${countOfNodes(`(${column})::json`)} <> ${countOfNodes(`${value}::json`)}`;
  }
  if (isText && !TEXT.has(to)) {
    const exact = EXACT[to];
    const differs = exact ? `(${column})::${exact} is distinct from ${value}::text::${exact}` : 'false';
    return `case when ${value} is null then btrim(${column}) <> '' else ${differs} end`;
  }
  // As the application stores them; the time zone of the session that migrates means nothing.
  if (isPlain && to === 'timestamptz' && (from === 'timestamp' || from === 'date')) {
    return `((${column})::timestamp at time zone 'UTC') is distinct from ${value}`;
  }
  const exactly =
    NUMBER.test(from) && to === 'bool' ? '::int' : FLOAT.test(to) && !FLOAT.test(from) ? '::text::numeric' : through;
  const asText = WITHOUT_EQUALITY.has(from) ? '::text' : '';
  return `${column} is not null and (${value}${exactly}::${old})${asText} is distinct from ${column}${asText}`;
}

const FLOAT = /^float[48]$/;

const NUMBER = /^(int[248]|numeric|float[48])$/;

/** Types that only an explicit cast cuts a value for. */
const REFUSES_LONGER = new Set(['varchar', 'bpchar', 'bit', 'varbit']);

const TEXT = new Set(['text', 'varchar', 'bpchar', 'name', 'citext']);

/** No equality, or one under which different values are equal. */
const WITHOUT_EQUALITY = new Set([
  'json',
  'xml',
  'interval',
  'point',
  'box',
  'circle',
  'path',
  'polygon',
  'line',
  'lseg',
]);

/** In what text is read exactly, to compare it with what a narrower type keeps of it. */
const EXACT: Record<string, string> = {
  ...Object.fromEntries(['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'].map((type) => [type, 'numeric'])),
  ...Object.fromEntries(['date', 'timestamp', 'timestamptz'].map((type) => [type, 'timestamptz'])),
  ...Object.fromEntries(['bit', 'varbit'].map((type) => [type, 'varbit'])),
  time: 'time',
  timetz: 'timetz',
  interval: 'interval',
};

const isTime = (type: string) => /^(timestamp|timestamptz)$/.test(type);

const losesZone = (from: string, to: string) =>
  (/^_?timestamptz$/.test(from) && /^_?(timestamp|date|time|timetz)$/.test(to)) ||
  (/^_?timetz$/.test(from) && /^_?time$/.test(to));

/** How many values a document holds: jsonb keeps only the last of a repeated key. */
const countOfNodes = (json: string) =>
  `(with recursive nodes (node) as (select ${json} union all select child from nodes cross join lateral (${[
    "select value from json_each(case json_typeof(node) when 'object' then node else '{}' end)",
    "select value from json_array_elements(case json_typeof(node) when 'array' then node else '[]' end)",
  ].join(' union all ')}) children (child)) select count(*) from nodes)`;

/** Whether every value of the old type is one of the new type: no row has to be read. */
function isWidening({ from, to, modifier }: Types, typmods: Tree[]): boolean {
  const [size, scale = 0] = typmods.map((each: Tree) => each.A_Const?.ival?.ival ?? 0);
  const integers = ['int2', 'int4', 'int8'];
  if (integers.includes(from) && integers.includes(to)) return integers.indexOf(from) <= integers.indexOf(to);
  if (['text', 'varchar'].includes(from) && ['text', 'varchar'].includes(to))
    return size === undefined || (modifier >= 0 && size >= modifier - 4);
  if (from !== to) return false;
  if (from === 'numeric' && size !== undefined) {
    const [oldSize, oldScale] = [((modifier - 4) >> 16) & 0xffff, (modifier - 4) & 0x7ff];
    return modifier >= 0 && scale >= oldScale && size - scale >= oldSize - oldScale;
  }
  return size === undefined || size === modifier;
}

/** Whether the expression is the column, perhaps cast. */
function isCastOf(expression: Tree, column: string): boolean {
  if (expression?.TypeCast) return isCastOf(expression.TypeCast.arg, column);
  return expression?.ColumnRef?.fields?.at(-1)?.String?.sval === column;
}

/** The zone of `column at time zone 'zone'`, perhaps cast. */
function zoneOf(expression: Tree): string | undefined {
  if (expression?.TypeCast) return zoneOf(expression.TypeCast.arg);
  const call = expression?.FuncCall;
  const zone = call?.funcname.at(-1)?.String?.sval === 'timezone' && call.args[0]?.A_Const?.sval?.sval;
  return zone ? literal(zone) : undefined;
}
