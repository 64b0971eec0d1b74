import type { Statement, Tree } from '../sql/statements.ts';
import { alters, altersLarge, bare, drops, inUse, large, onlyOwn, type Rule, statement } from './rule.ts';

/** Indexes, and tables as a whole. */
export const TABLE_RULES: Rule[] = [
  {
    code: 'blocking-index',
    severity: 'error',
    harm: 'Writes to the table wait until the index is built.',
    instead: 'create index concurrently, in a migration of its own whose isTransactional() is false.',
    finds: statement('IndexStmt', (tree, context) => !tree.concurrent && large(tree.relation, context)),
  },
  {
    code: 'blocking-drop-index',
    severity: 'error',
    harm: 'Reads and writes of the table queue behind the drop, which itself waits for every open transaction.',
    instead: 'drop index concurrently, in a migration of its own whose isTransactional() is false.',
    finds: drops('OBJECT_INDEX', (tree) => !tree.concurrent),
  },
  {
    code: 'blocking-reindex',
    severity: 'error',
    harm: 'Writes wait until the index is built anew, and so do reads that would use it.',
    instead: 'reindex index concurrently, outside a transaction.',
    finds: statement('ReindexStmt', (tree) => !option(tree.params, 'concurrently')),
  },
  {
    code: 'nameless-index',
    severity: 'warning',
    harm: 'PostgreSQL makes up a name, another one where that is taken; down and the entities can not rely on it.',
    instead: 'give the index a name.',
    finds: statement('IndexStmt', (tree) => !tree.idxname),
  },
  {
    code: 'concurrent-in-transaction',
    severity: 'error',
    harm: 'PostgreSQL refuses it inside a transaction.',
    instead: 'a migration of its own that says: override isTransactional() { return false; }',
    finds: ({ kind, tree }, { transactional }) =>
      transactional && ['IndexStmt', 'DropStmt'].includes(kind) && Boolean(tree.concurrent),
  },
  {
    code: 'drop-table',
    severity: 'error',
    harm: 'The rows are gone, and code that still runs fails on the missing table.',
    instead: 'first deploy code that does not use it; then drop it, and say in safeBecause how you know.',
    finds: drops('OBJECT_TABLE', (tree, context) => !onlyOwn(tree, context)),
  },
  {
    code: 'rename-table',
    severity: 'warning',
    harm: 'Code that still runs uses the old name, and fails until it is replaced.',
    instead:
      'rename, and leave a view of the old name until the old code is gone (create view old as select * from new).',
    finds: statement(
      'RenameStmt',
      (tree, context, s) =>
        tree.renameType === 'OBJECT_TABLE' && inUse(tree.relation, context) && !leavesView(context.statements, s),
    ),
  },
  {
    code: 'truncate',
    severity: 'error',
    harm: 'All rows are gone, and readers wait.',
    instead: 'delete in batches what really has to go.',
    finds: statement('TruncateStmt', (tree, context) =>
      tree.relations.some((each: Tree) => inUse(each.RangeVar, context)),
    ),
  },
  {
    code: 'truncate-cascade',
    severity: 'error',
    harm: 'Tables that refer to this one are emptied too, without being named.',
    instead: 'name every table.',
    finds: statement('TruncateStmt', (tree) => tree.behavior === 'DROP_CASCADE'),
  },
  {
    code: 'drop-cascade',
    severity: 'error',
    harm: 'Whatever depends on it goes too, without being named: views, foreign keys, defaults.',
    instead: 'drop what depends on it by name, then the thing itself.',
    finds: ({ kind, tree }) =>
      (kind === 'DropStmt' && tree.behavior === 'DROP_CASCADE') ||
      (kind === 'AlterTableStmt' &&
        tree.cmds.some(({ AlterTableCmd: c }: Tree) => /^AT_Drop/.test(c.subtype) && c.behavior === 'DROP_CASCADE')),
  },
  {
    code: 'set-schema',
    severity: 'error',
    harm: 'Code that still runs looks for the table in its old schema.',
    instead: 'leave a view in the old schema until the old code is gone.',
    finds: statement(
      'AlterObjectSchemaStmt',
      (tree, context) => tree.objectType === 'OBJECT_TABLE' && inUse(tree.relation, context),
    ),
  },
  {
    code: 'set-tablespace',
    severity: 'error',
    harm: 'The whole table is copied while readers and writers wait.',
    instead: 'a new table in the new tablespace, filled in batches.',
    finds: altersLarge('AT_SetTableSpace'),
  },
  {
    code: 'set-logged',
    severity: 'error',
    harm: 'The whole table is written anew while readers and writers wait.',
    instead: 'decide before the table has rows, or fill a new table in batches.',
    finds: altersLarge('AT_SetLogged'),
  },
  {
    code: 'set-unlogged',
    severity: 'error',
    harm: 'The table is written anew while everybody waits, and is empty after a crash of the server.',
    instead: 'keep it logged.',
    finds: alters('AT_SetUnLogged'),
  },
  {
    code: 'cluster',
    severity: 'error',
    harm: 'The whole table is written anew while readers and writers wait.',
    instead: 'an index, or pg_repack in a maintenance window.',
    finds: statement('ClusterStmt'),
  },
  {
    code: 'vacuum-full',
    severity: 'error',
    harm: 'The whole table is written anew while readers and writers wait.',
    instead: 'vacuum without full, or pg_repack.',
    finds: statement('VacuumStmt', (tree) => option(tree.options, 'full')),
  },
  {
    code: 'lock-table',
    severity: 'error',
    harm: 'Others wait until the end of the transaction, for a lock no statement needs.',
    instead: 'leave locking to the statements; each takes the weakest that does.',
    finds: statement(
      'LockStmt',
      (tree, context) => tree.mode >= 5 && tree.relations.some((each: Tree) => inUse(each.RangeVar, context)),
    ),
  },
  {
    code: 'attach-partition',
    severity: 'warning',
    harm: 'The new partition is scanned under a lock to prove that its rows belong there.',
    instead: 'first give it a validated check constraint that says the same as its bounds.',
    finds: alters('AT_AttachPartition'),
  },
  {
    code: 'detach-partition',
    severity: 'error',
    harm: 'Readers and writers of the whole partitioned table wait.',
    instead: 'detach partition … concurrently, outside a transaction.',
    finds: alters('AT_DetachPartition', (cmd) => !cmd.def?.PartitionCmd?.concurrent),
  },
  {
    code: 'row-security-without-policy',
    severity: 'error',
    harm: 'Without a policy nobody but the owner sees a single row.',
    instead: 'create the policy in the same migration, before it is enabled.',
    finds: alters(
      'AT_EnableRowSecurity',
      (_cmd, context, s) =>
        !context.statements.some(
          ({ kind, tree }) => kind === 'CreatePolicyStmt' && bare(tree.table) === bare(s.tree.relation),
        ),
    ),
  },
  {
    code: 'disable-trigger',
    severity: 'error',
    harm: 'What the trigger (or the foreign key behind it) guarantees stops being true for every writer.',
    instead: 'leave it on; let the trigger tell the migration apart if it must.',
    finds: (s, c) => ['AT_DisableTrig', 'AT_DisableTrigAll', 'AT_DisableTrigUser'].some((type) => alters(type)(s, c)),
  },
];

const option = (params: Tree[] | undefined, name: string) =>
  params?.some((each) => each.DefElem?.defname === name) ?? false;

/** A view of the old name, made in the same migration, keeps the old code running. */
const leavesView = (statements: readonly Statement[], rename: Statement) =>
  statements.some(({ kind, tree }) => kind === 'ViewStmt' && bare(tree.view) === bare(rename.tree.relation));
