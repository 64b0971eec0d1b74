import type { Tree } from '../sql/statements.ts';
import {
  addsColumn,
  addsColumnToLarge,
  alters,
  altersLarge,
  declaresColumn,
  hasConstraint,
  inUse,
  type Rule,
  statement,
  tableKey,
  typeName,
} from './rule.ts';

/** Added, changed, renamed and dropped columns. */
export const COLUMN_RULES: Rule[] = [
  {
    code: 'drop-column',
    severity: 'error',
    harm: 'The values are lost, and code that is still running fails on the missing column.',
    instead: 'first deploy code that does not use it; then drop it, and say in safeBecause how you know.',
    matches: alters('AT_DropColumn'),
  },
  {
    code: 'rename-column',
    severity: 'warning',
    harm: 'Code that is still running uses the old name and fails.',
    instead:
      'add the new column, write both, fill it, read the new one, drop the old one; or say why no code is running meanwhile.',
    matches: statement(
      'RenameStmt',
      (tree, context) => tree.renameType === 'OBJECT_COLUMN' && inUse(tree.relation, context),
    ),
  },
  {
    code: 'required-column',
    severity: 'error',
    harm: 'It fails if the table has rows, and code that is still running cannot insert.',
    instead: 'a default; or nullable first, filled, then set not null.',
    matches: addsColumn(
      (_column, constraints) =>
        hasConstraint(constraints, 'CONSTR_NOTNULL') &&
        !['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'].some((type) => hasConstraint(constraints, type)),
    ),
  },
  {
    code: 'volatile-default',
    severity: 'error',
    harm: 'Each row gets its own value, so the whole table is rewritten while reads and writes are blocked.',
    instead: 'add the column without the default, set the default, then fill the old rows in batches.',
    matches: addsColumnToLarge((_column, constraints) =>
      constraints.some(({ contype, raw_expr }) => contype === 'CONSTR_DEFAULT' && callsVolatile(raw_expr)),
    ),
  },
  {
    code: 'serial-column',
    severity: 'error',
    harm: 'Each row gets a number, so the whole table is rewritten while reads and writes are blocked.',
    instead: 'a nullable column with a sequence as its default, filled in batches.',
    matches: addsColumnToLarge(
      (column, constraints) =>
        /^(small|big)?serial[248]?$/.test(typeName(column)) || hasConstraint(constraints, 'CONSTR_IDENTITY'),
    ),
  },
  {
    code: 'generated-column',
    severity: 'error',
    harm: 'The expression is computed for every row while reads and writes are blocked.',
    instead: 'a nullable column maintained by a trigger, filled in batches; or a view.',
    matches: addsColumnToLarge((_column, constraints) =>
      constraints.some(({ contype, generated_kind }) => contype === 'CONSTR_GENERATED' && generated_kind !== 'v'),
    ),
  },
  {
    code: 'change-type',
    severity: 'error',
    harm: 'Usually the whole table and its indexes are rewritten while reads and writes are blocked, and values may not fit.',
    instead: 'a new column of the new type, both written, filled in batches; or say why this change rewrites nothing.',
    matches: altersLarge('AT_AlterColumnType'),
  },
  {
    code: 'set-not-null',
    severity: 'error',
    harm: 'The whole table is scanned for nulls while reads and writes are blocked.',
    instead:
      'a check (column is not null) not valid, validated in the next migration; then set not null scans nothing.',
    matches: altersLarge(
      'AT_SetNotNull',
      (_cmd, context, s) =>
        !context.statements
          .slice(0, context.index)
          .some((earlier) => validates(earlier.tree, tableKey(s.tree.relation))),
    ),
  },
  {
    code: 'drop-not-null',
    severity: 'warning',
    harm: 'Code that is still running may not expect a null.',
    instead: 'first deploy code that accepts null.',
    matches: alters('AT_DropNotNull'),
  },
  {
    code: 'inline-foreign-key',
    severity: 'error',
    harm: 'Writes to both tables are blocked while the reference is checked.',
    instead: 'add the column, then the constraint not valid, then validate it in the next migration.',
    matches: addsColumn((_column, constraints) => hasConstraint(constraints, 'CONSTR_FOREIGN')),
  },
  {
    code: 'inline-unique',
    severity: 'error',
    harm: 'Its index is built while reads and writes are blocked.',
    instead: 'add the column, then create unique index concurrently, then add constraint … using index.',
    matches: addsColumnToLarge(
      (_column, constraints) =>
        hasConstraint(constraints, 'CONSTR_UNIQUE') || hasConstraint(constraints, 'CONSTR_PRIMARY'),
    ),
  },
  {
    code: 'inline-check',
    severity: 'error',
    harm: 'The whole table is scanned while reads and writes are blocked.',
    instead: 'add the column, then the check not valid, then validate it in the next migration.',
    matches: addsColumnToLarge((_column, constraints) => hasConstraint(constraints, 'CONSTR_CHECK')),
  },
  {
    code: 'json-column',
    severity: 'warning',
    harm: 'json has no equality operator: select distinct and group by fail on the whole row.',
    instead: 'jsonb.',
    matches: declaresColumn((column) => typeName(column) === 'json'),
  },
  {
    code: 'char-column',
    severity: 'warning',
    harm: 'char(n) pads with spaces, and ignores them in comparisons.',
    instead: 'text, with a check on its length if it has one.',
    matches: declaresColumn((column) => typeName(column) === 'bpchar'),
  },
  {
    code: 'timestamp-without-zone',
    severity: 'warning',
    harm: 'Which moment it means depends on the session’s time zone.',
    instead: 'timestamptz.',
    matches: declaresColumn((column) => typeName(column) === 'timestamp'),
  },
  {
    code: 'money-column',
    severity: 'warning',
    harm: 'Its text format depends on the locale of the server.',
    instead: 'numeric, and a column for the currency.',
    matches: declaresColumn((column) => typeName(column) === 'money'),
  },
  {
    code: 'small-key',
    severity: 'warning',
    harm: 'smallserial is exhausted after 32,767 rows, and inserts fail from then on.',
    instead: 'bigint generated by default as identity.',
    matches: declaresColumn((column) => ['smallserial', 'serial2'].includes(typeName(column))),
  },
];

/** Functions that return one value for the whole statement: PostgreSQL stores it once and rewrites nothing. */
const STABLE_FUNCTIONS = new Set(['now', 'current_timestamp', 'transaction_timestamp', 'statement_timestamp']);

function callsVolatile(expression: Tree): boolean {
  return (
    /"FuncCall":/.test(JSON.stringify(expression ?? {})) &&
    functionsIn(expression).some((name) => !STABLE_FUNCTIONS.has(name))
  );
}

const functionsIn = (expression: Tree): string[] =>
  [...JSON.stringify(expression).matchAll(/"FuncCall":\{"funcname":\[(.*?)\]/g)].map(
    ([, names]) => [...(names ?? '').matchAll(/"sval":"(.*?)"/g)].at(-1)?.[1] ?? '',
  );

const validates = (tree: Tree, table: string) =>
  tableKey(tree?.relation) === table &&
  tree.cmds?.some(({ AlterTableCmd: cmd }: Tree) => cmd?.subtype === 'AT_ValidateConstraint');
