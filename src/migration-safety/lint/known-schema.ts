import type { Statement, Tree } from '../sql/statements.ts';
import { type ColumnType, columnType } from './column-type.ts';
import { impliesNotNull } from './conditions.ts';
import { nodes } from './nested-statements.ts';

/** The name of a table for comparisons: unquoted, and without "public". */
export const tableKey = (relation: { schemaname?: string; relname?: string } | undefined): string =>
  relation
    ? [relation.schemaname === 'public' ? '' : relation.schemaname, relation.relname].filter(Boolean).join('.')
    : '';

interface Table {
  isPartitioned?: boolean;
  columns: Map<string, Column>;
  constraints: Map<string, Constraint>;
}

interface Column {
  type: ColumnType;
  required: boolean;
}

/** A constraint, or a unique index. */
interface Constraint {
  contype: string;
  columns: string[];
  expression?: Tree;
  validated: boolean;
}

/** What earlier statements say about tables. What no statement says is unknown, not absent. */
export class KnownSchema {
  private readonly tables = new Map<string, Table>();

  constructor(statements: readonly Statement[] = []) {
    for (const statement of statements) this.apply(statement);
  }

  /** Takes in what a statement changes. */
  apply({ kind, tree }: Statement): void {
    CHANGES[kind]?.(tree, this.tables);
  }

  typeOf(table: string, column: string): ColumnType | undefined {
    return this.tables.get(table)?.columns.get(column)?.type;
  }

  /** Whether the column has no nulls: it is not null, or a validated check says so. */
  isRequired(table: string, column: string): boolean {
    return this.isRequiredBy(table, column, ({ validated }) => validated);
  }

  /** Whether new rows have no nulls in the column: a check that is not validated says so of them. */
  acceptsNoNull(table: string, column: string): boolean {
    return this.isRequiredBy(table, column, () => true);
  }

  private isRequiredBy(table: string, column: string, counts: (constraint: Constraint) => boolean): boolean {
    return (
      this.tables.get(table)?.columns.get(column)?.required === true ||
      this.constraintsOf(table).some(
        ([, each]) => counts(each) && each.expression && impliesNotNull(each.expression, column),
      )
    );
  }

  isPartitioned(table: string): boolean {
    return this.tables.get(table)?.isPartitioned === true;
  }

  constraint(table: string, name: string): Constraint | undefined {
    return this.tables.get(table)?.constraints.get(name);
  }

  constraintsOf(table: string): [name: string, Constraint][] {
    return [...(this.tables.get(table)?.constraints ?? [])];
  }

  /** The table of a unique index or constraint. */
  tableOfIndex(name: string): string | undefined {
    return [...this.tables].find(([, { constraints }]) => constraints.get(name)?.contype === 'CONSTR_UNIQUE')?.[0];
  }

  /** Whether a check reads the column: changing its type checks every row again. */
  isChecked(table: string, column: string): boolean {
    return this.constraintsOf(table).some(
      ([, { expression }]) => expression && nodes(expression, 'ColumnRef').some((each) => last(each.fields) === column),
    );
  }
}

type Change = (tree: Tree, tables: Map<string, Table>) => void;

const CHANGES: Record<string, Change> = {
  CreateStmt: (tree, tables) => {
    const key = tableKey(tree.relation);
    if (tree.if_not_exists && tables.has(key)) return;
    tables.set(key, { isPartitioned: Boolean(tree.partspec), columns: new Map(), constraints: new Map() });
    for (const { ColumnDef, Constraint } of tree.tableElts ?? []) {
      if (ColumnDef) addColumn(tableFor(key, tables), tree.relation.relname, ColumnDef);
      if (Constraint) addConstraint(tableFor(key, tables), tree.relation.relname, Constraint);
    }
  },
  AlterTableStmt: (tree, tables) => {
    if (tree.objtype !== 'OBJECT_TABLE') return;
    const table = tableFor(tableKey(tree.relation), tables);
    for (const { AlterTableCmd: cmd } of tree.cmds) ALTERATIONS[cmd.subtype]?.(cmd, table, tree.relation.relname);
  },
  IndexStmt: ({ idxname, relation, unique, whereClause, indexParams }, tables) => {
    const columns: string[] = indexParams.map((each: Tree) => each.IndexElem.name).filter(Boolean);
    if (!unique || !idxname || whereClause || columns.length < indexParams.length) return;
    const { constraints } = tableFor(tableKey(relation), tables);
    constraints.set(idxname, { contype: 'CONSTR_UNIQUE', columns, validated: true });
  },
  DropStmt: ({ removeType, objects }, tables) => {
    for (const { List } of objects ?? []) {
      if (!List) continue;
      const [relname, schemaname] = List.items.map((item: Tree) => item.String?.sval).reverse();
      if (removeType === 'OBJECT_TABLE') tables.delete(tableKey({ schemaname, relname }));
      if (removeType === 'OBJECT_INDEX') for (const { constraints } of tables.values()) constraints.delete(relname);
    }
  },
  RenameStmt: ({ renameType, relation, subname, newname }, tables) => {
    const key = tableKey(relation);
    const table = tables.get(key);
    if (renameType === 'OBJECT_TABLE') move(tables, key, tableKey({ ...relation, relname: newname }));
    if (renameType === 'OBJECT_TABCONSTRAINT' && table) move(table.constraints, subname, newname);
    if (renameType === 'OBJECT_INDEX')
      for (const { constraints } of tables.values()) move(constraints, relation.relname, newname);
    if (renameType === 'OBJECT_COLUMN' && table) {
      move(table.columns, subname, newname);
      for (const constraint of table.constraints.values()) {
        constraint.columns = constraint.columns.map((each) => (each === subname ? newname : each));
        constraint.expression = renamed(constraint.expression, subname, newname);
      }
    }
  },
  AlterObjectSchemaStmt: ({ objectType, relation, newschema }, tables) => {
    if (objectType === 'OBJECT_TABLE')
      move(tables, tableKey(relation), tableKey({ ...relation, schemaname: newschema }));
  },
};

