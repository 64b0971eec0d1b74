import type { Tree } from '../sql/statements.ts';
import { columnType, isWidening } from './column-type.ts';
import { columnName } from './conditions.ts';
import { tableKey } from './known-schema.ts';
import {
  addsColumn,
  addsColumnToLarge,
  alters,
  altersLarge,
  before,
  type Context,
  declaresColumn,
  hasConstraint,
  inUse,
  type Rule,
  statement,
  typeName,
} from './rule.ts';
import { isVolatile } from './volatile.ts';

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
    matches: altersLarge('AT_AddColumn', ({ def }, { routines }) =>
      (def.ColumnDef.constraints ?? []).some(
        ({ Constraint: { contype, raw_expr } }: Tree) => contype === 'CONSTR_DEFAULT' && isVolatile(raw_expr, routines),
      ),
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
    matches: (s, context) =>
      altersLarge('AT_SetExpression')(s, context) ||
      addsColumnToLarge((_column, constraints) =>
        constraints.some(({ contype, generated_kind }) => contype === 'CONSTR_GENERATED' && generated_kind !== 'v'),
      )(s, context),
  },
  {
    code: 'change-type',
    severity: 'error',
    harm: 'Usually the whole table and its indexes are rewritten while reads and writes are blocked, and values may not fit.',
    instead: 'a new column of the new type, both written, filled in batches; or say why this change rewrites nothing.',
    matches: altersLarge(
      'AT_AlterColumnType',
      (cmd, context, s) => !keepsRows(cmd, context, tableKey(s.tree.relation)),
    ),
  },
  {
    code: 'set-not-null',
    severity: 'error',
    harm: 'The whole table is scanned for nulls while reads and writes are blocked.',
    instead:
      'a check (column is not null) not valid, validated in the next migration; then set not null scans nothing.',
    matches: altersLarge(['AT_SetNotNull', 'AT_AddConstraint'], ({ subtype, name, def }, context, s) =>
      subtype === 'AT_SetNotNull'
        ? !isProvedNotNull(s.tree.relation, name, context)
        : def.Constraint?.contype === 'CONSTR_NOTNULL' &&
          !def.Constraint.skip_validation &&
          !isProvedNotNull(s.tree.relation, def.Constraint.keys[0].String.sval, context),
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
    code: 'drop-default',
    severity: 'warning',
    harm: 'Inserts that leave the column out, as in code that is still running, get a null, or fail if it is not null.',
    instead: 'first deploy code that always gives a value.',
    matches: alters(
      'AT_ColumnDefault',
      ({ name, def }, context, s) => def === undefined && !isReplaced(s.tree.relation, name, context),
    ),
  },
  {
    code: 'drop-identity',
    severity: 'error',
    harm: 'The sequence is dropped, and inserts that leave the column out fail.',
    instead: 'a default from another sequence in the same migration; or first deploy code that gives every value.',
    matches: alters('AT_DropIdentity', ({ name }, context, s) => !isReplaced(s.tree.relation, name, context)),
  },
  {
    code: 'drop-expression',
    severity: 'warning',
    harm: 'The column keeps its values, and is no longer computed for rows that are written from now on.',
    instead: 'a trigger that computes it, or code that writes it, first.',
    matches: alters('AT_DropExpression'),
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

/** Whether later or other subcommands of the migration give the column another source of values, or drop it. */
const isReplaced = (relation: Tree, column: string, { statements, index }: Context) =>
  statements
    .slice(index)
    .filter(({ kind, tree }) => kind === 'AlterTableStmt' && tableKey(tree.relation) === tableKey(relation))
    .flatMap(({ tree }) => tree.cmds.map((each: Tree) => each.AlterTableCmd))
    .some(
      ({ subtype, name, def }: Tree) =>
        name === column &&
        (['AT_AddIdentity', 'AT_DropColumn'].includes(subtype) ||
          (subtype === 'AT_ColumnDefault' && def !== undefined)),
    );

/** Whether PostgreSQL neither rewrites nor scans the table for this change of type. */
function keepsRows({ name, def }: Tree, { known }: Context, table: string): boolean {
  const column = def.ColumnDef;
  const from = known.typeOf(table, name);
  const to = columnType(column);
  const using = column.raw_default;
  // `using name::type` is what happens without it.
  const isPlainCast =
    columnName(using?.TypeCast?.arg) === name &&
    JSON.stringify(columnType(using.TypeCast)) === JSON.stringify({ ...to, collation: '' });
  return (
    from !== undefined && (using === undefined || isPlainCast) && !known.isChecked(table, name) && isWidening(from, to)
  );
}

/**
 * Whether the column has no nulls, so that no scan looks for them. A constraint that no known statement adds is taken at
 * its name when this migration validates it: it stands in a migration that depends on data.
 */
const isProvedNotNull = (relation: Tree, column: string, context: Context) =>
  context.known.isRequired(tableKey(relation), column) ||
  before(context).some(
    ({ kind, tree }) =>
      kind === 'AlterTableStmt' &&
      tableKey(tree.relation) === tableKey(relation) &&
      tree.cmds.some(
        ({ AlterTableCmd: cmd }: Tree) =>
          cmd.subtype === 'AT_ValidateConstraint' && !context.known.constraint(tableKey(relation), cmd.name),
      ),
  );
