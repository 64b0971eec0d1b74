import { isUserSchema } from '../catalog/user-objects.ts';
import type { RenameAnswers } from '../renames/renames.ts';
import type { Execute } from '../sql/execute.ts';
import type { Statement, Tree } from '../sql/statements.ts';

export interface PastColumn {
  name: string;
  /** As PostgreSQL prints it: character varying(255). */
  type: string;
  required: boolean;
  /** The table that a foreign key of this column alone refers to. */
  references: PastTableName | undefined;
}

export interface PastTableName {
  schema: string;
  name: string;
}

/** A table as it is at one point of history. */
export interface PastTable extends PastTableName {
  columns: Map<string, PastColumn>;
}

export interface FoundTable {
  table: PastTable;
  /** The names of its columns by their names of today. */
  names: Map<string, string>;
}

/** The tables of a database, found by their names of today. */
export class PastTables {
  private constructor(
    private readonly tables: Map<string, PastTable>,
    private readonly renames: Tree[],
    private readonly answers: RenameAnswers,
  ) {}

  /** Reads the tables of now. They are renamed by what migrations run from here on, and then as `answers` say. */
  static async read(execute: Execute, later: readonly Statement[], answers: RenameAnswers): Promise<PastTables> {
    const tables = new Map<string, PastTable>();
    for (const row of await execute(COLUMNS)) {
      const { schema, table, name, type, required, referenced_schema, referenced_table } = row as Record<
        string,
        string
      >;
      const key = keyOf(`${schema}`, `${table}`);
      if (!tables.has(key)) tables.set(key, { schema: `${schema}`, name: `${table}`, columns: new Map() });
      const references = referenced_table ? { schema: `${referenced_schema}`, name: referenced_table } : undefined;
      tables
        .get(key)
        ?.columns.set(`${name}`, { name: `${name}`, type: `${type}`, required: Boolean(required), references });
    }
    const renames = later.filter(({ kind }) => kind === 'RenameStmt' || kind === 'AlterObjectSchemaStmt');
    return new PastTables(
      tables,
      renames.map(({ tree }) => tree).filter((tree) => tree.relation),
      answers,
    );
  }

  /** The table that has this name today. */
  find(schema: string, name: string, columns: string[]): FoundTable | undefined {
    const then = { schema, name };
    const names = new Map(columns.map((column) => [column, column]));
    this.undoAnswers(then, names);
    for (const { relation, renameType, subname, newname, newschema } of [...this.renames].reverse()) {
      const before = { schema: relation.schemaname ?? 'public', name: relation.relname };
      if (newschema) {
        if (then.schema === newschema && then.name === before.name) then.schema = before.schema;
      } else if (then.schema !== before.schema) continue;
      else if (renameType === 'OBJECT_TABLE' && then.name === newname) then.name = before.name;
      else if (renameType === 'OBJECT_COLUMN' && then.name === before.name)
        for (const [today, past] of names) if (past === newname) names.set(today, subname);
    }
    const table = this.tables.get(keyOf(then.schema, then.name)) ?? this.tables.get(keyOf(schema, name));
    if (!table) return undefined;
    for (const [today, past] of names) if (!table.columns.has(past)) names.set(today, today);
    return { table, names };
  }

  private undoAnswers(table: PastTableName, names: Map<string, string>): void {
    const nameOf = ({ schema, name }: PastTableName) => (schema === 'public' ? name : `${schema}.${name}`);
    for (const [before, after] of this.answers)
      for (const [today, past] of names)
        if (before.startsWith(`${nameOf(table)}.`) && after === past)
          names.set(today, before.slice(nameOf(table).length + 1));
    for (const [before, after] of this.answers)
      if (after === nameOf(table)) table.name = before.split('.').at(-1) ?? '';
  }

  /** The tables that may get another name in a migration that is not written yet: half of their columns are these. */
  findSimilar(columns: string[], taken: ReadonlySet<PastTable>): FoundTable[] {
    const shared = (table: PastTable) => columns.filter((column) => table.columns.has(column)).length;
    const similar = [...this.tables.values()].filter(
      (table) => !taken.has(table) && shared(table) * 2 >= table.columns.size,
    );
    return similar.map((table) => ({ table, names: new Map(columns.map((column) => [column, column])) }));
  }
}

const keyOf = (schema: string, name: string) => JSON.stringify([schema, name]);

const COLUMNS = `select n.nspname as schema, c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
    rn.nspname as referenced_schema, r.relname as referenced_table
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  left join pg_constraint k on k.conrelid = c.oid and k.contype = 'f' and k.conkey = array[a.attnum]
  left join pg_class r on r.oid = k.confrelid left join pg_namespace rn on rn.oid = r.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped
    and ${isUserSchema}
  order by 1, 2, a.attnum`;
