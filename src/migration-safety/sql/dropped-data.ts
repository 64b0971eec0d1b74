import type { EarlierChanges } from './earlier-changes.ts';
import { relationOf } from './earlier-changes.ts';
import type { Execute, Row } from './execute.ts';
import { literal, qualifiedName, quote } from './quote.ts';
import type { Statement, Tree } from './statements.ts';

/** A table whose rows a statement drops, or a column whose values it drops, by their names in the database as it is. */
export interface DroppedData {
  table: string;
  column?: string;
}

/** The tables and columns that a statement drops or truncates, also those that CASCADE reaches without naming them. */
export async function findDroppedData(
  { kind, tree }: Statement,
  earlier: EarlierChanges,
  execute: Execute,
): Promise<DroppedData[]> {
  const { roots = [], found = [] } = (await DROPS[kind]?.(tree, earlier, execute)) ?? {};
  const reached = roots.length > 0 ? await execute(dependents(roots)) : [];
  return [...found, ...reached.map(asDroppedData)];
}

interface Drops {
  /** Objects, as queries for their catalog, their oid and, of a column, its number. What depends on them goes with them. */
  roots?: string[];
  found?: DroppedData[];
}

const DROPS: Record<string, (tree: Tree, earlier: EarlierChanges, execute: Execute) => Drops | Promise<Drops>> = {
  DropStmt: ({ removeType, objects, behavior }, earlier) => {
    if (removeType === 'OBJECT_TABLE') {
      const tables = objects.map((each: Tree) => earlier.tableBefore(relationOf(each))).filter(Boolean);
      return { roots: tables.map((table: string) => root('pg_class', `to_regclass(${literal(table)})`)) };
    }
    // Without CASCADE, PostgreSQL refuses to drop what a table needs. An extension takes its own tables along.
    if (behavior !== 'DROP_CASCADE' && removeType !== 'OBJECT_EXTENSION') return {};
    return { roots: objects.flatMap((each: Tree) => ROOTS[removeType]?.(each) ?? []) };
  },
  DropOwnedStmt: ({ roles }) => ({
    roots: roles.map(
      ({ RoleSpec: { rolename } }: Tree) =>
        `select 'pg_class'::regclass, oid, 0 from pg_class where relkind in ('r', 'p') and oid >= 16384 and relowner = ${rolename ? `(select oid from pg_roles where rolname = ${literal(rolename)})` : 'current_user::regrole'}`,
    ),
  }),
  AlterTableStmt: ({ relation, objtype, cmds }, earlier) => {
    const dropped = cmds.filter(({ AlterTableCmd: cmd }: Tree) => cmd?.subtype === 'AT_DropColumn');
    if (objtype === 'OBJECT_TYPE' && dropped.length > 0) {
      return {
        roots: [root('pg_type', `to_regtype(${literal(qualifiedName(relation.schemaname, relation.relname))})`)],
      };
    }
    const table = objtype === 'OBJECT_TABLE' && earlier.tableBefore(relation);
    if (!table) return {};
    return {
      roots: dropped.flatMap(({ AlterTableCmd: { name } }: Tree) => {
        const column = earlier.columnBefore(relation, name);
        return column
          ? `select 'pg_class'::regclass, attrelid, attnum::int from pg_attribute where attrelid = to_regclass(${literal(table)}) and attname = ${literal(column)}`
          : [];
      }),
    };
  },
  TruncateStmt: async ({ relations, behavior }, earlier, execute) => {
    const tables = relations.map(({ RangeVar: relation }: Tree) => earlier.tableBefore(relation)).filter(Boolean);
    const named = tables.map((table: string) => ({ table }));
    if (behavior !== 'DROP_CASCADE' || tables.length === 0) return { found: named };
    return { found: [...named, ...(await execute(referrers(tables))).map(asDroppedData)] };
  },
};

