import type { Tree } from '../sql/statements.ts';
import {
  addsColumn,
  addsColumnToLarge,
  alters,
  altersLarge,
  bare,
  declaresColumn,
  has,
  inUse,
  type Rule,
  statement,
  typeOf,
} from './rule.ts';

/** Functions whose answer is the same for the whole statement: PostgreSQL stores it once, and rewrites nothing. */
const steady = new Set(['now', 'current_timestamp', 'transaction_timestamp', 'statement_timestamp']);

/** Columns: what they are added with, changed to, and called. */
export const COLUMN_RULES: Rule[] = [
  {
    code: 'drop-column',
    severity: 'error',
    harm: 'The values are gone, and code that still runs fails on the missing column.',
    instead: 'first deploy code that does not use it; then drop it, and say in safeBecause how you know.',
    finds: alters('AT_DropColumn'),
  },
  {
    code: 'rename-column',
    severity: 'warning',
    harm: 'Code that still runs uses the old name, and fails until it is replaced.',
    instead:
      'add the new column, write both, fill it, read the new one, drop the old one; or say why nothing runs meanwhile.',
    finds: statement(
      'RenameStmt',
      (tree, context) => tree.renameType === 'OBJECT_COLUMN' && inUse(tree.relation, context),
    ),
  },
  {
    code: 'required-column',
    severity: 'error',
    harm: 'It fails as soon as there is a row, and code that still runs can not insert.',
    instead: 'a default; or nullable first, filled, then made not null.',
    finds: addsColumn(
      (_, constraints) =>
        has(constraints, 'CONSTR_NOTNULL') &&
        !['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'].some((type) => has(constraints, type)),
    ),
  },
  {
    code: 'volatile-default',
    severity: 'error',
    harm: 'Every row gets a value of its own, so the whole table is written anew while everybody waits.',
    instead: 'add the column without it, set the default, then fill the old rows in batches.',
    finds: addsColumnToLarge((_, constraints) =>
      constraints.some(({ contype, raw_expr }) => contype === 'CONSTR_DEFAULT' && callsVolatile(raw_expr)),
    ),
  },
  {
    code: 'serial-column',
    severity: 'error',
    harm: 'Every row gets a number, so the whole table is written anew while everybody waits.',
    instead: 'a nullable column with a sequence as its default, filled in batches.',
    finds: addsColumnToLarge(
      (column, constraints) => /^(small|big)?serial[248]?$/.test(typeOf(column)) || has(constraints, 'CONSTR_IDENTITY'),
    ),
  },
  {
    code: 'generated-column',
    severity: 'error',
    harm: 'The expression is computed for every row while everybody waits.',
    instead: 'a nullable column kept by a trigger, filled in batches; or a view.',
    finds: addsColumnToLarge((_, constraints) =>
      constraints.some(({ contype, generated_kind }) => contype === 'CONSTR_GENERATED' && generated_kind !== 'v'),
    ),
  },
  {
    code: 'change-type',
    severity: 'error',
    harm: 'Mostly the whole table and its indexes are written anew while everybody waits, and values may not fit.',
    instead: 'a new column of the new type, both written, filled in batches; or say why this change rewrites nothing.',
    finds: altersLarge('AT_AlterColumnType'),
  },
  {
    code: 'set-not-null',
    severity: 'error',
    harm: 'The whole table is scanned for nulls while everybody waits.',
    instead:
      'a check (column is not null) not valid, validated in the next migration; then set not null scans nothing.',
    finds: altersLarge(
      'AT_SetNotNull',
      (_cmd, { statements, index }, s) =>
        !statements.slice(0, index).some((earlier) => validates(earlier.tree, bare(s.tree.relation))),
    ),
  },
  {
    code: 'drop-not-null',
    severity: 'warning',
    harm: 'Code that still runs may not expect a null.',
    instead: 'first deploy code that can read one.',
    finds: alters('AT_DropNotNull'),
  },
  {
    code: 'inline-foreign-key',
    severity: 'error',
    harm: 'Writes to both tables wait while the reference is checked.',
    instead: 'add the column, then the constraint not valid, then validate it in the next migration.',
    finds: addsColumn((_, constraints) => has(constraints, 'CONSTR_FOREIGN')),
  },
  {
    code: 'inline-unique',
    severity: 'error',
    harm: 'Its index is built while readers and writers wait.',
    instead: 'add the column, then create unique index concurrently, then add constraint … using index.',
    finds: addsColumnToLarge(
      (_, constraints) => has(constraints, 'CONSTR_UNIQUE') || has(constraints, 'CONSTR_PRIMARY'),
    ),
  },
  {
    code: 'inline-check',
    severity: 'error',
    harm: 'The whole table is scanned while everybody waits.',
    instead: 'add the column, then the check not valid, then validate it in the next migration.',
    finds: addsColumnToLarge((_, constraints) => has(constraints, 'CONSTR_CHECK')),
  },
  {
    code: 'json-column',
    severity: 'warning',
    harm: 'json has no equality: select distinct and group by fail on the whole row.',
    instead: 'jsonb.',
    finds: declaresColumn((column) => typeOf(column) === 'json'),
  },
  {
    code: 'char-column',
    severity: 'warning',
    harm: 'char(n) pads with spaces, and compares without them.',
    instead: 'text, with a check on its length if it has one.',
    finds: declaresColumn((column) => typeOf(column) === 'bpchar'),
  },
  {
    code: 'timestamp-without-zone',
    severity: 'warning',
    harm: 'It does not say which moment it means; the session’s time zone decides.',
    instead: 'timestamptz.',
    finds: declaresColumn((column) => typeOf(column) === 'timestamp'),
  },
  {
    code: 'money-column',
    severity: 'warning',
    harm: 'The locale of the server decides what its text means.',
    instead: 'numeric, and a column for the currency.',
    finds: declaresColumn((column) => typeOf(column) === 'money'),
  },
  {
    code: 'small-key',
    severity: 'warning',
    harm: 'smallserial is full after 32,767 rows, and inserts fail from then on.',
    instead: 'bigint generated by default as identity.',
    finds: declaresColumn((column) => ['smallserial', 'serial2'].includes(typeOf(column))),
  },
];

function callsVolatile(expression: Tree): boolean {
  return (
    /"FuncCall":/.test(JSON.stringify(expression ?? {})) && functionsIn(expression).some((name) => !steady.has(name))
  );
}

const functionsIn = (expression: Tree): string[] =>
  [...JSON.stringify(expression).matchAll(/"FuncCall":\{"funcname":\[(.*?)\]/g)].map(
    ([, names]) => [...(names ?? '').matchAll(/"sval":"(.*?)"/g)].at(-1)?.[1] ?? '',
  );

const validates = (tree: Tree, table: string) =>
  bare(tree?.relation) === table &&
  tree.cmds?.some(({ AlterTableCmd: cmd }: Tree) => cmd?.subtype === 'AT_ValidateConstraint');
