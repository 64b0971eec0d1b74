import { checkExpression, indexPredicate } from '../sql/clauses.ts';
import { type EarlierChanges, fillsColumn } from '../sql/earlier-changes.ts';
import type { Probe } from '../sql/execute.ts';
import { literal, quote, quotedTable } from '../sql/quote.ts';
import { parseStatements, type Statement, type Tree } from '../sql/statements.ts';

/** What a statement requires of the rows that exist before it. */
export interface Precondition {
  /** What is wrong with the rows that violate it. */
  description: string;
  /** Selects the violating rows. */
  rows: string;
}

/** Preconditions; undefined where only the database will know, because of what earlier statements change. */
type Preconditions = (Precondition | undefined)[];

/** What a statement is read with. */
export interface Reading {
  earlier: EarlierChanges;
  probe: Probe;
  /** The constraints that earlier statements of the run add without validation, by table and name. */
  unvalidated: Map<string, Statement>;
}

export async function preconditionsOf(statement: Statement, reading: Reading): Promise<Preconditions> {
  const { kind, tree } = statement;
  if (kind === 'IndexStmt') return tree.unique ? uniqueIndex(statement, reading) : [];
  if (kind !== 'AlterTableStmt' || tree.objtype !== 'OBJECT_TABLE') return [];
  const found: Preconditions = [];
  for (const { AlterTableCmd: command } of tree.cmds) {
    found.push(...((await COMMANDS[command.subtype]?.(command, tree.relation, statement, reading)) ?? []));
  }
  return found;
}

export const constraintKey = (relation: Tree, name: string) => `${relation.relname}.${name}`;

type Reader<T> = (
  node: T,
  relation: Tree,
  statement: Statement,
  reading: Reading,
) => Preconditions | Promise<Preconditions>;

/** By the subtype of an ALTER TABLE command. */
const COMMANDS: Record<string, Reader<Tree>> = {
  AT_SetNotNull: ({ name }, relation, _statement, { earlier }) => [nulls(relation, name, earlier)],
  AT_AddColumn: ({ def, missing_ok }, relation, _statement, { earlier }) => {
    const { colname, constraints = [], typeName } = def.ColumnDef;
    const required = constraints.some(({ Constraint }: Tree) => Constraint.contype === 'CONSTR_NOTNULL');
    if (!required || missing_ok || fillsColumn(constraints, typeName)) return [];
    return [everyRow(relation, `they have no value for the new column ${quote(colname)}`, earlier)];
  },
  AT_AddConstraint: ({ def }, relation, statement, reading) => {
    const constraint = def.Constraint;
    if (!constraint || constraint.skip_validation || constraint.indexname) return [];
    return CONSTRAINTS[constraint.contype]?.(constraint, relation, statement, reading) ?? [];
  },
  AT_ValidateConstraint: async ({ name }, relation, _statement, reading) => {
    const statement =
      reading.unvalidated.get(constraintKey(relation, name)) ?? (await unvalidatedConstraint(relation, name, reading));
    const constraint = statement?.tree.cmds
      .map(({ AlterTableCmd: cmd }: Tree) => cmd.def?.Constraint)
      .find((each: Tree) => each?.conname === name);
    return statement && constraint
      ? (CONSTRAINTS[constraint.contype]?.(constraint, relation, statement, reading) ?? [])
      : [];
  },
};

/** The statement that would add a constraint of the database that is not validated. */
async function unvalidatedConstraint(relation: Tree, name: string, { earlier, probe }: Reading) {
  const table = earlier.tableBefore(relation);
  const { rows } = await probe(
    `select pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = to_regclass(${literal(table)}) and conname = ${literal(name)} and not convalidated`,
  );
  const definition = rows[0] && String(rows[0].definition);
  return definition
    ? parseStatements(`alter table ${quotedTable(relation)} add constraint ${quote(name)} ${definition}`)[0]
    : undefined;
}

