import type { Tree } from '../sql/statements.ts';
import { columnName, impliesNotNull } from './conditions.ts';
import { KnownSchema, tableKey } from './known-schema.ts';
import { nodes } from './nested-statements.ts';
import { addsConstraint, after, alters, before, type Context, drops, inUse, type Rule, statement } from './rule.ts';

const PER_PARTITION =
  'alter table only … add the constraint; add it to each partition through an index that is built concurrently; then alter index … attach partition.';

/** Constraints, whose check of the existing rows blocks other sessions. */
export const CONSTRAINT_RULES: Rule[] = [
  {
    code: 'validated-foreign-key',
    severity: 'error',
    harm: 'Writes to both tables are blocked while every row is checked.',
    instead: 'add it not valid; validate it in the next migration, which blocks neither reads nor writes.',
    ifPartitioned:
      'add it not valid to each partition and validate it there; then add it here, which checks no row again, and say so in safeBecause.',
    matches: addsConstraint('CONSTR_FOREIGN', (constraint) => !constraint.skip_validation),
  },
  {
    code: 'validated-check',
    severity: 'error',
    harm: 'Reads and writes are blocked while every row is checked.',
    instead: 'add it not valid; validate it in the next migration, which blocks neither reads nor writes.',
    matches: addsConstraint('CONSTR_CHECK', (constraint) => !constraint.skip_validation),
  },
  {
    code: 'validated-at-once',
    severity: 'error',
    harm: 'The strong lock of adding it is held until the end of the transaction, so the validation blocks reads and writes after all.',
    instead: 'validate it in a separate migration.',
    matches: alters(
      'AT_ValidateConstraint',
      (cmd, context, s) =>
        context.transactional &&
        before(context).some(
          ({ tree }) =>
            tableKey(tree.relation) === tableKey(s.tree.relation) &&
            tree.cmds?.some(({ AlterTableCmd: c }: Tree) => c?.def?.Constraint?.conname === cmd.name),
        ),
    ),
  },
  {
    code: 'require-column',
    severity: 'warning',
    harm: 'Writes of code that is still running fail if they leave the column out, or set it to null.',
    instead: 'first deploy code that always gives a value; or give the column a default.',
    matches: alters(['AT_SetNotNull', 'AT_AddConstraint'], (cmd, { known }, { tree }) =>
      requiredBy(cmd).some((column) => !known.acceptsNoNull(tableKey(tree.relation), column)),
    ),
  },
  {
    code: 'blocking-unique',
    severity: 'error',
    harm: 'Its index is built while reads and writes are blocked.',
    instead: 'create unique index concurrently, then add constraint … unique using index.',
    ifPartitioned: PER_PARTITION,
    matches: addsConstraint('CONSTR_UNIQUE', (constraint) => !constraint.indexname),
  },
  {
    code: 'blocking-primary-key',
    severity: 'error',
    harm: 'Its index is built, and the column checked for nulls, while reads and writes are blocked.',
    instead: 'create unique index concurrently on a not null column, then add constraint … primary key using index.',
    ifPartitioned: PER_PARTITION,
    matches: addsConstraint('CONSTR_PRIMARY', (constraint) => !constraint.indexname),
  },
  {
    code: 'exclusion-constraint',
    severity: 'error',
    harm: 'Its index is built while reads and writes are blocked, and there is no concurrent form.',
    instead: 'create it together with the table; or use a maintenance window, and give a reason.',
    matches: addsConstraint('CONSTR_EXCLUSION'),
  },
  {
    code: 'nameless-constraint',
    severity: 'warning',
    harm: 'PostgreSQL generates a name, which varies if it is taken; down and the entities cannot rely on it.',
    instead: 'constraint <name> …',
    matches: alters('AT_AddConstraint', (cmd) => cmd.def.Constraint && !cmd.def.Constraint.conname),
  },
  {
    code: 'drop-primary-key',
    severity: 'error',
    harm: 'Duplicate rows become possible, foreign keys to the table fail, and replication stops.',
    instead: 'add the other key in the same statement or transaction.',
    matches: alters('AT_DropConstraint', ({ name }, context, s) => {
      const known = context.known.constraint(tableKey(s.tree.relation), name);
      const isKey = known ? known.contype === 'CONSTR_PRIMARY' : /_pkey$/.test(name);
      return isKey && !addsPrimaryKey(s, context);
    }),
  },
  {
    code: 'drop-unique',
    severity: 'error',
    harm: 'Duplicate rows become possible, upserts that name its columns fail, and it is hard to get back.',
    instead:
      'first deploy code that neither relies on it nor upserts by it; or make the unique index that replaces it first.',
    matches: (s, context) => alters('AT_DropConstraint', dropsUnique)(s, context) || dropsUniqueIndex(s, context),
  },
  {
    code: 'domain-constraint',
    severity: 'error',
    harm: 'Every table that uses the domain is scanned while reads and writes are blocked.',
    instead: 'add it not valid; validate it in the next migration.',
    matches: statement('AlterDomainStmt', (tree) => tree.def?.Constraint && !tree.def.Constraint.skip_validation),
  },
  {
    code: 'several-tables-locked',
    severity: 'warning',
    harm: 'The lock on the first table is held while the migration waits for the second: it can deadlock with a transaction that takes them in the opposite order.',
    instead: 'a separate migration for each table.',
    matches: statement(
      'AlterTableStmt',
      (tree, context) =>
        context.transactional &&
        inUse(tree.relation, context) &&
        takesStrongLock(tree) &&
        before(context).some(
          (earlier) =>
            earlier.kind === 'AlterTableStmt' &&
            takesStrongLock(earlier.tree) &&
            inUse(earlier.tree.relation, context) &&
            tableKey(earlier.tree.relation) !== tableKey(tree.relation),
        ),
    ),
  },
];

