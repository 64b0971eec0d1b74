import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { MigrationFile } from '../history/migration-file.ts';
import { MigrationProblem } from '../problems.ts';
import { excerpt } from '../sql/excerpt.ts';
import type { Execute } from '../sql/execute.ts';
import { literal, quote, quotedTable } from '../sql/quote.ts';
import type { Statement, Tree } from '../sql/statements.ts';

/** A statement that would fail on the rows that are there: what is wrong with them, and how to see them. */
interface Obstacle {
  statement: Statement;
  says: string;
  /** Selects the rows in the way. */
  rows: string;
}

/**
 * Looks for rows that the migration's statements would trip over, with plain reads, before it takes any lock. A table
 * whose rows the migration changes first is left out: nobody knows yet what they will be.
 */
export async function refuseViolatingRows(migration: MigrationFile, driver: AbstractSqlDriver): Promise<void> {
  const execute: Execute = (sql) => driver.getConnection().execute(sql);
  const changed = new Set<string>();
  const told: string[] = [];
  for (const statement of migration.dynamic.up ? [] : migration.up) {
    const { kind, tree } = statement;
    if (['UpdateStmt', 'DeleteStmt', 'InsertStmt'].includes(kind)) changed.add(quotedTable(tree.relation));
    // What code does (a DO block, a call) nobody can tell from here, so nothing after it is judged.
    if (['DoStmt', 'CallStmt'].includes(kind)) break;
    for (const { says, rows } of await obstaclesOf(statement, execute)) {
      if (tree.relation && changed.has(quotedTable(tree.relation))) continue;
      const [counted] = await execute(`select count(*)::int as n from (${rows} limit 10001) t`);
      const n = Number(counted?.n ?? 0);
      if (n > 0)
        told.push(
          [
            ...excerpt(statement.sql),
            `  ${n > 10_000 ? 'more than 10000' : n} ${n === 1 ? 'row' : 'rows'} in the way: ${says}.`,
            `  See them: ${rows};`,
          ].join('\n'),
        );
    }
  }
  if (told.length === 0) return;
  throw new MigrationProblem(
    'rows-in-the-way',
    `${migration.name} would fail on rows that are there:\n${told.join('\n')}\nPut them right in a migration before this one. Nothing of it was changed.`,
  );
}

async function obstaclesOf(statement: Statement, execute: Execute): Promise<Obstacle[]> {
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
  // The table comes into being in this very migration.
  if (columns.size === 0) return [];
  const found =
    kind === 'IndexStmt'
      ? uniqueIndex(tree, table)
      : (
          await Promise.all(
            tree.cmds.map((each: Tree) =>
              byCommand[each.AlterTableCmd.subtype]?.(each.AlterTableCmd, table, statement, execute),
            ),
          )
        ).flat();
  return found
    .filter((each): each is Found => Boolean(each) && each.columns.every((column: string) => columns.has(column)))
    .map(({ says, rows }) => ({ statement, says, rows }));
}

interface Found {
  says: string;
  rows: string;
  /** The columns it is about: one that is not there yet has no rows in the way. */
  columns: string[];
}

type Reader = (command: Tree, table: string, statement: Statement, execute: Execute) => Found[] | Promise<Found[]>;

/** What each command of ALTER TABLE demands of the rows. */
const byCommand: Record<string, Reader> = {
  AT_SetNotNull: ({ name }, table) => [nulls(table, name)],
  AT_AddColumn: ({ def }, table) => {
    const kinds = (def.ColumnDef.constraints ?? []).map((each: Tree) => each.Constraint.contype);
    const filled = ['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'].some((kind) => kinds.includes(kind));
    const serial = /serial/.test(def.ColumnDef.typeName.names.at(-1).String.sval);
    return kinds.includes('CONSTR_NOTNULL') && !filled && !serial
      ? [
          {
            says: `they have no value for the new column ${quote(def.ColumnDef.colname)}`,
            rows: `select * from ${table}`,
            columns: [],
          },
        ]
      : [];
  },
  AT_AddConstraint: ({ def }, table, { sql }) => {
    const constraint = def.Constraint;
    if (!constraint || constraint.skip_validation || constraint.indexname) return [];
    return byConstraint[constraint.contype]?.(constraint, table, sql) ?? [];
  },
  AT_ValidateConstraint: async ({ name }, table, _statement, execute) => {
    const [row] = await execute(
      `select contype, pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = to_regclass(${literal(table)}) and conname = ${literal(name)} and not convalidated`,
    );
    if (!row) return [];
    const text = `alter table ${table} add constraint ${quote(name)} ${String(row.definition).replace(/ NOT VALID$/, '')}`;
    const { parseStatements } = await import('../sql/statements.ts');
    const constraint = parseStatements(text)[0]?.tree.cmds?.[0]?.AlterTableCmd.def.Constraint;
    return constraint ? (byConstraint[constraint.contype]?.(constraint, table, text) ?? []) : [];
  },
};

const byConstraint: Record<string, (constraint: Tree, table: string, sql: string) => Found[]> = {
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
        says: `they refer to rows of ${quotedTable(pktable)} that do not exist`,
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
            says: `they violate the check (${expression})`,
            rows: `select * from ${table} where not (${expression})`,
            columns: [],
          },
        ]
      : [];
  },
};

function uniqueIndex(tree: Tree, table: string): Found[] {
  const columns = tree.indexParams.map((each: Tree) => each.IndexElem.name).filter(Boolean);
  // Expressions and partial indexes are the database's to judge.
  if (!tree.unique || tree.whereClause || columns.length !== tree.indexParams.length) return [];
  return [duplicates(table, columns)];
}

const nulls = (table: string, column: string): Found => ({
  says: `${quote(column)} is null`,
  rows: `select * from ${table} where ${quote(column)} is null`,
  columns: [column],
});

function duplicates(table: string, columns: string[]): Found {
  const list = columns.map(quote).join(', ');
  const set = columns.map((column) => `${quote(column)} is not null`).join(' and ');
  return {
    says: `the same ${list} more than once`,
    rows: `select * from ${table} where (${list}) in (select ${list} from ${table} where ${set} group by ${list} having count(*) > 1)`,
    columns,
  };
}

/** The expression of a check as it is written: the parse tree has no way back to text. */
function expressionOf(sql: string, name: string | undefined): string | undefined {
  const start = name ? sql.search(new RegExp(`"?${name.replace(/[^\w]/g, '.')}"?\\s+check\\s*\\(`, 'i')) : 0;
  const open = sql.indexOf('(', sql.toLowerCase().indexOf('check', Math.max(0, start)));
  for (let i = open, depth = 0; start >= 0 && open >= 0 && i < sql.length; i++) {
    // A parenthesis inside a text would be counted; where that leaves nothing balanced, the database judges.
    if (sql[i] === '(') depth++;
    if (sql[i] === ')' && --depth === 0) return sql.slice(open + 1, i);
  }
  return undefined;
}

const names = (list: Tree[]): string[] => list.map((each) => each.String.sval);
