import { qualifiedName, quotedTable } from './quote.ts';
import type { Statement, Tree } from './statements.ts';

/** What a statement does to everybody else while it runs. */
export interface TableLock {
  table: string;
  lock: keyof typeof BLOCKED_BY;
}

/** PostgreSQL's table locks, by what has to wait for them; the order is their strength. */
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

type Lock = keyof typeof BLOCKED_BY;

/** What ALTER TABLE takes when it does not take the strongest. */
const weakerAlterations: Record<string, Lock> = {
  AT_ValidateConstraint: 'SHARE UPDATE EXCLUSIVE',
  AT_SetStatistics: 'SHARE UPDATE EXCLUSIVE',
  AT_SetOptions: 'SHARE UPDATE EXCLUSIVE',
  AT_ClusterOn: 'SHARE UPDATE EXCLUSIVE',
  AT_SetRelOptions: 'SHARE UPDATE EXCLUSIVE',
  AT_AttachPartition: 'SHARE UPDATE EXCLUSIVE',
  AT_EnableTrig: 'SHARE ROW EXCLUSIVE',
  AT_DisableTrig: 'SHARE ROW EXCLUSIVE',
};

type Reader = (tree: Tree) => TableLock[];

const one = (relation: { schemaname?: string; relname: string } | undefined, lock: Lock): TableLock[] =>
  relation ? [{ table: quotedTable(relation), lock }] : [];

/** The tables a statement locks, by kind of statement. */
const readers: Record<string, Reader> = {
  AlterTableStmt: (tree) => {
    if (tree.objtype !== 'OBJECT_TABLE') return [];
    const commands = tree.cmds.map((each: Tree) => each.AlterTableCmd);
    const foreign = commands.flatMap((cmd: Tree) => (cmd.def?.Constraint?.pktable ? [cmd.def.Constraint.pktable] : []));
    const taken: Lock[] = commands.map((cmd: { subtype: string; def?: { Constraint?: { contype: string } } }) =>
      cmd.def?.Constraint?.contype === 'CONSTR_FOREIGN'
        ? 'SHARE ROW EXCLUSIVE'
        : (weakerAlterations[cmd.subtype] ?? 'ACCESS EXCLUSIVE'),
    );
    return [
      ...one(tree.relation, strongest(taken)),
      ...foreign.flatMap((relation: Tree) => one(relation, 'SHARE ROW EXCLUSIVE')),
    ];
  },
  IndexStmt: (tree) => one(tree.relation, tree.concurrent ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE'),
  // An index or a view is renamed by the same statement, and is no table.
  RenameStmt: (tree) =>
    ['OBJECT_TABLE', 'OBJECT_COLUMN', 'OBJECT_TABCONSTRAINT'].includes(tree.renameType)
      ? one(tree.relation, 'ACCESS EXCLUSIVE')
      : [],
  CreateTrigStmt: (tree) => one(tree.relation, 'SHARE ROW EXCLUSIVE'),
  InsertStmt: (tree) => one(tree.relation, 'ROW EXCLUSIVE'),
  UpdateStmt: (tree) => one(tree.relation, 'ROW EXCLUSIVE'),
  DeleteStmt: (tree) => one(tree.relation, 'ROW EXCLUSIVE'),
  TruncateStmt: (tree) => tree.relations.flatMap((each: Tree) => one(each.RangeVar, 'ACCESS EXCLUSIVE')),
  ClusterStmt: (tree) => one(tree.relation, 'ACCESS EXCLUSIVE'),
  VacuumStmt: (tree) => {
    const full = tree.options?.some((each: Tree) => each.DefElem?.defname === 'full');
    return (tree.rels ?? []).flatMap((each: Tree) =>
      one(each.VacuumRelation?.relation, full ? 'ACCESS EXCLUSIVE' : 'SHARE UPDATE EXCLUSIVE'),
    );
  },
  LockStmt: (tree) =>
    tree.relations.flatMap((each: Tree) =>
      one(each.RangeVar, (Object.keys(BLOCKED_BY) as Lock[])[tree.mode - 1] ?? 'ACCESS EXCLUSIVE'),
    ),
  DropStmt: (tree) =>
    tree.removeType === 'OBJECT_TABLE'
      ? tree.objects.map((each: Tree) => ({
          table: qualifiedName(...each.List.items.map((item: Tree) => item.String.sval)),
          lock: 'ACCESS EXCLUSIVE',
        }))
      : [],
  RefreshMatViewStmt: (tree) => one(tree.relation, tree.concurrent ? 'EXCLUSIVE' : 'ACCESS EXCLUSIVE'),
  CreatePolicyStmt: (tree) => one(tree.table, 'ACCESS EXCLUSIVE'),
};

/** The locks on tables that are there already; a table nobody has seen yet makes nobody wait. */
export const tableLocksOf = ({ kind, tree }: Statement): TableLock[] => readers[kind]?.(tree) ?? [];

function strongest(locks: Lock[]): Lock {
  const order = Object.keys(BLOCKED_BY) as Lock[];
  return locks.reduce<Lock>((a, b) => (order.indexOf(a) > order.indexOf(b) ? a : b), 'ACCESS SHARE');
}
