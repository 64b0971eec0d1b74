import { hasOption, type Statement, type Tree } from '../sql/statements.ts';
import { tableKey } from './known-schema.ts';
import { alters, altersLarge, drops, dropsOnlyCreated, inUse, mayBeLarge, type Rule, statement } from './rule.ts';

/** Indexes, and tables as a whole. */
export const TABLE_RULES: Rule[] = [
  {
    code: 'blocking-index',
    severity: 'error',
    harm: 'Writes to the table are blocked until the index is built.',
    instead: 'create index concurrently, in a separate migration whose isTransactional() returns false.',
    ifPartitioned:
      'create index … on only the partitioned table; create index concurrently on each partition; then alter index … attach partition.',
    matches: statement('IndexStmt', (tree, context) => !tree.concurrent && mayBeLarge(tree.relation, context)),
  },
  {
    code: 'blocking-drop-index',
    severity: 'error',
    harm: 'Reads and writes of the table queue behind the drop, which waits for every open transaction.',
    instead:
      'drop index concurrently, in a separate migration whose isTransactional() returns false. The index of a partitioned table has no such form: drop it in a quiet hour, and give a reason.',
    matches: drops('OBJECT_INDEX', (tree) => !tree.concurrent),
  },
  {
    code: 'blocking-reindex',
    severity: 'error',
    harm: 'Writes are blocked until the index is rebuilt, and so are reads that would use it.',
    instead: 'reindex index concurrently, outside a transaction.',
    matches: statement('ReindexStmt', (tree) => !hasOption(tree.params, 'concurrently')),
  },
  {
    code: 'nameless-index',
    severity: 'warning',
    harm: 'PostgreSQL generates a name, which varies if it is taken; down and the entities cannot rely on it.',
    instead: 'give the index a name.',
    matches: statement('IndexStmt', (tree) => !tree.idxname),
  },
  {
    code: 'concurrent-in-transaction',
    severity: 'error',
    harm: 'PostgreSQL refuses it inside a transaction.',
    instead: 'a separate migration with: override isTransactional() { return false; }',
    matches: statement(['IndexStmt', 'DropStmt'], (tree, context) => context.transactional && tree.concurrent),
  },
  {
    code: 'drop-table',
    severity: 'error',
    harm: 'The rows are lost, and code that is still running fails on the missing table.',
    instead: 'first deploy code that does not use it; then drop it, and say in safeBecause how you know.',
    matches: drops('OBJECT_TABLE', (tree, context) => !dropsOnlyCreated(tree, context)),
  },
  {
    code: 'rename-table',
    severity: 'warning',
    harm: 'Code that is still running uses the old name and fails.',
    instead:
      'rename, and keep a view of the old name until the old code is gone (create view old as select * from new).',
    matches: statement(
      'RenameStmt',
      (tree, context, s) =>
        tree.renameType === 'OBJECT_TABLE' && inUse(tree.relation, context) && !keepsView(context.statements, s),
    ),
  },
  {
    code: 'truncate',
    severity: 'error',
    harm: 'All rows are lost, and reads are blocked.',
    instead: 'delete in batches, and only what has to go.',
    matches: statement('TruncateStmt', (tree, context) =>
      tree.relations.some((each: Tree) => inUse(each.RangeVar, context)),
    ),
  },
  {
    code: 'truncate-cascade',
    severity: 'error',
    harm: 'Tables that refer to this one are emptied too, without being named.',
    instead: 'name every table.',
    matches: statement('TruncateStmt', (tree) => tree.behavior === 'DROP_CASCADE'),
  },
  {
    code: 'drop-cascade',
    severity: 'error',
    harm: 'Dependent objects are dropped too, without being named: views, foreign keys, defaults.',
    instead: 'drop the dependent objects by name, then the object itself.',
    matches: statement(
      ['DropStmt', 'AlterTableStmt'],
      (tree) =>
        tree.behavior === 'DROP_CASCADE' ||
        tree.cmds?.some(({ AlterTableCmd: c }: Tree) => /^AT_Drop/.test(c.subtype) && c.behavior === 'DROP_CASCADE'),
    ),
  },
  {
    code: 'set-schema',
    severity: 'error',
    harm: 'Code that is still running expects the object in its old schema.',
    instead: 'of a table, keep a view in the old schema until the old code is gone; make anything else a second time.',
    matches: statement('AlterObjectSchemaStmt', (tree, context) => inUse(tree.relation, context)),
  },
  {
    code: 'set-tablespace',
    severity: 'error',
    harm: 'The whole table is copied while reads and writes are blocked.',
    instead: 'a new table in the new tablespace, filled in batches.',
    matches: (s, context) => s.kind === 'AlterTableMoveAllStmt' || altersLarge('AT_SetTableSpace')(s, context),
  },
  {
    code: 'set-access-method',
    severity: 'error',
    harm: 'The whole table is rewritten while reads and writes are blocked.',
    instead: 'a new table with the access method, filled in batches.',
    matches: altersLarge('AT_SetAccessMethod'),
  },
  {
    code: 'set-logged',
    severity: 'error',
    harm: 'The whole table is rewritten while reads and writes are blocked.',
    instead: 'decide before the table has rows, or fill a new table in batches.',
    matches: altersLarge('AT_SetLogged'),
  },
  {
    code: 'set-unlogged',
    severity: 'error',
    harm: 'The table is rewritten while reads and writes are blocked, and is empty after a crash of the server.',
    instead: 'keep it logged.',
    matches: alters('AT_SetUnLogged'),
  },
  {
    code: 'cluster',
    severity: 'error',
    harm: 'The whole table is rewritten while reads and writes are blocked.',
    instead: 'an index, or pg_repack in a maintenance window.',
    matches: statement('ClusterStmt'),
  },
  {
    code: 'vacuum-full',
    severity: 'error',
    harm: 'The whole table is rewritten while reads and writes are blocked.',
    instead: 'vacuum without full, or pg_repack.',
    matches: statement('VacuumStmt', (tree) => hasOption(tree.options, 'full')),
  },
  {
    code: 'lock-table',
    severity: 'error',
    harm: 'Other sessions are blocked until the end of the transaction, by a lock that no statement needs.',
    instead: 'leave locking to the statements; each takes the weakest lock it needs.',
    matches: statement(
      'LockStmt',
      (tree, context) => tree.mode >= 5 && tree.relations.some((each: Tree) => inUse(each.RangeVar, context)),
    ),
  },
  {
    code: 'attach-partition',
    severity: 'warning',
    harm: 'The new partition is scanned under a lock to check its rows against the bounds.',
    instead: 'first give it a validated check constraint that matches the bounds.',
    matches: alters('AT_AttachPartition', ({ def }, context) => {
      const partition = def.PartitionCmd.name;
      const constraints = context.known.constraintsOf(tableKey(partition));
      const isChecked = constraints.some(([, { contype, validated }]) => contype === 'CONSTR_CHECK' && validated);
      return mayBeLarge(partition, context) && !isChecked;
    }),
  },
  {
    code: 'detach-partition',
    severity: 'error',
    harm: 'Reads and writes of the whole partitioned table are blocked.',
    instead: 'detach partition … concurrently, outside a transaction.',
    matches: alters('AT_DetachPartition', (cmd) => !cmd.def?.PartitionCmd?.concurrent),
  },
  {
    code: 'drop-inheritance',
    severity: 'error',
    harm: 'Code that is still running no longer finds the rows of this table in its parent.',
    instead: 'first deploy code that reads both tables.',
    matches: alters('AT_DropInherit'),
  },
  {
    code: 'disable-trigger',
    severity: 'error',
    harm: 'The guarantee of the trigger (or of the foreign key behind it) no longer holds for any writer.',
    instead: 'keep it enabled; let the trigger recognize the migration if it must.',
    // A replica trigger fires only while a replica replays changes.
    matches: alters(['AT_DisableTrig', 'AT_DisableTrigAll', 'AT_DisableTrigUser', 'AT_EnableReplicaTrig']),
  },
];

/** Whether the migration creates a view of the old name, which keeps the old code running. */
const keepsView = (statements: readonly Statement[], rename: Statement) =>
  statements.some(({ kind, tree }) => kind === 'ViewStmt' && tableKey(tree.view) === tableKey(rename.tree.relation));