/** Whether ALTER TABLE does more than validate constraints. */
const takesStrongLock = (tree: Tree) =>
  tree.objtype === 'OBJECT_TABLE' &&
  tree.cmds.some(({ AlterTableCmd: cmd }: Tree) => cmd.subtype !== 'AT_ValidateConstraint');

/** Whether a primary key is added to the table in this statement, or after it in the same transaction. */
const addsPrimaryKey = ({ tree }: { tree: Tree }, context: Context) =>
  [{ tree }, ...(context.transactional ? after(context) : [])].some(
    (each) =>
      tableKey(each.tree.relation) === tableKey(tree.relation) &&
      each.tree.cmds?.some(({ AlterTableCmd: cmd }: Tree) => cmd?.def?.Constraint?.contype === 'CONSTR_PRIMARY'),
  );

/** The columns that a command of ALTER TABLE requires. */
function requiredBy({ subtype, name, def }: Tree): string[] {
  if (subtype === 'AT_SetNotNull') return [name];
  const { contype, raw_expr, keys = [] } = def.Constraint;
  if (contype === 'CONSTR_NOTNULL') return keys.map((each: Tree) => each.String.sval);
  const columns = nodes(raw_expr ?? null, 'ColumnRef').map((node) => columnName({ ColumnRef: node }) ?? '');
  return columns.filter((column) => impliesNotNull(raw_expr, column));
}

const dropsUnique = ({ name }: Tree, context: Context, { tree }: { tree: Tree }): boolean =>
  losesUniqueness(tableKey(tree.relation), name, context);

const dropsUniqueIndex = drops('OBJECT_INDEX', ({ objects }, context) =>
  objects.some((each: Tree) => {
    const name = each.List.items.at(-1).String.sval;
    const table = context.known.tableOfIndex(name);
    return table !== undefined && !context.createdTables.has(table) && losesUniqueness(table, name, context);
  }),
);

/** Whether the name is that of a unique constraint or index, and no other makes the same columns unique, now or later. */
function losesUniqueness(table: string, name: string, context: Context): boolean {
  const dropped = context.known.constraint(table, name);
  if (!dropped) return /_(unique|uniq|key|uk)$/.test(name);
  const kept = context.known.constraintsOf(table).filter(([other]) => other !== name);
  const added = new KnownSchema(after(context)).constraintsOf(table);
  return (
    dropped.contype === 'CONSTR_UNIQUE' &&
    ![...kept, ...added].some(
      ([, { contype, columns }]) =>
        ['CONSTR_UNIQUE', 'CONSTR_PRIMARY'].includes(contype) &&
        columns.length > 0 &&
        columns.every((column) => dropped.columns.includes(column)),
    )
  );
}
