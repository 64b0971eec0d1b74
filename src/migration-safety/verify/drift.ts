import { differences, readCatalog } from '../catalog/catalog.ts';
import { isUserMade, isUserSchema, qualifiedName } from '../catalog/user-objects.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { type ShadowDatabase, trackingTable } from '../shadow/shadow-database.ts';
import type { Execute } from '../sql/execute.ts';
import { literal } from '../sql/quote.ts';
import { inWordsOf } from './reworded.ts';

/** One line per difference of the live database from the history of a shadow database. */
export async function findDifferences(migrator: MigratorParts, shadow: ShadowDatabase): Promise<string[]> {
  const tracking = trackingTable(migrator);
  return migrator.driver.getConnection().transactional(async (transaction) => {
    // One connection: temporary objects belong to a session.
    const execute: Execute = (sql) => migrator.driver.getConnection().execute(sql, [], 'all', transaction);
    const lines = await compareDatabases(shadow.query, execute, tracking);
    return lines.filter((line) => !shadow.missing.some((extension) => line.startsWith(`extension ${extension}: `)));
  });
}

/** One line per difference of a live database from history's. Leaves nothing behind in either. */
export async function compareDatabases(history: Execute, database: Execute, tracking: string): Promise<string[]> {
  const live = await readCatalog(database, tracking);
  const expected = await inWordsOf(database, await readCatalog(history, tracking), live);
  for (const [catalog, execute] of [
    [expected, history],
    [live, database],
  ] as const)
    for (const [id, definition] of await readDetails(execute, tracking)) catalog.set(id, { definition } as never);
  return differences(expected, live, 'history', 'the database');
}

/** What no entity declares and no catalog holds, by the same names, for example 'table articles, storage'. */
async function readDetails(execute: Execute, tracking: string): Promise<Map<string, string>> {
  const rows = await execute(DETAILS.replaceAll('$tracking', literal(tracking)));
  return new Map(rows.map(({ id, definition }) => [String(id), String(definition)]));
}

const isOurs = (oid: string, of: string) => `${isUserSchema} and ${isUserMade(oid, of)}`;
const table = `case c.relkind when 'v' then 'view ' when 'm' then 'materialized view ' when 'S' then 'sequence ' when 'i' then 'index ' when 'I' then 'index ' else 'table ' end || ${qualifiedName('c.relname')}`;
const comment = (of: string, oid: string, id: string, from: string) =>
  `select 'comment on ' || ${id}, quote_literal(d.description) from ${from} join pg_description d on d.objoid = ${oid} and d.classoid = '${of}'::regclass and d.objsubid = 0 where ${isOurs(oid, of)}`;

const DETAILS = [
  `select ${table} || ', storage' as id, array_to_string(array(select unnest(c.reloptions) order by 1), ', ') as definition
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.reloptions is not null and c.relkind not in ('v', 't') and c.relname <> $tracking and ${isOurs('c.oid', 'pg_class')}`,
  `select ${table} || ', replica identity', case c.relreplident when 'f' then 'full' when 'n' then 'nothing'
      else 'index ' || (select i.indexrelid::regclass::text from pg_index i where i.indrelid = c.oid and i.indisreplident) end
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and c.relreplident <> 'd' and c.relname <> $tracking and ${isOurs('c.oid', 'pg_class')}`,
  `select ${table} || ', rule ' || quote_ident(r.rulename), pg_get_ruledef(r.oid) || case r.ev_enabled when 'O' then '' else ' ' || r.ev_enabled::text end
    from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
    where r.rulename <> '_RETURN' and ${isOurs('c.oid', 'pg_class')}`,
  `select 'statistics ' || ${qualifiedName('s.stxname')}, pg_get_statisticsobjdef(s.oid)
    from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where ${isOurs('s.oid', 'pg_statistic_ext')}`,
  `select ${table} || ', owned by', d.refobjid::regclass || '.' || quote_ident(a.attname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'a' and d.refobjsubid > 0
    join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where c.relkind = 'S' and c.relname <> $tracking || '_id_seq' and ${isOurs('c.oid', 'pg_class')}`,
  comment(
    'pg_class',
    'c.oid',
    table,
    `(select * from pg_class where relkind in ('i', 'I', 'S')) c join pg_namespace n on n.oid = c.relnamespace`,
  ),
  comment(
    'pg_constraint',
    'k.oid',
    `${table} || ', constraint ' || quote_ident(k.conname)`,
    'pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace',
  ),
  comment(
    'pg_trigger',
    't.oid',
    `${table} || ', trigger ' || quote_ident(t.tgname)`,
    'pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace',
  ),
  comment(
    'pg_policy',
    'p.oid',
    `${table} || ', policy ' || quote_ident(p.polname)`,
    'pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace',
  ),
  comment(
    'pg_type',
    't.oid',
    `'type ' || ${qualifiedName('t.typname')}`,
    'pg_type t join pg_namespace n on n.oid = t.typnamespace',
  ),
  comment('pg_namespace', 'n.oid', `'schema ' || quote_ident(n.nspname)`, 'pg_namespace n').replace(
    /where /,
    "where n.nspname <> 'public' and ",
  ),
].join('\nunion all\n');
