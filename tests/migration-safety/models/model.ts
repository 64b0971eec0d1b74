/** Everything that entities declare, as plain data: it prints as a counterexample, and toEntities makes entities of it. */
export interface Model {
  tables: Table[];
  views: View[];
  /** The values of native enums by name. A table's schema has its own type of that name. */
  enums: Record<string, string[]>;
}

export interface Table {
  schema: string;
  name: string;
  comment?: string;
  columns: Column[];
  references: Reference[];
  /** Names of columns and references' columns. */
  key: string[];
  indexes: Index[];
  checks: Check[];
  triggers: Trigger[];
  policies: Policy[];
  /** The id and the columns' names (by their new ones) in the model that this one is a change of. */
  was?: string;
  columnsWere?: Record<string, string>;
}

export interface Column {
  name: string;
  /** A key of COLUMN_TYPES. */
  type: string;
  /** Of the type 'enum', a text with a check. */
  values?: string[];
  /** Of the type 'native enum', a key of Model.enums. */
  enumName?: string;
  nullable?: boolean;
  /** SQL. */
  default?: string;
  unique?: boolean;
  identity?: 'serial' | 'by default' | 'always';
  generated?: { as: 'half' | 'lower' | 'length'; of: string };
  collation?: string;
  comment?: string;
}

export interface Reference {
  columns: string[];
  /** The id of a table. */
  to: string;
  /** A unique column, instead of the key. */
  toColumn?: string;
  nullable?: boolean;
  unique?: boolean;
  onDelete?: Rule;
  onUpdate?: Rule;
  deferrable?: Deferrable;
  comment?: string;
}

export type Rule = 'cascade' | 'set null' | 'restrict' | 'no action' | 'set default';
export type Deferrable = 'deferred' | 'immediate';

export interface Index {
  /** Made by MikroORM of the columns' names if it is absent. */
  name?: string;
  columns: string[];
  unique?: boolean;
  method?: 'hash' | 'gin' | 'gist' | 'brin';
  expression?: 'lower' | 'coalesce';
  where?: Condition;
  descending?: boolean;
  include?: string[];
  fillFactor?: number;
  /** Of a unique constraint. */
  deferrable?: Deferrable;
}

export interface Condition {
  is: 'not null' | 'between' | 'in' | 'case' | 'ordered';
  columns: string[];
}

export interface Check extends Condition {
  name: string;
}

export interface Trigger {
  name: string;
  timing: 'before' | 'after';
  events: ('insert' | 'update' | 'delete')[];
  each: 'row' | 'statement';
  when?: string;
  /** Assigns a column of the row to itself, or updates a column of another table, or does nothing. */
  does: { assign: string } | { update: string; column: string } | 'nothing';
}

/** A policy on rows whose column is not null. */
export interface Policy {
  name: string;
  command: 'all' | 'select' | 'update' | 'delete';
  column: string;
  restrictive?: boolean;
}

export interface View {
  schema: string;
  name: string;
  /** The id of a table or of an earlier view. */
  of: string;
  columns: string[];
  where?: Condition;
  materialized?: boolean;
}

export const idOf = ({ schema, name }: { schema: string; name: string }) => `${schema}.${name}`;

/** A name as the database keeps it: its first 63 bytes. */
export function databaseName(name: string): string {
  let kept = name;
  while (Buffer.byteLength(kept) > 63) kept = kept.slice(0, -1);
  return kept;
}

/** The names of all columns of a table, of references too, in the order of the table. */
export const columnNames = ({ columns, references }: Table) => [
  ...columns.map(({ name }) => name),
  ...references.flatMap((reference) => reference.columns),
];

/** The type of a column, of a reference's too: a key of COLUMN_TYPES. */
export function typeOf(model: Model, table: Table, name: string): string {
  const column = table.columns.find((each) => each.name === name);
  if (column) return column.type;
  const reference = table.references.find(({ columns }) => columns.includes(name));
  const target = model.tables.find((each) => idOf(each) === reference?.to);
  if (!reference || !target) throw new Error(`${idOf(table)} has no column ${name}.`);
  const position = reference.columns.indexOf(name);
  return typeOf(model, target, reference.toColumn ?? (target.key[position] as string));
}
