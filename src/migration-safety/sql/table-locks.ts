import { qualifiedName, quotedTable } from './quote.ts';
import type { Statement, Tree } from './statements.ts';

/** The lock that a statement takes on a table. */
export interface TableLock {
  table: string;
  lock: LockMode;
}

/** The locks on existing tables. A table that the statement creates is left out: no other session uses it yet. */
export const tableLocksOf = ({ kind, tree }: Statement): TableLock[] => LOCKS[kind]?.(tree) ?? [];

/** Whether the statement may lock a table while it has locked another one: that of a foreign key, which goes with many. */
export const mayLockSeveral = (statement: Statement): boolean =>
  tableLocksOf(statement).length > 1 ||
  (statement.kind === 'DropStmt' && statement.tree.removeType !== 'OBJECT_INDEX') ||
  (statement.kind === 'AlterTableStmt' &&
    statement.tree.cmds.some(({ AlterTableCmd: cmd }: Tree) => MAY_DROP_FOREIGN_KEY.has(cmd?.subtype)));

const MAY_DROP_FOREIGN_KEY = new Set(['AT_DropConstraint', 'AT_DropColumn', 'AT_AlterColumnType']);

/** What each lock mode of PostgreSQL blocks, from the weakest mode to the strongest. */
export const BLOCKED_BY = {
  'ACCESS SHARE': 'nothing',
  'ROW SHARE': 'nothing',
  'ROW EXCLUSIVE': 'nothing but other migrations',
  'SHARE UPDATE EXCLUSIVE': 'nothing but other migrations and vacuum',
  SHARE: 'writes',
  'SHARE ROW EXCLUSIVE': 'writes',
  EXCLUSIVE: 'writes',
  'ACCESS EXCLUSIVE': 'reads and writes',
} as const;

type LockMode = keyof typeof BLOCKED_BY;

/** The subcommands of ALTER TABLE that take less than ACCESS EXCLUSIVE. */
const ALTER_TABLE_LOCKS: Record<string, LockMode> = {
  AT_ValidateConstraint: 'SHARE UPDATE EXCLUSIVE',
  AT_SetStatistics: 'SHARE UPDATE EXCLUSIVE',
  AT_SetOptions: 'SHARE UPDATE EXCLUSIVE',
  AT_ClusterOn: 'SHARE UPDATE EXCLUSIVE',
  AT_SetRelOptions: 'SHARE UPDATE EXCLUSIVE',
  AT_AttachPartition: 'SHARE UPDATE EXCLUSIVE',
  AT_EnableTrig: 'SHARE ROW EXCLUSIVE',
  AT_DisableTrig: 'SHARE ROW EXCLUSIVE',
};

/** The locks that each kind of statement takes. */
const LOCKS: Record<string, (tree: Tree) => TableLock[]> = {
  AlterTableStmt: (tree) => {
    if (tree.objtype !== 'OBJECT_TABLE') return [];
    const commands = tree.cmds.map((each: Tree) => each.AlterTableCmd);
    const foreign = commands.flatMap((cmd: Tree) => (cmd.def?.Constraint?.pktable ? [cmd.def.Constraint.pktable] : []));
    const taken: LockMode[] = commands.map((cmd: { subtype: string; def?: { Constraint?: { contype: string } } }) =>
      cmd.def?.Constraint?.contype === 'CONSTR_FOREIGN'
        ? 'SHARE ROW EXCLUSIVE'
        : (ALTER_TABLE_LOCKS[cmd.subtype] ?? 'ACCESS EXCLUSIVE'),
    );
    return [
      ...lockOn(tree.relation, strongest(taken)),
      ...foreign.flatMap((relation: Tree) => lockOn(relation, 'SHARE ROW EXCLUSIVE')),
    ];
  },
  IndexStmt: (tree) => lockOn(tree.relation, tree.concurrent ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE'),
  // The same statement renames indexes and views, which are not tables.
  RenameStmt: (tree) =>
    ['OBJECT_TABLE', 'OBJECT_COLUMN', 'OBJECT_TABCONSTRAINT'].includes(tree.renameType)
      ? lockOn(tree.relation, 'ACCESS EXCLUSIVE')
      : [],
  CreateTrigStmt: (tree) => lockOn(tree.relation, 'SHARE ROW EXCLUSIVE'),
  InsertStmt: (tree) => lockOn(tree.relation, 'ROW EXCLUSIVE'),
  UpdateStmt: (tree) => lockOn(tree.relation, 'ROW EXCLUSIVE'),
  DeleteStmt: (tree) => lockOn(tree.relation, 'ROW EXCLUSIVE'),
  TruncateStmt: (tree) => tree.relations.flatMap((each: Tree) => lockOn(each.RangeVar, 'ACCESS EXCLUSIVE')),
  ClusterStmt: (tree) => lockOn(tree.relation, 'ACCESS EXCLUSIVE'),
  VacuumStmt: (tree) => {
    const full = tree.options?.some((each: Tree) => each.DefElem?.defname === 'full');
    return (tree.rels ?? []).flatMap((each: Tree) =>
      lockOn(each.VacuumRelation?.relation, full ? 'ACCESS EXCLUSIVE' : 'SHARE UPDATE EXCLUSIVE'),
    );
  },
  LockStmt: (tree) =>
    tree.relations.flatMap((each: Tree) =>
      lockOn(each.RangeVar, (Object.keys(BLOCKED_BY) as LockMode[])[tree.mode - 1] ?? 'ACCESS EXCLUSIVE'),
    ),
  DropStmt: (tree) =>
    tree.removeType === 'OBJECT_TABLE'
      ? tree.objects.map((each: Tree) => ({
          table: qualifiedName(...each.List.items.map((item: Tree) => item.String.sval)),
          lock: 'ACCESS EXCLUSIVE',
        }))
      : [],
  RefreshMatViewStmt: (tree) => lockOn(tree.relation, tree.concurrent ? 'EXCLUSIVE' : 'ACCESS EXCLUSIVE'),
  CreatePolicyStmt: (tree) => lockOn(tree.table, 'ACCESS EXCLUSIVE'),
};

function lockOn(relation: { schemaname?: string; relname: string } | undefined, lock: LockMode): TableLock[] {
  return relation ? [{ table: quotedTable(relation), lock }] : [];
}

function strongest(locks: LockMode[]): LockMode {
  const order = Object.keys(BLOCKED_BY) as LockMode[];
  return locks.reduce<LockMode>((a, b) => (order.indexOf(a) > order.indexOf(b) ? a : b), 'ACCESS SHARE');
}