type Alteration = (cmd: Tree, table: Table, relname: string) => void;

const ALTERATIONS: Record<string, Alteration> = {
  AT_AddColumn: (cmd, table, relname) => addColumn(table, relname, cmd.def.ColumnDef),
  AT_DropColumn: (cmd, { columns, constraints }) => {
    columns.delete(cmd.name);
    for (const [name, constraint] of constraints) if (constraint.columns.includes(cmd.name)) constraints.delete(name);
  },
  AT_AlterColumnType: (cmd, { columns }) => {
    columns.set(cmd.name, { required: columns.get(cmd.name)?.required ?? false, type: columnType(cmd.def.ColumnDef) });
  },
  AT_SetNotNull: (cmd, table) => setRequired(table, cmd.name, true),
  AT_DropNotNull: (cmd, table) => setRequired(table, cmd.name, false),
  AT_AddConstraint: (cmd, table, relname) => addConstraint(table, relname, cmd.def.Constraint),
  AT_ValidateConstraint: (cmd, { constraints }) => {
    const constraint = constraints.get(cmd.name);
    if (constraint) constraint.validated = true;
  },
  AT_DropConstraint: (cmd, { constraints }) => void constraints.delete(cmd.name),
};

function tableFor(key: string, tables: Map<string, Table>): Table {
  const table = tables.get(key) ?? { columns: new Map(), constraints: new Map() };
  tables.set(key, table);
  return table;
}

function addColumn(table: Table, relname: string, definition: Tree): void {
  if (table.columns.has(definition.colname)) return;
  const constraints: Tree[] = (definition.constraints ?? []).map((each: Tree) => each.Constraint);
  const required = constraints.some(({ contype }) => REQUIRING.has(contype));
  table.columns.set(definition.colname, { type: columnType(definition), required });
  for (const each of constraints)
    addConstraint(table, relname, { ...each, keys: [{ String: { sval: definition.colname } }] });
}

const REQUIRING = new Set(['CONSTR_NOTNULL', 'CONSTR_PRIMARY', 'CONSTR_IDENTITY']);

function addConstraint(table: Table, relname: string, { conname, contype, keys, raw_expr, indexname, ...rest }: Tree) {
  const suffix = SUFFIXES[contype];
  if (!suffix) return;
  const columns = table.constraints.get(indexname)?.columns ?? (keys ?? []).map((each: Tree) => each.String.sval);
  table.constraints.delete(indexname);
  if (contype === 'CONSTR_PRIMARY') for (const column of columns) setRequired(table, column, true);
  const name = conname ?? [relname, ...(contype === 'CONSTR_PRIMARY' ? [] : columns), suffix].join('_');
  table.constraints.set(name, { contype, columns, expression: raw_expr, validated: !rest.skip_validation });
}

/** The ends of the names that PostgreSQL generates. */
const SUFFIXES: Record<string, string> = {
  CONSTR_PRIMARY: 'pkey',
  CONSTR_UNIQUE: 'key',
  CONSTR_CHECK: 'check',
  CONSTR_FOREIGN: 'fkey',
};

function setRequired({ columns }: Table, column: string, required: boolean): void {
  const known = columns.get(column);
  if (known) known.required = required;
}

function move<T>(map: Map<string, T>, from: string, to: string): void {
  const value = map.get(from);
  if (value === undefined) return;
  map.delete(from);
  map.set(to, value);
}

const last = (fields: Tree[]): string => fields.at(-1)?.String?.sval ?? '';

const renamed = (expression: Tree | undefined, from: string, to: string): Tree | undefined =>
  expression && JSON.parse(JSON.stringify(expression), (key, value) => (key === 'sval' && value === from ? to : value));