/** By the kind of object: the query for it. */
const ROOTS: Record<string, (object: Tree) => string[]> = {
  OBJECT_SCHEMA: ({ String: { sval } }) => [
    `select 'pg_namespace'::regclass, oid, 0 from pg_namespace where nspname = ${literal(sval)}`,
  ],
  OBJECT_EXTENSION: ({ String: { sval } }) => [
    `select 'pg_extension'::regclass, oid, 0 from pg_extension where extname = ${literal(sval)}`,
  ],
  OBJECT_TYPE: ({ TypeName }) => [root('pg_type', `to_regtype(${literal(qualifiedName(...namesOf(TypeName.names)))})`)],
  OBJECT_DOMAIN: ({ TypeName }) => [
    root('pg_type', `to_regtype(${literal(qualifiedName(...namesOf(TypeName.names)))})`),
  ],
  OBJECT_FUNCTION: ({ ObjectWithArgs }) => functionsOf(ObjectWithArgs),
  OBJECT_ROUTINE: ({ ObjectWithArgs }) => functionsOf(ObjectWithArgs),
  ...Object.fromEntries(
    ['OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_SEQUENCE', 'OBJECT_FOREIGN_TABLE', 'OBJECT_INDEX'].map((kind) => [
      kind,
      ({ List }: Tree) => [root('pg_class', `to_regclass(${literal(qualifiedName(...namesOf(List.items)))})`)],
    ]),
  ),
};

const root = (catalog: string, oid: string) => `select '${catalog}'::regclass, ${oid}::oid, 0`;

const functionsOf = ({ objname }: Tree): string[] => {
  const [name, schema] = namesOf(objname).reverse();
  const inSchema = schema ? `pronamespace = to_regnamespace(${literal(quote(schema))})` : 'pg_function_is_visible(oid)';
  return [`select 'pg_proc'::regclass, oid, 0 from pg_proc where proname = ${literal(name)} and ${inSchema}`];
};

const namesOf = (list: Tree[]): string[] => list.map((each) => each.String.sval);

/** The tables and columns among these objects and all that depends on them, as DROP … CASCADE finds them. */
const dependents = (roots: string[]) => `
with recursive gone (classid, objid, objsubid) as (
  select * from (${roots.join(' union all ')}) roots (classid, objid, objsubid) where objid is not null
  union
  select edge.* from gone cross join lateral (
    select d.classid, d.objid, d.objsubid from pg_depend d
     where d.refclassid = gone.classid and d.refobjid = gone.objid and (gone.objsubid = 0 or d.refobjsubid = gone.objsubid)
    union all
    select d.refclassid, d.refobjid, d.refobjsubid from pg_depend d
     where d.deptype = 'i' and d.classid = gone.classid and d.objid = gone.objid and d.refclassid in ('pg_class'::regclass, 'pg_attrdef'::regclass)
       and gone.classid in ('pg_rewrite'::regclass, 'pg_attrdef'::regclass)) edge)
select distinct ${NAME}, a.attname as column
  from gone join pg_class c on gone.classid = 'pg_class'::regclass and c.oid = gone.objid and c.relkind in ('r', 'p')
  left join pg_attribute a on a.attrelid = c.oid and a.attnum = gone.objsubid and gone.objsubid > 0
 where (gone.objsubid = 0 or not exists (select from gone whole where whole.classid = gone.classid and whole.objid = gone.objid and whole.objsubid = 0))
   and not exists (select from pg_inherits i join gone parent on parent.objid = i.inhparent and parent.classid = 'pg_class'::regclass and parent.objsubid in (0, gone.objsubid)
                    where i.inhrelid = c.oid and c.relispartition)
 order by 2, 1, 3`;

/** The tables that TRUNCATE … CASCADE empties too. */
const referrers = (tables: string[]) => `
with recursive emptied (oid) as (
  select unnest(array[${tables.map((table) => `to_regclass(${literal(table)})`).join(', ')}])::oid
  union select f.conrelid from emptied join pg_constraint f on f.contype = 'f' and f.confrelid = emptied.oid)
select ${NAME}, null as column from emptied join pg_class c using (oid) where c.oid not in (${tables.map((table) => `coalesce(to_regclass(${literal(table)}), 0)`).join(', ')})`;

/** The schema of a table c only where its name alone does not find it. */
const NAME =
  'case when pg_table_is_visible(c.oid) then null else c.relnamespace::regnamespace::text end as schema, c.relname as name';

const asDroppedData = ({ schema, name, column }: Row): DroppedData => ({
  table: [...(schema ? [String(schema)] : []), quote(String(name))].join('.'),
  ...(column ? { column: String(column) } : {}),
});