/** By the type of a constraint. */
const CONSTRAINTS: Record<string, Reader<Tree>> = {
  CONSTR_UNIQUE: ({ keys, nulls_not_distinct }, relation, _statement, { earlier }) =>
    nulls_not_distinct ? [] : [duplicates(relation, names(keys), earlier)],
  CONSTR_PRIMARY: ({ keys }, relation, _statement, { earlier }) => [
    duplicates(relation, names(keys), earlier),
    ...names(keys).map((column) => nulls(relation, column, earlier)),
  ],
  CONSTR_FOREIGN: async ({ fk_attrs, pk_attrs, pktable }, relation, _statement, { earlier, probe }) => {
    const table = earlier.tableBefore(relation);
    const target = earlier.tableBefore(pktable);
    const from = names(fk_attrs);
    const to = pk_attrs ? names(pk_attrs) : await primaryKeyOf(target, probe);
    const known = knows(earlier, relation, from) && earlier.keepsRows(pktable, true) && knows(earlier, pktable, to);
    if (!known || !table || !target || to.length !== from.length) return [undefined];
    const pairs = from.map((column, i) => `r.${quote(to[i] ?? '')} = t.${quote(column)}`).join(' and ');
    const set = from.map((column) => `t.${quote(column)} is not null`).join(' and ');
    return [
      {
        description: `they refer to rows of ${target} that do not exist`,
        rows: `select t.* from ${table} t where ${set} and not exists (select 1 from ${target} r where ${pairs})`,
      },
    ];
  },
  CONSTR_CHECK: ({ conname, raw_expr }, relation, { sql }, { earlier }) => {
    const expression = checkExpression(sql, conname);
    const required = requiredColumn(raw_expr);
    if (required) return [nulls(relation, required, earlier)];
    if (!expression || !knows(earlier, relation, columnsIn(raw_expr))) return [undefined];
    return [
      {
        description: `they violate the check (${expression})`,
        rows: `select * from ${quotedTable(relation)} where not (${expression})`,
      },
    ];
  },
};

/** An index on an expression is left to the database, which knows what the expression costs. */
function uniqueIndex({ sql, tree }: Statement, { earlier }: Reading): Preconditions {
  const columns = tree.indexParams.map(({ IndexElem: { name } }: Tree) => name).filter(Boolean);
  if (tree.nulls_not_distinct || columns.length !== tree.indexParams.length) return [];
  const where = indexPredicate(sql);
  if (where && !knows(earlier, tree.relation, columnsIn(tree.whereClause))) return [undefined];
  return [duplicates(tree.relation, columns, earlier, where)];
}

function nulls(relation: Tree, column: string, earlier: EarlierChanges): Precondition | undefined {
  const values = earlier.valuesOf(relation, column);
  if (values === 'null') return everyRow(relation, `they have no value for the new column ${quote(column)}`, earlier);
  const [table, name] = [earlier.tableBefore(relation), earlier.columnBefore(relation, column)];
  if (values === 'unknown' || !table || !name) return undefined;
  return { description: `${quote(name)} is null`, rows: `select * from ${table} where ${quote(name)} is null` };
}

function everyRow(relation: Tree, description: string, earlier: EarlierChanges): Precondition | undefined {
  const table = earlier.tableBefore(relation);
  return table && earlier.keepsRows(relation) ? { description, rows: `select * from ${table}` } : undefined;
}

function duplicates(
  relation: Tree,
  columns: string[],
  earlier: EarlierChanges,
  where?: string,
): Precondition | undefined {
  const table = earlier.tableBefore(relation);
  if (!table || columns.some((column) => earlier.valuesOf(relation, column) !== 'same')) return undefined;
  const keys = columns.map((column) => quote(earlier.columnBefore(relation, column) ?? ''));
  const list = keys.join(', ');
  const selected = where ? `(${where}) and ` : '';
  const set = keys.map((key) => `${key} is not null`).join(' and ');
  return {
    description: `the same ${list} more than once${where ? ` where ${where}` : ''}`,
    rows: `select * from ${table} where ${selected}(${list}) in (select ${list} from ${table} where ${selected}${set} group by ${list} having count(*) > 1)`,
  };
}

/** Whether the table and these columns have the names and the values now that they will have. */
const knows = (earlier: EarlierChanges, relation: Tree, columns: string[]) =>
  earlier.keepsRows(relation) &&
  earlier.tableBefore(relation) === quotedTable(relation) &&
  columns.every(
    (column) => earlier.valuesOf(relation, column) === 'same' && earlier.columnBefore(relation, column) === column,
  );

/** The columns that an expression names. */
function columnsIn(expression: Tree): string[] {
  if (typeof expression !== 'object' || expression === null) return [];
  const own = expression.ColumnRef?.fields?.at(-1)?.String?.sval;
  return [...(own ? [own] : []), ...Object.values(expression).flatMap(columnsIn)];
}

/** The column of a check that says only `column is not null`. */
function requiredColumn(expression: Tree): string | undefined {
  const test = expression?.NullTest;
  return test?.nulltesttype === 'IS_NOT_NULL' ? columnsIn(test.arg)[0] : undefined;
}

async function primaryKeyOf(table: string | undefined, probe: Probe): Promise<string[]> {
  const { rows } = await probe(
    `select a.attname as name from pg_index i cross join lateral unnest(i.indkey) with ordinality k (attnum, position)
       join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where i.indrelid = to_regclass(${literal(table)}) and i.indisprimary order by k.position`,
  );
  return rows.map(({ name }) => String(name));
}

const names = (list: Tree[]): string[] => list.map((each) => each.String.sval);
