import type { Execute } from '../sql/execute.ts';
import { literal } from '../sql/quote.ts';

/** The definition of each database object, by a readable name: 'table articles, column slug'. */
export type Catalog = Map<string, string>;

/**
 * Reads the definitions from PostgreSQL's catalog. MikroORM's introspection covers what entities can declare, but not
 * triggers, functions, partial indexes and the like.
 */
export async function readCatalog(execute: Execute, trackingTable: string): Promise<Catalog> {
  const catalog: Catalog = new Map();
  for (const query of Object.values(QUERIES)) {
    for (const { what, definition } of await execute(query.replaceAll('$tracking', literal(trackingTable)))) {
      catalog.set(String(what), String(definition));
    }
  }
  return catalog;
}

/** One line per difference; `a` and `b` name the two sides. */
export function differences(before: Catalog, after: Catalog, a: string, b: string): string[] {
  const lines: string[] = [];
  for (const [what, definition] of before) {
    const other = after.get(what);
    if (other === undefined) lines.push(`${what}: only ${a} has it (${definition})`);
    else if (other !== definition) lines.push(`${what}: ${a} has ${definition}, ${b} has ${other}`);
  }
  for (const [what, definition] of after)
    if (!before.has(what)) lines.push(`${what}: only ${b} has it (${definition})`);
  // For a missing table, its columns and indexes are not listed.
  const tables = lines.map((line) => /^(table [^,:]+): only/.exec(line)?.[1]).filter(Boolean);
  return lines.filter((line) => !tables.some((table) => line.startsWith(`${table},`)));
}

const isUserSchema = `n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`;
const isNotInExtension = (oid: string, of: string) =>
  `not exists (select 1 from pg_depend d where d.classid = '${of}'::regclass and d.objid = ${oid} and d.deptype = 'e')`;
const qualifiedName = (name: string) =>
  `case when n.nspname = 'public' then '' else quote_ident(n.nspname) || '.' end || quote_ident(${name})`;
const isUserTable = `c.relkind in ('r', 'p') and ${isUserSchema} and c.relname <> $tracking and ${isNotInExtension('c.oid', 'pg_class')}`;

/** One query per kind of object; each returns names and definitions. */
const QUERIES = {
  schemas: `select 'schema ' || quote_ident(n.nspname) as what, 'exists' as definition from pg_namespace n
    where ${isUserSchema} and n.nspname <> 'public' and ${isNotInExtension('n.oid', 'pg_namespace')}`,
  extensions: `select 'extension ' || extname as what, 'installed' as definition from pg_extension where extname <> 'plpgsql'`,
  tables: `select 'table ' || ${qualifiedName('c.relname')} as what,
      case c.relkind when 'p' then 'partitioned by ' || pg_get_partkeydef(c.oid) else 'table' end
      || case when c.relpersistence = 'u' then ', unlogged' else '' end
      || case when c.relrowsecurity then ', row security' else '' end as definition
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${isUserTable}`,
  columns: `select 'table ' || ${qualifiedName('c.relname')} || ', column ' || quote_ident(a.attname) as what,
      format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
      || case when a.attidentity <> '' then ' identity' when a.attgenerated <> '' then ' generated' else '' end
      || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as definition
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where a.attnum > 0 and not a.attisdropped and ${isUserTable}`,
  // Without 'n': PostgreSQL 18 lists NOT NULL here, and the column's definition includes it.
  constraints: `select 'table ' || ${qualifiedName('c.relname')} || ', constraint ' || quote_ident(k.conname) as what,
      pg_get_constraintdef(k.oid) as definition
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where k.contype <> 'n' and k.contype <> 't' and ${isUserTable}`,
  indexes: `select 'table ' || ${qualifiedName('c.relname')} || ', index ' || quote_ident(x.relname) as what,
      pg_get_indexdef(i.indexrelid) || case when i.indisvalid then '' else ' INVALID' end as definition
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
    join pg_namespace n on n.oid = c.relnamespace
    where not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')) and ${isUserTable}`,
  triggers: `select 'table ' || ${qualifiedName('c.relname')} || ', trigger ' || quote_ident(t.tgname) as what,
      pg_get_triggerdef(t.oid) as definition
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where not t.tgisinternal and ${isUserTable}`,
  policies: `select 'table ' || ${qualifiedName('c.relname')} || ', policy ' || quote_ident(p.polname) as what,
      concat_ws(' ', p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as definition
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace where ${isUserTable}`,
  views: `select case c.relkind when 'v' then 'view ' else 'materialized view ' end || ${qualifiedName('c.relname')} as what,
      pg_get_viewdef(c.oid) as definition
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('v', 'm') and ${isUserSchema} and ${isNotInExtension('c.oid', 'pg_class')}`,
  sequences: `select 'sequence ' || ${qualifiedName('c.relname')} as what,
      concat_ws(' ', format_type(s.seqtypid, null), 'start', s.seqstart, 'by', s.seqincrement, case when s.seqcycle then 'cycle' end) as definition
    from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
    where ${isUserSchema} and c.relname <> $tracking || '_id_seq' and ${isNotInExtension('c.oid', 'pg_class')}`,
  types: `select 'type ' || ${qualifiedName('t.typname')} as what,
      coalesce((select 'enum (' || string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) || ')' from pg_enum e where e.enumtypid = t.oid),
        case t.typtype when 'd' then 'domain of ' || format_type(t.typbasetype, t.typtypmod) || case when t.typnotnull then ' not null' else '' end else 'composite' end) as definition
    from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
    where (t.typtype in ('e', 'd') or (t.typtype = 'c' and c.relkind = 'c')) and ${isUserSchema} and ${isNotInExtension('t.oid', 'pg_type')}`,
  functions: `select 'function ' || ${qualifiedName('p.proname')} || '(' || pg_get_function_identity_arguments(p.oid) || ')' as what,
      case when p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) else 'aggregate' end as definition
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${isUserSchema} and ${isNotInExtension('p.oid', 'pg_proc')}`,
};
