import { scanSync } from 'libpg-query';
import { tableKey } from '../lint/rule.ts';
import { quote, quotedTable } from '../sql/quote.ts';
import { parseStatements, type Statement, type Tree } from '../sql/statements.ts';

/** One migration file to be written: statements there and back, and whether they share a transaction. */
export interface Draft {
  transactional: boolean;
  up: string[];
  down: string[];
}

/**
 * Turns what MikroORM would write into migrations that make nobody wait: what scans a table or builds an index moves
 * into files of its own, after the one that alters the tables. Tables that come into being here are left as they are.
 */
export function safeForms(naive: { up: string[]; down: string[] }): Draft[] {
  const up = naive.up.flatMap(parseStatements).flatMap(oneCommandEach);
  const back = new Back(naive.down.flatMap(parseStatements).flatMap(oneCommandEach));
  const created = new Set(up.flatMap(({ kind, tree }) => (kind === 'CreateStmt' ? [tableKey(tree.relation)] : [])));
  const main: Draft = { transactional: true, up: [], down: [] };
  const later: Draft[] = [];
  for (const statement of up) {
    const { kind, tree } = statement;
    const relation = kind === 'DropStmt' ? undefined : tree.relation;
    const form = relation && created.has(tableKey(relation)) ? undefined : forms.find((each) => each.fits(statement));
    if (form) form.write(statement, { main, later, back });
    else main.up.push(statement.sql);
  }
  main.down.push(...back.rest());
  return [...byTable(main, created), ...inOrder(later)].filter((draft) => draft.up.length > 0 || draft.down.length > 0);
}

interface Desk {
  main: Draft;
  later: Draft[];
  back: Back;
}

interface Form {
  fits: (statement: Statement) => boolean;
  write: (statement: Statement, desk: Desk) => void;
}

/** What is written in another form, and how. */
const forms: Form[] = [
  {
    fits: ({ kind, tree }) => kind === 'IndexStmt' && !tree.concurrent && Boolean(tree.idxname),
    write: ({ sql, tree }, { later, back }) => {
      back.take(`index ${tree.idxname}`);
      later.push(outside(concurrently(sql), `drop index concurrently if exists ${quote(tree.idxname)}`));
    },
  },
  {
    fits: ({ kind, tree }) => kind === 'DropStmt' && tree.removeType === 'OBJECT_INDEX' && !tree.concurrent,
    write: ({ tree }, { later, back }) => {
      const name = tree.objects[0].List.items.at(-1).String.sval;
      const again = back.take(`index ${name}`);
      later.push(outside(`drop index concurrently if exists ${quote(name)}`, again ? concurrently(again) : undefined));
    },
  },
  {
    fits: (s) =>
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
    fits: (s) => constraintOf(s)?.contype === 'CONSTR_UNIQUE' && !constraintOf(s)?.indexname,
    write: (s, { later, back }) => {
      const table = quotedTable(s.tree.relation);
      const { conname, keys } = constraintOf(s);
      const columns = keys.map((each: Tree) => quote(each.String.sval)).join(', ');
      const undo = back.take(`constraint ${conname}`) ?? `alter table ${table} drop constraint ${quote(conname)}`;
      // One file, though not one transaction: the constraint takes the index over, and takes it along when it goes.
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
    fits: (s) => commandOf(s)?.subtype === 'AT_SetNotNull',
    write: (s, { main, later, back }) =>
      requireValues(quotedTable(s.tree.relation), commandOf(s).name, { main, later, back }),
  },
  {
    fits: (s) => commandOf(s)?.subtype === 'AT_AddColumn' && requiredWithoutDefault(commandOf(s).def.ColumnDef),
    write: (s, { main, later, back }) => {
      const column = commandOf(s).def.ColumnDef.colname;
      const table = quotedTable(s.tree.relation);
      main.up.push(s.sql.replace(/\bnot\s+null\b/i, 'null'));
      later.push({
        transactional: true,
        up: [
          `update ${table} set ${quote(column)} = /* what the rows that are there get */ null where ${quote(column)} is null`,
        ],
        down: [],
      });
      // Between the fill and the check, so that rows written meanwhile are counted, not refused.
      const check: Draft = { transactional: true, up: [], down: [] };
      later.push(check);
      requireValues(table, column, { main: check, later, back });
    },
  },
];

/** NOT NULL by way of a check: proving it scans the table under a lock that nobody waits for. */
function requireValues(table: string, column: string, { main, later, back }: Desk): void {
  const name = `${table.replaceAll('"', '').split('.').at(-1)}_${column}_not_null`.slice(0, 63);
  const undo = back.take(`nullable ${column}`) ?? `alter table ${table} alter column ${quote(column)} drop not null`;
  main.up.push(`alter table ${table} add constraint ${quote(name)} check (${quote(column)} is not null) not valid`);
  later.push({
    transactional: true,
    up: [
      `alter table ${table} validate constraint ${quote(name)}`,
      `alter table ${table} alter column ${quote(column)} set not null`,
      `alter table ${table} drop constraint ${quote(name)}`,
    ],
    // Going down, the column may be null again; the check of the file before goes with it there.
    down: [undo, `alter table ${table} add constraint ${quote(name)} check (${quote(column)} is not null) not valid`],
  });
  main.down.push(`alter table ${table} drop constraint ${quote(name)}`);
}

/** The way back, from which statements are taken as their counterparts move to files of their own. */
class Back {
  readonly #statements: Statement[];

  constructor(statements: Statement[]) {
    this.#statements = [...statements];
  }

  /** Takes out the statement that undoes this, if there is one. */
  take(what: string): string | undefined {
    const index = this.#statements.findIndex((statement) => undoes(statement) === what);
    return index < 0 ? undefined : this.#statements.splice(index, 1)[0]?.sql;
  }

  rest(): string[] {
    return this.#statements.map(({ sql }) => sql);
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

const outside = (up: string, down: string | undefined): Draft => ({
  transactional: false,
  up: [up],
  down: down ? [down] : [],
});

const concurrently = (sql: string) =>
  sql.replace(
    /^(create\s+(?:unique\s+)?index)\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?/i,
    '$1 concurrently if not exists ',
  );

/** A table after the other: a transaction that alters two waits for the second while it holds the first. */
function byTable(draft: Draft, created: Set<string>): Draft[] {
  const tableOfStatement = (sql: string) => {
    const [statement] = parseStatements(sql);
    const altered = statement?.kind === 'AlterTableStmt' ? tableKey(statement.tree.relation) : '';
    return created.has(altered) ? '' : altered;
  };
  // What is no ALTER of a table in use (creating, renaming, dropping) keeps its order, and comes first.
  const tables = [...new Set(['', ...draft.up.map(tableOfStatement)])];
  const of = (sql: string[], table: string) =>
    sql.filter((each) => {
      const altered = tableOfStatement(each);
      return altered === table || (table === '' && !tables.includes(altered));
    });
  return tables.map((table) => ({ transactional: true, up: of(draft.up, table), down: of(draft.down, table) }));
}

/** What fills comes before what validates, and that before what builds: each needs the ones before it. */
function inOrder(drafts: Draft[]): Draft[] {
  const fills = (draft: Draft) => draft.up.every((sql) => sql.startsWith('update '));
  return [...drafts.filter(fills), ...drafts.filter((draft) => !fills(draft))];
}

/** ALTER TABLE … a, b as two statements, so that each can go where it belongs. */
function oneCommandEach(statement: Statement): Statement[] {
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
