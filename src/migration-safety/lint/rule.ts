import type { Statement, Tree } from '../sql/statements.ts';

/** One thing that hurts, how to see it in the parse tree, and what to write instead. */
export interface Rule {
  code: string;
  /** An error stops migration:up; a warning is told. */
  severity: 'error' | 'warning';
  harm: string;
  instead: string;
  finds: (statement: Statement, context: Context) => boolean;
}

/** What a rule may know besides the statement. */
export interface Context {
  transactional: boolean;
  statements: readonly Statement[];
  /** Which of the statements this is. */
  index: number;
  /** Tables that this migration has made before this statement. */
  created: Set<string>;
  /** Tables known to be small in the database that is about to be changed. */
  small: ReadonlySet<string>;
}

/** A table without quotes and without "public": the form in which tables are compared. */
export const bare = (relation: { schemaname?: string; relname?: string } | undefined): string =>
  relation
    ? [relation.schemaname === 'public' ? '' : relation.schemaname, relation.relname].filter(Boolean).join('.')
    : '';

/** Whether other people use this table: it was not made by this very migration. */
export const inUse = (relation: Tree, context: Context) => !context.created.has(bare(relation));

/** Whether it is also large enough for a scan of it to be felt; without a database to ask, every table may be. */
export const large = (relation: Tree, context: Context) =>
  inUse(relation, context) && !context.small.has(bare(relation));

type Reading = (node: Tree, context: Context, statement: Statement) => boolean;

/** Any statement of this kind for which the reading holds. */
export const statement =
  (kind: string, reads: Reading = () => true) =>
  (s: Statement, context: Context) =>
    s.kind === kind && reads(s.tree, context, s);

/** ALTER TABLE on a table in use, with a command of this type. */
export const alters = (subtype: string, reads: Reading = () => true) => altersWhen(inUse, subtype, reads);

/** ALTER TABLE on a table that is in use and may be large, with a command of this type. */
export const altersLarge = (subtype: string, reads: Reading = () => true) => altersWhen(large, subtype, reads);

const altersWhen = (matters: (relation: Tree, context: Context) => boolean, subtype: string, reads: Reading) =>
  statement(
    'AlterTableStmt',
    (tree, context, s) =>
      tree.objtype === 'OBJECT_TABLE' &&
      matters(tree.relation, context) &&
      tree.cmds.some(({ AlterTableCmd: cmd }: Tree) => cmd.subtype === subtype && reads(cmd, context, s)),
  );

/** ADD CONSTRAINT of this type, to a table that is in use and may be large. */
export const addsConstraint = (type: string, reads: (constraint: Tree) => boolean = () => true) =>
  altersLarge('AT_AddConstraint', (cmd) => cmd.def.Constraint?.contype === type && reads(cmd.def.Constraint));

/** ADD COLUMN to a table in use. */
export const addsColumn = (reads: (column: Tree, constraints: Tree[]) => boolean) =>
  alters('AT_AddColumn', readsColumn(reads));

/** ADD COLUMN to a table that is in use and may be large. */
export const addsColumnToLarge = (reads: (column: Tree, constraints: Tree[]) => boolean) =>
  altersLarge('AT_AddColumn', readsColumn(reads));

const readsColumn =
  (reads: (column: Tree, constraints: Tree[]) => boolean): Reading =>
  (cmd) =>
    reads(cmd.def.ColumnDef, constraintsOf(cmd.def.ColumnDef));

/** Any column, of a new table or added to one. */
export const declaresColumn = (reads: (column: Tree) => boolean) => (s: Statement) =>
  columnsOf(s).some((column) => reads(column));

const constraintsOf = (column: Tree): Tree[] => (column.constraints ?? []).map((each: Tree) => each.Constraint);

export const has = (constraints: Tree[], type: string) => constraints.some(({ contype }) => contype === type);

/** The name of a type without its schema: int4, varchar, serial. */
export const typeOf = (column: Tree): string => column.typeName?.names?.at(-1)?.String?.sval ?? '';

/** DROP of this kind of thing. */
export const drops = (type: string, reads: Reading = () => true) =>
  statement('DropStmt', (tree, context, s) => tree.removeType === type && reads(tree, context, s));

/** Whether DROP names only tables that this migration has made itself. */
export const onlyOwn = (tree: Tree, context: Context) =>
  tree.objects.every((each: Tree) =>
    context.created.has(
      each.List.items
        .map((i: Tree) => i.String.sval)
        .filter((n: string) => n !== 'public')
        .join('.'),
    ),
  );

function columnsOf({ kind, tree }: Statement): Tree[] {
  if (kind === 'CreateStmt')
    return (tree.tableElts ?? []).flatMap((each: Tree) => (each.ColumnDef ? [each.ColumnDef] : []));
  if (kind !== 'AlterTableStmt') return [];
  return tree.cmds.flatMap(({ AlterTableCmd: cmd }: Tree) =>
    cmd.def?.ColumnDef && cmd.subtype === 'AT_AddColumn' ? [cmd.def.ColumnDef] : [],
  );
}
