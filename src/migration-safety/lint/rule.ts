import type { Tree } from '../sql/statements.ts';
import { type KnownSchema, tableKey } from './known-schema.ts';
import type { LintedStatement, Routines } from './nested-statements.ts';

export { tableKey };

/** One kind of harmful statement: how to find it in the parse tree, the harm, and what to write instead. */
export interface Rule {
  code: string;
  /** An error stops migration:up; a warning is only printed. */
  severity: 'error' | 'warning';
  harm: string;
  instead: string;
  /** What to write instead of this statement, if its names make that clearer. */
  insteadOf?: (statement: LintedStatement) => string;
  /** What to write instead if the table is partitioned: PostgreSQL refuses the forms that lock less there. */
  ifPartitioned?: string;
  matches: Matcher;
}

type Matcher = (statement: LintedStatement, context: Context) => boolean;

/** What a rule knows besides the statement. */
export interface Context {
  transactional: boolean;
  /** The statements of the migration, each followed by those that run inside of it. */
  statements: readonly LintedStatement[];
  /** The position of the statement among them. */
  index: number;
  /** What the statements before this one, in earlier migrations too, say about tables. */
  known: KnownSchema;
  /** The functions and procedures that those and this migration define. */
  routines: Routines;
  /** The tables that this migration created before this statement. */
  createdTables: Set<string>;
  /** The tables known to be small in the database that the migration is about to change. */
  smallTables: ReadonlySet<string>;
}

/** A condition on one node of the statement. */
type Condition = (node: Tree, context: Context, statement: LintedStatement) => boolean;

/** A statement of this kind (or one of these) for which the condition holds. */
export const statement =
  (kinds: string | string[], condition: Condition = () => true): Matcher =>
  (s, context) =>
    [kinds].flat().includes(s.kind) && condition(s.tree, context, s);

/** ALTER TABLE on a table in use, with a subcommand of this type (or one of these). */
export const alters = (types: string | string[], condition?: Condition) => altersWhen(inUse, types, condition);

/** ALTER TABLE on a table that is in use and may be large, with a subcommand of this type (or one of these). */
export const altersLarge = (types: string | string[], condition?: Condition) =>
  altersWhen(mayBeLarge, types, condition);

const altersWhen = (
  matters: (relation: Tree, context: Context) => boolean,
  types: string | string[],
  condition: Condition = () => true,
) =>
  statement(
    'AlterTableStmt',
    (tree, context, s) =>
      tree.objtype === 'OBJECT_TABLE' &&
      matters(tree.relation, context) &&
      tree.cmds.some(
        ({ AlterTableCmd: cmd }: Tree) => [types].flat().includes(cmd.subtype) && condition(cmd, context, s),
      ),
  );

/** ADD CONSTRAINT of this type, on a table that is in use and may be large. */
export const addsConstraint = (type: string, condition: (constraint: Tree) => boolean = () => true) =>
  altersLarge('AT_AddConstraint', (cmd) => cmd.def.Constraint?.contype === type && condition(cmd.def.Constraint));

type ColumnCondition = (column: Tree, constraints: Tree[]) => boolean;

/** ADD COLUMN on a table in use. */
export const addsColumn = (condition: ColumnCondition) => alters('AT_AddColumn', onColumn(condition));

/** ADD COLUMN on a table that is in use and may be large. */
export const addsColumnToLarge = (condition: ColumnCondition) => altersLarge('AT_AddColumn', onColumn(condition));

const onColumn =
  (condition: ColumnCondition): Condition =>
  ({ def: { ColumnDef: column } }) =>
    condition(
      column,
      (column.constraints ?? []).map((each: Tree) => each.Constraint),
    );

/** A column of a new table, or one that is added. */
export const declaresColumn =
  (condition: (column: Tree) => boolean): Matcher =>
  (s) =>
    columnsOf(s).some((column) => condition(column));

function columnsOf({ kind, tree }: LintedStatement): Tree[] {
  if (kind === 'CreateStmt')
    return (tree.tableElts ?? []).flatMap((each: Tree) => (each.ColumnDef ? [each.ColumnDef] : []));
  if (kind !== 'AlterTableStmt') return [];
  return tree.cmds.flatMap(({ AlterTableCmd: cmd }: Tree) =>
    cmd.def?.ColumnDef && cmd.subtype === 'AT_AddColumn' ? [cmd.def.ColumnDef] : [],
  );
}

/** DROP of this type of object (or one of these). */
export const drops = (types: string | string[], condition: Condition = () => true) =>
  statement('DropStmt', (tree, context, s) => [types].flat().includes(tree.removeType) && condition(tree, context, s));

/** Whether other sessions use this table: this migration did not create it. */
export const inUse = (relation: Tree, context: Context) => !context.createdTables.has(tableKey(relation));

/** Whether the table is in use and large enough for a scan to matter. Without a database every table may be. */
export const mayBeLarge = (relation: Tree, context: Context) =>
  inUse(relation, context) && !context.smallTables.has(tableKey(relation)) && !hasNoRows(relation, context);

/** `only` a partitioned table: its rows are in the partitions. */
const hasNoRows = (relation: Tree, { known }: Context) => !relation.inh && known.isPartitioned(tableKey(relation));

/** Whether DROP TABLE names only tables that this migration created. */
export const dropsOnlyCreated = (tree: Tree, context: Context) =>
  tree.objects.every((each: Tree) => !inUse(relationOf(each.List.items), context));

/** A name in parts, such as schema and table, as the relation that other statements have. */
export function relationOf(names: Tree[]): { schemaname?: string; relname?: string } {
  const [relname, schemaname] = names.map((each) => each.String?.sval).reverse();
  return { schemaname, relname };
}

/** The statements of the migration before this one. */
export const before = ({ statements, index }: Context) => statements.slice(0, index);

/** The statements of the migration after this one. */
export const after = ({ statements, index }: Context) => statements.slice(index + 1);

export const hasConstraint = (constraints: Tree[], type: string) => constraints.some(({ contype }) => contype === type);

/** The type of a column without its schema: int4, varchar, serial. */
export const typeName = (column: Tree): string => column.typeName?.names?.at(-1)?.String?.sval ?? '';
