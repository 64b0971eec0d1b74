import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { MigrationFile } from '../history/migration-file.ts';
import { MigrationProblem } from '../problems.ts';
import { excerpt } from '../sql/excerpt.ts';
import type { Execute } from '../sql/execute.ts';
import { literal, quote, quotedTable } from '../sql/quote.ts';
import { parseStatements, type Statement, type Tree } from '../sql/statements.ts';

/** What a statement requires of the existing rows. */
interface Precondition {
  /** What is wrong with the rows that violate it. */
  description: string;
  /** Selects the violating rows. */
  rows: string;
  /** The columns it needs: rows can't violate a precondition on a column that does not exist yet. */
  columns: string[];
}

/**
 * Finds rows on which the migration's statements would fail, with plain reads, before the migration takes a lock. A
 * table that the migration changes first is skipped, because the rows are not known yet.
 */
export async function refuseViolatingRows(migration: MigrationFile, driver: AbstractSqlDriver): Promise<void> {
  const execute: Execute = (sql) => driver.getConnection().execute(sql);
  const changed = new Set<string>();
  const violations: string[] = [];
  for (const statement of migration.dynamic.up ? [] : migration.up) {
    const { kind, tree } = statement;
    if (['UpdateStmt', 'DeleteStmt', 'InsertStmt'].includes(kind)) changed.add(quotedTable(tree.relation));
    // The effect of code (a DO block, a call) is unknown, so nothing after it can be checked.
    if (['DoStmt', 'CallStmt'].includes(kind)) break;
    for (const { description, rows } of await preconditionsOf(statement, execute)) {
      if (tree.relation && changed.has(quotedTable(tree.relation))) continue;
      const [counted] = await execute(`select count(*)::int as n from (${rows} limit 10001) t`);
      const n = Number(counted?.n ?? 0);
      if (n > 0)
        violations.push(
          [
            ...excerpt(statement.sql),
            `  ${n > 10_000 ? 'more than 10000' : n} ${n === 1 ? 'violating row' : 'violating rows'}: ${description}.`,
            `  To see them: ${rows};`,
          ].join('\n'),
        );
    }
  }
  if (violations.length === 0) return;
  throw new MigrationProblem(
    'rows-in-the-way',
    `${migration.name} would fail on existing rows:\n${violations.join('\n')}\nRepair them in an earlier migration. Nothing of it was changed.`,
  );
}

async function preconditionsOf(statement: Statement, execute: Execute): Promise<Precondition[]> {
  const { kind, tree } = statement;
  if (!['AlterTableStmt', 'IndexStmt'].includes(kind) || (tree.objtype ?? 'OBJECT_TABLE') !== 'OBJECT_TABLE') return [];
  const table = quotedTable(tree.relation);
  const columns = new Set(
    (
      await execute(
        `select attname from pg_attribute where attrelid = to_regclass(${literal(table)}) and attnum > 0 and not attisdropped`,
      )
    ).map((row) => String(row.attname)),
  );
  // This migration creates the table.
  if (columns.size === 0) return [];
  const preconditions: (Precondition | undefined)[] =
    kind === 'IndexStmt'
      ? uniqueIndex(tree, table)
      : (
          await Promise.all(
            tree.cmds.map((each: Tree) =>
              PRECONDITIONS_OF_COMMAND[each.AlterTableCmd.subtype]?.(each.AlterTableCmd, table, statement, execute),
            ),
          )
        ).flat();
  return preconditions.filter(
    (each): each is Precondition => each?.columns.every((column) => columns.has(column)) ?? false,
  );
}

type Reader = (
  command: Tree,
  table: string,
  statement: Statement,
  execute: Execute,
) => Precondition[] | Promise<Precondition[]>;

