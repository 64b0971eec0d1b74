import { scanSync } from 'libpg-query';
import { tableKey } from '../lint/rule.ts';
import { quote, quotedTable } from '../sql/quote.ts';
import { parseStatements, type Statement, type Tree } from '../sql/statements.ts';

/** A migration to be written. */
export interface Draft {
  transactional: boolean;
  up: string[];
  down: string[];
}

/**
 * Turns the statements that MikroORM would write into online DDL: statements that scan a table or build an index move
 * into migrations of their own, after the one that alters the tables. Tables created here need none of this.
 */
export function toOnlineDdl(naive: { up: string[]; down: string[] }): Draft[] {
  const up = naive.up.flatMap(parseStatements).flatMap(splitCommands);
  const down = new DownStatements(naive.down.flatMap(parseStatements).flatMap(splitCommands));
  const created = new Set(up.flatMap(({ kind, tree }) => (kind === 'CreateStmt' ? [tableKey(tree.relation)] : [])));
  const main: Draft = { transactional: true, up: [], down: [] };
  const later: Draft[] = [];
  for (const statement of up) {
    const { kind, tree } = statement;
    const relation = kind === 'DropStmt' ? undefined : tree.relation;
    const isNew = relation && created.has(tableKey(relation));
    const rewrite = isNew ? undefined : REWRITES.find((each) => each.applies(statement));
    if (rewrite) rewrite.write(statement, { main, later, down });
    else main.up.push(statement.sql);
  }
  main.down.push(...down.rest());
  return [...splitByTable(main, created), ...fillsFirst(later)].filter(
    (draft) => draft.up.length > 0 || draft.down.length > 0,
  );
}

interface Output {
  main: Draft;
  /** The migrations after the main one. */
  later: Draft[];
  /** Statements of down that are not assigned to a migration yet. */
  down: DownStatements;
}

interface Rewrite {
  applies: (statement: Statement) => boolean;
  write: (statement: Statement, output: Output) => void;
}

const REWRITES: Rewrite[] = [
  {
    applies: ({ kind, tree }) => kind === 'IndexStmt' && !tree.concurrent && Boolean(tree.idxname),
    write: ({ sql, tree }, { later, down }) => {
      down.take(`index ${tree.idxname}`);
      later.push(nonTransactional(concurrently(sql), `drop index concurrently if exists ${quote(tree.idxname)}`));
    },
  },
  {
    applies: ({ kind, tree }) => kind === 'DropStmt' && tree.removeType === 'OBJECT_INDEX' && !tree.concurrent,
    write: ({ tree }, { later, down }) => {
      const name = tree.objects[0].List.items.at(-1).String.sval;
      const again = down.take(`index ${name}`);
      later.push(
        nonTransactional(`drop index concurrently if exists ${quote(name)}`, again ? concurrently(again) : undefined),
      );
    },
  },
  {
    applies: (s) =>
      ['CONSTR_FOREIGN', 'CONSTR_CHECK'].includes(constraintOf(s)?.contype) && !constraintOf(s)?.skip_validation,
    write: (s, { main, later }) => {
      main.up.push(`${s.sql} not valid`);
      later.push({
        transactional: true,
        up: [`alter table ${quotedTable(s.tree.relation)} validate constraint ${quote(constraintOf(s).conname)}`],
        down: [],
      });
    },
  },
  {
    applies: (s) => constraintOf(s)?.contype === 'CONSTR_UNIQUE' && !constraintOf(s)?.indexname,
    write: (s, { later, down }) => {
      const table = quotedTable(s.tree.relation);
      const { conname, keys } = constraintOf(s);
      const columns = keys.map((each: Tree) => quote(each.String.sval)).join(', ');
      const undo = down.take(`constraint ${conname}`) ?? `alter table ${table} drop constraint ${quote(conname)}`;
      // In one file, though not one transaction: the constraint owns the index, and dropping it drops the index.
      later.push({
        transactional: false,
        up: [
          `create unique index concurrently if not exists ${quote(conname)} on ${table} (${columns})`,
          `alter table ${table} add constraint ${quote(conname)} unique using index ${quote(conname)}`,
        ],
        down: [undo],
      });
    },
  },
  {
    applies: (s) => commandOf(s)?.subtype === 'AT_SetNotNull',
    write: (s, { main, later, down }) =>
      setNotNull(quotedTable(s.tree.relation), commandOf(s).name, { main, later, down }),
  },
  {
    applies: (s) => commandOf(s)?.subtype === 'AT_AddColumn' && requiredWithoutDefault(commandOf(s).def.ColumnDef),
    write: (s, { main, later, down }) => {
      const column = commandOf(s).def.ColumnDef.colname;
      const table = quotedTable(s.tree.relation);
      main.up.push(s.sql.replace(/\bnot\s+null\b/i, 'null'));
      later.push({
        transactional: true,
        up: [
          `update ${table} set ${quote(column)} = /* the value for existing rows */ null where ${quote(column)} is null`,
        ],
        down: [],
      });
      // After the fill, so that rows written meanwhile without a value are counted, not refused.
      const check: Draft = { transactional: true, up: [], down: [] };
      later.push(check);
      setNotNull(table, column, { main: check, later, down });
    },
  },
];

