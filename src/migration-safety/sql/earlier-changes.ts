import { quotedTable } from './quote.ts';
import type { Statement, Tree } from './statements.ts';

interface TableNow {
  /** Its name in the database before the run, quoted; undefined if the run creates it. */
  before: string | undefined;
  /** Rows that the run adds leave the others as they are; otherwise which rows there will be is unknown. */
  rows: 'same' | 'more' | 'unknown';
  columns: Map<string, ColumnNow>;
}

interface ColumnNow {
  before: string | undefined;
  /** Of the rows before the run: an added column without a default is null, one that is updated is unknown. */
  values: 'same' | 'null' | 'unknown';
}

/**
 * What the statements of a run change before the next one: nothing of it is in the database yet, so a question about the
 * next statement has to be asked with the names of now, and not at all where the answer will be another one.
 */
export class EarlierChanges {
  private readonly tables = new Map<string, TableNow>();
  /** After code whose effect is unknown, such as a DO block. */
  unknown = false;

  /** `sideEffects`: the result of SIDE_EFFECTS. */
  constructor(private readonly sideEffects: ReadonlySet<string> = new Set()) {}

  /** The name of the table in the database as it is, quoted; undefined if the run creates it. */
  tableBefore(relation: Tree): string | undefined {
    return this.table(relation).before;
  }

  columnBefore(relation: Tree, column: string): string | undefined {
    return columnOf(this.table(relation), column).before;
  }

  /** What the values of the column will be in the rows that the table has now. */
  valuesOf(relation: Tree, column: string): ColumnNow['values'] {
    const table = this.table(relation);
    return this.unknown || table.rows === 'unknown' ? 'unknown' : columnOf(table, column).values;
  }

  /** Whether the rows that the table has now will still be there; with `exactly`, whether there will be no others. */
  keepsRows(relation: Tree, exactly = false): boolean {
    const { before, rows } = this.table(relation);
    return !this.unknown && before !== undefined && (rows === 'same' || (rows === 'more' && !exactly));
  }

  /** Takes note of a statement that will run before the next one. */
  add(statement: Statement): void {
    EFFECTS[statement.kind]?.(this, statement.tree);
    if (!DATA.has(statement.kind)) for (const [kind, tree] of nestedData(statement.tree)) EFFECTS[kind]?.(this, tree);
  }

  created(relation: Tree): void {
    this.tables.set(keyOf(relation), { before: undefined, rows: 'unknown', columns: new Map() });
  }

  moved(from: Tree, to: Tree): void {
    this.tables.set(keyOf(to), this.table(from));
    this.created(from);
  }

  column(relation: Tree, name: string, now: Partial<ColumnNow>): void {
    const table = this.table(relation);
    table.columns.set(name, { ...columnOf(table, name), ...now });
    this.tables.set(keyOf(relation), table);
  }

  /** The statement adds rows, or may remove some. */
  rows(relation: Tree, rows: 'more' | 'unknown'): void {
    const table = this.table(relation);
    if (table.rows !== 'unknown') table.rows = rows;
    this.tables.set(keyOf(relation), table);
    this.sideEffectsOf(relation, ['insert', ...(rows === 'unknown' ? ['delete'] : [])]);
  }

  updated(relation: Tree, columns: string[]): void {
    for (const column of columns) this.column(relation, column, { values: 'unknown' });
    this.sideEffectsOf(relation, ['update', ...columns.map((column) => `update ${column}`)]);
  }

  private sideEffectsOf(relation: Tree, effects: string[]): void {
    this.unknown ||= effects.some((effect) => this.sideEffects.has(sideEffect(relation, effect)));
  }

  private table(relation: Tree): TableNow {
    const before = quotedTable(relation);
    return this.tables.get(keyOf(relation)) ?? { before, rows: 'same', columns: new Map() };
  }
}

/**
 * Asks which changes of rows change other rows as well, by a trigger, a rule, or the action of a foreign key: 'insert',
 * 'delete', 'update', or 'update' and the column.
 */
export const SIDE_EFFECTS = `
with effects (relation, effect) as (
  select tgrelid, unnest(array[case when tgtype & 4 > 0 then 'insert' end, case when tgtype & 8 > 0 then 'delete' end,
         case when tgtype & 16 > 0 and tgattr::text = '' then 'update' end]) from pg_trigger where not tgisinternal
  union select t.tgrelid, 'update ' || a.attname from pg_trigger t join pg_attribute a on a.attrelid = t.tgrelid and a.attnum = any (t.tgattr)
         where not t.tgisinternal and t.tgtype & 16 > 0
  union select ev_class, unnest(array['insert', 'update', 'delete']) from pg_rewrite where ev_type <> '1'
  union select confrelid, 'delete' from pg_constraint where contype = 'f' and confdeltype in ('c', 'n', 'd')
  union select f.confrelid, 'update ' || a.attname from pg_constraint f join pg_attribute a on a.attrelid = f.confrelid and a.attnum = any (f.confkey)
         where f.contype = 'f' and f.confupdtype in ('c', 'n', 'd'))
select n.nspname as schema, c.relname as name, effect
  from effects join pg_class c on c.oid = relation join pg_namespace n on n.oid = c.relnamespace
 where effect is not null and n.nspname not in ('pg_catalog', 'information_schema')`;

/** The rows of that query as the set that EarlierChanges takes. */
export const asSideEffects = (rows: Record<string, unknown>[]) =>
  new Set(
    rows.map(({ schema, name, effect }) =>
      sideEffect({ schemaname: String(schema), relname: String(name) }, String(effect)),
    ),
  );

