import { isUserMade, isUserSchema, qualifiedName } from '../catalog/user-objects.ts';
import type { Execute } from '../sql/execute.ts';
import { literal } from '../sql/quote.ts';

/** A table that takes rows, as far as generating them needs it. */
export interface SampleTable {
  oid: number;
  /** As in the catalog: articles, audit."Log". */
  name: string;
  /** With its schema, for SQL. */
  sql: string;
  /** Rows of inheritance children are not its own; those of partitions are. */
  only: string;
  columns: SampleColumn[];
  /** The columns of each unique index. */
  keys: string[][];
  references: Reference[];
  checks: Check[];
}

export interface SampleColumn {
  name: string;
  type: number;
  modifier: number;
  /** The type as SQL: character varying(20). */
  sqlType: string;
  notNull: boolean;
  /** The SQL of its default; an identity's is its sequence. */
  default: string | null;
  identity: boolean;
  generated: boolean;
}

export interface Reference {
  columns: string[];
  table: number;
  targets: string[];
  deferrable: boolean;
}

export interface Check {
  expression: string;
  columns: string[];
}

export interface SampleType {
  oid: number;
  name: string;
  /** As in pg_type.typtype: b(ase), c(omposite), d(omain), e(num), r(ange), m(ultirange). */
  kind: string;
  category: string;
  builtIn: boolean;
  element: number;
  delimiter: string;
  base: number;
  modifier: number;
  notNull: boolean;
  subtype: number;
  labels: string[];
  attributes: { type: number; modifier: number }[];
  /** The checks of a domain, over VALUE. */
  checks: string[];
}

/** The tables of a database, and every type by its oid. */
export async function readSampleTables(
  execute: Execute,
  trackingTable: string,
): Promise<{ tables: SampleTable[]; types: Map<number, SampleType> }> {
  const tables = await readJson<SampleTable>(execute, TABLES.replace('$tracking', literal(trackingTable)));
  const types = await readJson<SampleType>(execute, TYPES);
  return { tables, types: new Map(types.map((type) => [type.oid, type])) };
}

/** As JSON, because drivers differ in how they return arrays and object identifiers. */
export async function readJson<T>(execute: Execute, query: string): Promise<T[]> {
  const [row] = await execute(`select coalesce(json_agg(row_to_json(q)), '[]')::text as rows from (${query}) q`);
  return JSON.parse(String(row?.rows));
}

const namesOf = (numbers: string, table: string) =>
  `(select json_agg(a.attname order by u.at) from unnest(${numbers}) with ordinality u(number, at)
     join pg_attribute a on a.attrelid = ${table} and a.attnum = u.number)`;
const list = (query: string) => `coalesce((${query}), '[]')`;

/** Partitions get their rows through their parent, whose condition is that one of its partitions takes the row. */
const TABLES = `
  select c.oid::int8 as oid,
    ${qualifiedName('c.relname')} as name,
    format('%I.%I', n.nspname, c.relname) as sql,
    case c.relkind when 'r' then 'only ' else '' end || format('%I.%I', n.nspname, c.relname) as only,
    ${list(`
      select json_agg(json_build_object(
        'name', a.attname, 'type', a.atttypid::int8, 'modifier', a.atttypmod, 'sqlType', format_type(a.atttypid, a.atttypmod),
        'notNull', a.attnotnull, 'identity', a.attidentity <> '', 'generated', a.attgenerated <> '',
        'default', case when a.attidentity <> ''
          then format('nextval(%L)', pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname))
          else pg_get_expr(d.adbin, d.adrelid) end) order by a.attnum)
      from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`)} as columns,
    ${list(`
      select json_agg(${namesOf('i.indkey[0:i.indnkeyatts - 1]', 'c.oid')} order by i.indexrelid) from pg_index i
      where i.indrelid = c.oid and i.indisunique and i.indexprs is null`)} as keys,
    ${list(`
      select json_agg(json_build_object(
        'columns', ${namesOf('k.conkey', 'c.oid')}, 'table', k.confrelid::int8,
        'targets', ${namesOf('k.confkey', 'k.confrelid')}, 'deferrable', k.condeferrable) order by k.oid)
      from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.conparentid = 0`)} as "references",
    ${list(`
      select json_agg(json_build_object('expression', q.expression, 'columns', coalesce(q.columns, '[]')))
      from (
        select pg_get_expr(k.conbin, k.conrelid) as expression, ${namesOf('k.conkey', 'c.oid')} as columns
        from pg_constraint k where k.conrelid = c.oid and k.contype = 'c'
        union all
        select coalesce((
            select string_agg('(' || coalesce(pg_get_partition_constraintdef(t.relid), 'true') || ')', ' or ')
            from pg_partition_tree(c.oid) t where t.isleaf and t.relid <> c.oid), 'false'),
          ${namesOf('p.partattrs', 'c.oid')}
        from pg_partitioned_table p where p.partrelid = c.oid
      ) q`)} as checks
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition and c.relname <> $tracking
    and ${isUserSchema} and ${isUserMade('c.oid', 'pg_class')}
  order by n.nspname, c.relname`;

/** The types of columns, and those that they consist of. */
const TYPES = `
  with recursive used(oid) as (
    select a.atttypid from pg_attribute a where a.attrelid >= 16384 and a.attnum > 0
    union
    select part.oid from used join pg_type t on t.oid = used.oid left join pg_range r on t.oid in (r.rngtypid, r.rngmultitypid)
      cross join lateral (
        values (t.typelem), (t.typbasetype), (r.rngsubtype)
        union all select a.atttypid from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0) part(oid)
  )
  select t.oid::int8 as oid, t.typname as name, t.typtype as kind, t.typcategory as category,
    t.typnamespace = 'pg_catalog'::regnamespace as "builtIn", t.typelem::int8 as element, t.typdelim as delimiter,
    t.typbasetype::int8 as base, t.typtypmod as modifier, t.typnotnull as "notNull",
    coalesce((select r.rngsubtype from pg_range r where r.rngtypid = t.oid or r.rngmultitypid = t.oid), 0)::int8 as subtype,
    case t.typtype when 'e' then ${list('select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid')} else '[]' end as labels,
    case t.typtype when 'c' then ${list(`
      select json_agg(json_build_object('type', a.atttypid::int8, 'modifier', a.atttypmod) order by a.attnum)
      from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped`)} else '[]' end as attributes,
    case t.typtype when 'd' then ${list("select json_agg(pg_get_expr(k.conbin, 0) order by k.oid) from pg_constraint k where k.contypid = t.oid and k.contype = 'c'")} else '[]' end as checks
  from pg_type t where t.oid in (select oid from used)`;