/** By the subtype of an ALTER TABLE command. */
const PRECONDITIONS_OF_COMMAND: Record<string, Reader> = {
  AT_SetNotNull: ({ name }, table) => [nulls(table, name)],
  AT_AddColumn: ({ def }, table) => {
    const kinds = (def.ColumnDef.constraints ?? []).map((each: Tree) => each.Constraint.contype);
    const filled = ['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'].some((kind) => kinds.includes(kind));
    const serial = /serial/.test(def.ColumnDef.typeName.names.at(-1).String.sval);
    return kinds.includes('CONSTR_NOTNULL') && !filled && !serial
      ? [
          {
            description: `they have no value for the new column ${quote(def.ColumnDef.colname)}`,
            rows: `select * from ${table}`,
            columns: [],
          },
        ]
      : [];
  },
  AT_AddConstraint: ({ def }, table, { sql }) => {
    const constraint = def.Constraint;
    if (!constraint || constraint.skip_validation || constraint.indexname) return [];
    return PRECONDITIONS_OF_CONSTRAINT[constraint.contype]?.(constraint, table, sql) ?? [];
  },
  AT_ValidateConstraint: async ({ name }, table, _statement, execute) => {
    const [row] = await execute(
      `select contype, pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = to_regclass(${literal(table)}) and conname = ${literal(name)} and not convalidated`,
    );
    if (!row) return [];
    const text = `alter table ${table} add constraint ${quote(name)} ${String(row.definition).replace(/ NOT VALID$/, '')}`;
    const constraint = parseStatements(text)[0]?.tree.cmds?.[0]?.AlterTableCmd.def.Constraint;
    return constraint ? (PRECONDITIONS_OF_CONSTRAINT[constraint.contype]?.(constraint, table, text) ?? []) : [];
  },
};

const PRECONDITIONS_OF_CONSTRAINT: Record<string, (constraint: Tree, table: string, sql: string) => Precondition[]> = {
  CONSTR_UNIQUE: ({ keys }, table) => [duplicates(table, names(keys))],
  CONSTR_PRIMARY: ({ keys }, table) => [
    duplicates(table, names(keys)),
    ...names(keys).map((column) => nulls(table, column)),
  ],
  CONSTR_FOREIGN: ({ fk_attrs, pk_attrs, pktable }, table) => {
    const from = names(fk_attrs);
    const to = names(pk_attrs ?? []);
    if (to.length !== from.length) return [];
    const pairs = from.map((column, i) => `r.${quote(to[i] ?? '')} = t.${quote(column)}`).join(' and ');
    const set = from.map((column) => `t.${quote(column)} is not null`).join(' and ');
    return [
      {
        description: `they refer to rows of ${quotedTable(pktable)} that do not exist`,
        rows: `select t.* from ${table} t where ${set} and not exists (select 1 from ${quotedTable(pktable)} r where ${pairs})`,
        columns: from,
      },
    ];
  },
  CONSTR_CHECK: ({ conname }, table, sql) => {
    const expression = expressionOf(sql, conname);
    return expression
      ? [
          {
            description: `they violate the check (${expression})`,
            rows: `select * from ${table} where not (${expression})`,
            columns: [],
          },
        ]
      : [];
  },
};

function uniqueIndex(tree: Tree, table: string): Precondition[] {
  const columns = tree.indexParams.map((each: Tree) => each.IndexElem.name).filter(Boolean);
  // Indexes on expressions and partial indexes are left to the database.
  if (!tree.unique || tree.whereClause || columns.length !== tree.indexParams.length) return [];
  return [duplicates(table, columns)];
}

const nulls = (table: string, column: string): Precondition => ({
  description: `${quote(column)} is null`,
  rows: `select * from ${table} where ${quote(column)} is null`,
  columns: [column],
});

function duplicates(table: string, columns: string[]): Precondition {
  const list = columns.map(quote).join(', ');
  const set = columns.map((column) => `${quote(column)} is not null`).join(' and ');
  return {
    description: `the same ${list} more than once`,
    rows: `select * from ${table} where (${list}) in (select ${list} from ${table} where ${set} group by ${list} having count(*) > 1)`,
    columns,
  };
}

/** The text of a check's expression, which the parse tree does not keep. */
function expressionOf(sql: string, name: string | undefined): string | undefined {
  const start = name ? sql.search(new RegExp(`"?${name.replace(/[^\w]/g, '.')}"?\\s+check\\s*\\(`, 'i')) : 0;
  const open = sql.indexOf('(', sql.toLowerCase().indexOf('check', Math.max(0, start)));
  for (let i = open, depth = 0; start >= 0 && open >= 0 && i < sql.length; i++) {
    // A parenthesis inside a string literal is counted as well; if that unbalances the text, the check is left to the database.
    if (sql[i] === '(') depth++;
    if (sql[i] === ')' && --depth === 0) return sql.slice(open + 1, i);
  }
  return undefined;
}

const names = (list: Tree[]): string[] => list.map((each) => each.String.sval);