const sideEffect = (relation: Tree, effect: string) => `${keyOf(relation)} ${effect}`;

const DATA = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

type Effect = (changes: EarlierChanges, tree: Tree) => void;

/** By the kind of statement. What is not listed changes neither rows nor the names of tables and columns. */
const EFFECTS: Record<string, Effect> = {
  CreateStmt: (changes, { relation }) => changes.created(relation),
  CreateTableAsStmt: (changes, { into }) => changes.created(into.rel),
  DropStmt: (changes, { removeType, objects }) => {
    if (removeType === 'OBJECT_TABLE') for (const each of objects) changes.created(relationOf(each));
    else if (removeType === 'OBJECT_SCHEMA') changes.unknown = true;
  },
  RenameStmt: (changes, { renameType, relation, subname, newname }) => {
    if (renameType === 'OBJECT_TABLE') changes.moved(relation, { ...relation, relname: newname });
    else if (renameType === 'OBJECT_SCHEMA') changes.unknown = true;
    else if (renameType === 'OBJECT_COLUMN' && relation) {
      const before = changes.columnBefore(relation, subname);
      changes.column(relation, newname, { before, values: changes.valuesOf(relation, subname) });
      changes.column(relation, subname, { before: undefined, values: 'unknown' });
    }
  },
  AlterObjectSchemaStmt: (changes, { objectType, relation, newschema }) => {
    if (objectType === 'OBJECT_TABLE') changes.moved(relation, { ...relation, schemaname: newschema });
  },
  AlterTableStmt: (changes, { relation, cmds }) => {
    for (const { AlterTableCmd: cmd } of cmds) COMMANDS[cmd.subtype]?.(changes, relation, cmd);
  },
  InsertStmt: (changes, { relation, onConflictClause }) =>
    changes.rows(relation, onConflictClause?.action === 'ONCONFLICT_UPDATE' ? 'unknown' : 'more'),
  UpdateStmt: (changes, { relation, targetList }) =>
    changes.updated(
      relation,
      targetList.map(({ ResTarget: target }: Tree) => target.name),
    ),
  DeleteStmt: (changes, { relation }) => changes.rows(relation, 'unknown'),
  MergeStmt: (changes, { relation }) => changes.rows(relation, 'unknown'),
  CopyStmt: (changes, { relation, is_from }) => {
    if (relation && is_from) changes.rows(relation, 'more');
  },
  TruncateStmt: (changes, { relations, behavior }) => {
    for (const { RangeVar: relation } of relations) changes.rows(relation, 'unknown');
    if (behavior === 'DROP_CASCADE') changes.unknown = true;
  },
  DoStmt: (changes) => {
    changes.unknown = true;
  },
  CallStmt: (changes) => {
    changes.unknown = true;
  },
  // A function may change rows, and the search path decides which table a name means.
  SelectStmt: (changes, tree) => {
    changes.unknown ||= JSON.stringify(tree).includes('"FuncCall":');
  },
  VariableSetStmt: (changes, { name }) => {
    changes.unknown ||= name === 'search_path';
  },
};

/** By the subtype of an ALTER TABLE command. */
const COMMANDS: Record<string, (changes: EarlierChanges, relation: Tree, cmd: Tree) => void> = {
  AT_AddColumn: (changes, relation, { def, missing_ok }) => {
    const { colname, constraints = [], typeName } = def.ColumnDef;
    const empty = !missing_ok && !fillsColumn(constraints, typeName);
    changes.column(relation, colname, { before: undefined, values: empty ? 'null' : 'unknown' });
  },
  AT_DropColumn: (changes, relation, { name }) =>
    changes.column(relation, name, { before: undefined, values: 'unknown' }),
  AT_AlterColumnType: (changes, relation, { name }) => changes.column(relation, name, { values: 'unknown' }),
  AT_AttachPartition: (changes, relation) => changes.rows(relation, 'more'),
  AT_DetachPartition: (changes, relation) => changes.rows(relation, 'unknown'),
  AT_AddInherit: (changes, relation) => changes.rows(relation, 'more'),
};

/** Whether a column with these constraints has a value in the rows that exist when it is added. */
export function fillsColumn(constraints: Tree[], typeName: Tree): boolean {
  const kinds = constraints.map(({ Constraint }) => Constraint.contype);
  const filled = ['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'].some((kind) => kinds.includes(kind));
  return filled || /serial/.test(typeName?.names?.at(-1)?.String?.sval ?? '');
}

/** The data-changing statements in the common table expressions of a statement. */
export function nestedData(tree: Tree): [kind: string, tree: Tree][] {
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([key, value]) => [
    ...(DATA.has(key) ? [[key, value] as [string, Tree]] : []),
    ...nestedData(value),
  ]);
}

/** The table that DROP TABLE names, as a RangeVar. */
export function relationOf(object: Tree): { schemaname?: string; relname: string } {
  const [relname = '', schemaname] = object.List.items.map((item: Tree) => item.String.sval).reverse();
  return { ...(schemaname && { schemaname }), relname };
}

const columnOf = ({ before, columns }: TableNow, name: string): ColumnNow =>
  columns.get(name) ?? { before: before && name, values: before ? 'same' : 'unknown' };

/** A table by its name; a name without a schema is taken for one in public. */
const keyOf = (relation: Tree): string =>
  quotedTable(relation.schemaname === 'public' ? { relname: relation.relname } : relation);