/** NOT NULL through a check constraint: validating it scans the table under a lock that blocks no reads or writes. */
function setNotNull(table: string, column: string, { main, later, down }: Output): void {
  const name = `${table.replaceAll('"', '').split('.').at(-1)}_${column}_not_null`.slice(0, 63);
  const undo = down.take(`nullable ${column}`) ?? `alter table ${table} alter column ${quote(column)} drop not null`;
  main.up.push(`alter table ${table} add constraint ${quote(name)} check (${quote(column)} is not null) not valid`);
  later.push({
    transactional: true,
    up: [
      `alter table ${table} validate constraint ${quote(name)}`,
      `alter table ${table} alter column ${quote(column)} set not null`,
      `alter table ${table} drop constraint ${quote(name)}`,
    ],
    // The down of the migration before drops this check again.
    down: [undo, `alter table ${table} add constraint ${quote(name)} check (${quote(column)} is not null) not valid`],
  });
  main.down.push(`alter table ${table} drop constraint ${quote(name)}`);
}

/** The statements of down, which are taken out as their counterparts move to migrations of their own. */
class DownStatements {
  constructor(private readonly statements: Statement[]) {}

  /** Removes and returns the statement that undoes this, if there is one. */
  take(what: string): string | undefined {
    const index = this.statements.findIndex((statement) => undoes(statement) === what);
    return index < 0 ? undefined : this.statements.splice(index, 1)[0]?.sql;
  }

  rest(): string[] {
    return this.statements.map(({ sql }) => sql);
  }
}

function undoes(statement: Statement): string | undefined {
  const { kind, tree } = statement;
  const command = commandOf(statement);
  if (kind === 'DropStmt' && tree.removeType === 'OBJECT_INDEX')
    return `index ${tree.objects[0].List.items.at(-1).String.sval}`;
  if (kind === 'IndexStmt') return `index ${tree.idxname}`;
  if (command?.subtype === 'AT_DropConstraint') return `constraint ${command.name}`;
  if (command?.subtype === 'AT_DropNotNull') return `nullable ${command.name}`;
  return undefined;
}

const commandOf = ({ kind, tree }: Statement): Tree =>
  kind === 'AlterTableStmt' && tree.cmds.length === 1 ? tree.cmds[0].AlterTableCmd : undefined;

const constraintOf = (statement: Statement): Tree => {
  const command = commandOf(statement);
  return command?.subtype === 'AT_AddConstraint' ? command.def.Constraint : undefined;
};

const requiredWithoutDefault = (column: Tree): boolean => {
  const kinds = (column.constraints ?? []).map((each: Tree) => each.Constraint.contype);
  return (
    kinds.includes('CONSTR_NOTNULL') &&
    !['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'].some((kind) => kinds.includes(kind)) &&
    !/serial/.test(column.typeName.names.at(-1).String.sval)
  );
};

const nonTransactional = (up: string, down: string | undefined): Draft => ({
  transactional: false,
  up: [up],
  down: down ? [down] : [],
});

const concurrently = (sql: string) =>
  sql.replace(
    /^(create\s+(?:unique\s+)?index)\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?/i,
    '$1 concurrently if not exists ',
  );

/** One transaction per table: one that alters two tables waits for the second while it locks the first. */
function splitByTable(draft: Draft, created: Set<string>): Draft[] {
  const tableOfStatement = (sql: string) => {
    const [statement] = parseStatements(sql);
    const altered = statement?.kind === 'AlterTableStmt' ? tableKey(statement.tree.relation) : '';
    return created.has(altered) ? '' : altered;
  };
  // All else (creating, renaming, dropping) keeps its order and comes first.
  const tables = [...new Set(['', ...draft.up.map(tableOfStatement)])];
  const of = (sql: string[], table: string) =>
    sql.filter((each) => {
      const altered = tableOfStatement(each);
      return altered === table || (table === '' && !tables.includes(altered));
    });
  return tables.map((table) => ({ transactional: true, up: of(draft.up, table), down: of(draft.down, table) }));
}

/** The updates come first: validating NOT NULL needs the filled rows. */
function fillsFirst(drafts: Draft[]): Draft[] {
  const fills = (draft: Draft) => draft.up.every((sql) => sql.startsWith('update '));
  return [...drafts.filter(fills), ...drafts.filter((draft) => !fills(draft))];
}

/** ALTER TABLE … a, b as two statements, which may go into different migrations. */
function splitCommands(statement: Statement): Statement[] {
  if (statement.kind !== 'AlterTableStmt' || statement.tree.cmds.length < 2) return [statement];
  const bytes = Buffer.from(statement.sql);
  const cuts: number[] = [];
  let depth = 0;
  for (const { text, start } of scanSync(statement.sql).tokens) {
    if (text === '(' || text === '[') depth++;
    if (text === ')' || text === ']') depth--;
    if (text === ',' && depth === 0) cuts.push(start);
  }
  const [head = ''] =
    /^\s*alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?(?:"(?:[^"]|"")*"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")*"|[\w$]+))?\s*/i.exec(
      statement.sql,
    ) ?? [];
  const from = [Buffer.byteLength(head), ...cuts.map((cut) => cut + 1)];
  const parts = from.map((start, i) =>
    bytes
      .subarray(start, cuts[i] ?? bytes.length)
      .toString()
      .trim(),
  );
  const split = parts.flatMap((part) => parseStatements(`${head.trim()} ${part}`));
  return split.some(({ syntaxError }) => syntaxError) ? [statement] : split;
}
