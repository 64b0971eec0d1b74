import { isNew, isUserMade, isUserSchema, qualifiedName } from './user-objects.ts';

/** The name in SQL: quoted always, qualified outside of public. */
const sqlName = (name: string) =>
  `case when n.nspname = 'public' then '' else '"' || replace(n.nspname, '"', '""') || '".' end || '"' || replace(${name}, '"', '""') || '"'`;
const isUserTable = `c.relkind in ('r', 'p') and ${isUserSchema} and c.relname <> $tracking and ${isUserMade('c.oid', 'pg_class')}`;
export const address = (of: string, oid: string, sub = '0') => `'${of} ' || ${oid} || ' ' || ${sub}`;
const parentTable = `'table ' || ${qualifiedName('c.relname')}`;
const relation = `case c.relkind when 'v' then 'view ' when 'm' then 'materialized view ' else 'table ' end || ${qualifiedName('c.relname')}`;

/**
 * One query per kind of object. Each returns `id`, `parent`, `schema`, `name`, the `addresses` that pg_depend knows the
 * object by, `sql` (the object's name in SQL, or its table's) and what definitions.ts makes the definition of.
 */
export const QUERIES = {
  schema: `select 'schema ' || quote_ident(n.nspname) as id, n.nspname as schema, n.nspname as name,
      array[${address('pg_namespace', 'n.oid')}] as addresses
    from pg_namespace n
    where ${isUserSchema} and n.nspname <> 'public' and ${isUserMade('n.oid', 'pg_namespace')}`,
  extension: `select 'extension ' || e.extname as id, n.nspname as schema, e.extname as name,
      array[${address('pg_extension', 'e.oid')}] as addresses
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname <> 'plpgsql'`,
  // Enums, domains and composite types.
  type: `select 'type ' || ${qualifiedName('t.typname')} as id, n.nspname as schema, t.typname as name,
      ${sqlName('t.typname')} as sql, t.typtype as type,
      array[${address('pg_type', 't.oid')}, ${address('pg_type', 't.typarray')}, ${address('pg_class', 't.typrelid')}] as addresses,
      coalesce((select jsonb_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid), '[]') as labels,
      format_type(t.typbasetype, t.typtypmod) as base, t.typnotnull as required, t.typdefault as default,
      coalesce((select jsonb_agg('constraint ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid) order by k.conname)
        from pg_constraint k where k.contypid = t.oid and k.contype = 'c'), '[]') as checks,
      coalesce((select jsonb_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod) order by a.attnum)
        from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped), '[]') as attributes
    from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
    where (t.typtype in ('e', 'd') or (t.typtype = 'c' and c.relkind = 'c')) and ${isUserSchema} and ${isUserMade('t.oid', 'pg_type')}`,
  // Without those of identity columns, which are part of the column.
  sequence: `select 'sequence ' || ${qualifiedName('c.relname')} as id, n.nspname as schema, c.relname as name,
      ${sqlName('c.relname')} as sql, array[${address('pg_class', 'c.oid')}] as addresses,
      format_type(s.seqtypid, null) as type, s.seqstart::text as start, s.seqincrement::text as increment, s.seqmin::text as min,
      s.seqmax::text as max, s.seqcache::text as cache, s.seqcycle as cycle,
      (select 'table ' || ${qualifiedName('t.relname', 'tn.nspname')} || ', column ' || quote_ident(a.attname)
        from pg_depend d join pg_class t on t.oid = d.refobjid join pg_namespace tn on tn.oid = t.relnamespace
        join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'a' and d.refobjsubid > 0) as owner
    from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
    where ${isUserSchema} and c.relname <> $tracking || '_id_seq' and ${isUserMade('c.oid', 'pg_class')}
      and not exists (select 1 from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'i')`,
  function: `select 'function ' || ${qualifiedName('p.proname')} || '(' || pg_get_function_identity_arguments(p.oid) || ')' as id,
      n.nspname as schema, p.proname as name, array[${address('pg_proc', 'p.oid')}] as addresses,
      ${sqlName('p.proname')} || '(' || pg_get_function_identity_arguments(p.oid) || ')' as sql, p.prokind as type,
      case when p.prokind in ('f', 'p', 'w') then pg_get_functiondef(p.oid) end as text,
      pg_get_function_result(p.oid) || ' ' || pg_get_function_arguments(p.oid) as signature,
      l.lanname as language, (to_jsonb(p) ->> 'prosqlbody') is not null as parsed
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
    where ${isUserSchema} and ${isUserMade('p.oid', 'pg_proc')}`,
  // The parent of a partition is the table that it is a part of.
  table: `select ${parentTable} as id, n.nspname as schema,
      (select ${parentTable} from pg_inherits i join pg_class c on c.oid = i.inhparent join pg_namespace n on n.oid = c.relnamespace
        where i.inhrelid = p.oid and p.relispartition) as parent, c.relname as name, ${sqlName('c.relname')} as sql,
      array[${address('pg_class', 'c.oid')}, ${address('pg_type', 'c.reltype')}, ${address('pg_type', '(select typarray from pg_type where oid = c.reltype)')}] as addresses,
      case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as partitioned, c.relpersistence = 'u' as unlogged,
      pg_get_expr(c.relpartbound, c.oid) as bound,
      (select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno) from pg_inherits i where i.inhrelid = c.oid) as inherits
    from pg_class c join pg_class p on p.oid = c.oid join pg_namespace n on n.oid = c.relnamespace where ${isUserTable}`,
  // Without those of partitions, which are those of the table.
  column: `select ${parentTable} || ', column ' || quote_ident(a.attname) as id, ${parentTable} as parent, n.nspname as schema,
      a.attname as name, ${sqlName('c.relname')} as sql, c.relkind = 'p' as partitioned,
      array[${address('pg_class', 'c.oid', 'a.attnum')}, ${address('pg_attrdef', 'coalesce(d.oid, 0)')}]
        || array(select ${address('pg_constraint', 'k.oid')} from pg_constraint k where k.conrelid = c.oid and k.contype = 'n' and k.conkey = array[a.attnum])
        as addresses,
      format_type(a.atttypid, a.atttypmod) as type, format_type(a.atttypid, null) as base, a.attnotnull as required,
      a.attidentity as identity, a.attgenerated as generated, pg_get_expr(d.adbin, d.adrelid) as default,
      case when a.attcollation <> t.typcollation then (select quote_ident(collname) from pg_collation where oid = a.attcollation) end as collation,
      i.options as identity_options, i.name as identity_sequence
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    left join lateral (select x.relname as name, concat_ws(' ', 'start', s.seqstart, 'increment', s.seqincrement, 'minvalue', s.seqmin, 'maxvalue', s.seqmax, 'cache', s.seqcache, case when s.seqcycle then 'cycle' end) as options
        from pg_depend q join pg_sequence s on s.seqrelid = q.objid join pg_class x on x.oid = q.objid
        where q.classid = 'pg_class'::regclass and q.refobjid = c.oid and q.refobjsubid = a.attnum and q.deptype = 'i') i on a.attidentity <> ''
    where ${isNew('a.attrelid')} and a.attnum > 0 and not a.attisdropped and not c.relispartition and ${isUserTable} order by c.oid, a.attnum`,
  // Without 'n': PostgreSQL 18 lists NOT NULL here, and the column's definition includes it.
  constraint: `select ${parentTable} || ', constraint ' || quote_ident(k.conname) as id, ${parentTable} as parent, n.nspname as schema,
      k.conname as name, ${sqlName('c.relname')} as sql, c.relkind = 'p' as partitioned,
      array[${address('pg_constraint', 'k.oid')}, ${address('pg_class', 'case when k.contype in ($$p$$, $$u$$, $$x$$) then k.conindid else 0 end')}] as addresses,
      k.contype as type, pg_get_constraintdef(k.oid) as text, k.condeferrable as deferrable, k.condeferred as deferred,
      case when k.contype in ('p', 'u') then pg_get_indexdef(k.conindid) end as index,
      array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum = any(k.conkey)) as columns
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where ${isNew('k.oid')} and k.contype not in ('n', 't') and k.conislocal and k.conparentid = 0 and ${isUserTable}`,
  index: `select ${relation} || ', index ' || quote_ident(x.relname) as id, ${relation} as parent, n.nspname as schema,
      x.relname as name, ${sqlName('c.relname')} as sql, ${sqlName('x.relname')} as index, c.relkind = 'p' as partitioned,
      array[${address('pg_class', 'x.oid')}] as addresses, pg_get_indexdef(i.indexrelid) as text, i.indisvalid as valid
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
    join pg_namespace n on n.oid = c.relnamespace
    where ${isNew('i.indexrelid')} and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
      and not exists (select 1 from pg_inherits h where h.inhrelid = x.oid)
      and c.relkind in ('r', 'p', 'm') and ${isUserSchema} and c.relname <> $tracking and ${isUserMade('c.oid', 'pg_class')}`,
  trigger: `select ${relation} || ', trigger ' || quote_ident(t.tgname) as id, ${relation} as parent, n.nspname as schema,
      t.tgname as name, ${sqlName('c.relname')} as sql, array[${address('pg_trigger', 't.oid')}] as addresses,
      pg_get_triggerdef(t.oid) as text, t.tgenabled as enabled
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where ${isNew('t.oid')} and not t.tgisinternal and t.tgparentid = 0 and ${isUserSchema} and ${isUserMade('c.oid', 'pg_class')}`,
  'row security': `select ${parentTable} || ', row security' as id, ${parentTable} as parent, n.nspname as schema, c.relname as name,
      ${sqlName('c.relname')} as sql, '{}'::text[] as addresses, c.relforcerowsecurity as forced
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relrowsecurity and ${isUserTable}`,
  policy: `select ${parentTable} || ', policy ' || quote_ident(p.polname) as id, ${parentTable} as parent, n.nspname as schema,
      p.polname as name, ${sqlName('c.relname')} as sql, array[${address('pg_policy', 'p.oid')}] as addresses, p.polpermissive as permissive,
      case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,
      (select string_agg(case when o = 0 then 'public' else o::regrole::text end, ', ' order by o) from unnest(p.polroles) o) as roles,
      pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace where ${isUserTable}`,
  view: `select ${relation} as id, n.nspname as schema, c.relname as name, ${sqlName('c.relname')} as sql,
      array[${address('pg_class', 'c.oid')}, ${address('pg_type', 'c.reltype')}]
        || array(select ${address('pg_rewrite', 'r.oid')} from pg_rewrite r where r.ev_class = c.oid) as addresses,
      c.relkind = 'm' as materialized, pg_get_viewdef(c.oid) as text, array_to_string(c.reloptions, ', ') as options
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('v', 'm') and ${isUserSchema} and ${isUserMade('c.oid', 'pg_class')}`,
  comment: `select 'comment on ' || o.id as id, o.id as parent, o.schema, o.id as name, o.target, d.description as text, '{}'::text[] as addresses
    from (
      select ${relation} as id, n.nspname as schema, case c.relkind when 'v' then 'view ' when 'm' then 'materialized view ' else 'table ' end || ${sqlName('c.relname')} as target,
          'pg_class'::regclass as class, c.oid, 0 as sub
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm') and ${isUserSchema} and c.relname <> $tracking and ${isUserMade('c.oid', 'pg_class')}
      union all
      select ${parentTable} || ', column ' || quote_ident(a.attname), n.nspname, 'column ' || ${sqlName('c.relname')} || '."' || replace(a.attname, '"', '""') || '"',
          'pg_class'::regclass, c.oid, a.attnum
        from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        where ${isNew('a.attrelid')} and a.attnum > 0 and not a.attisdropped and ${isUserTable}
      union all
      select 'function ' || ${qualifiedName('p.proname')} || '(' || pg_get_function_identity_arguments(p.oid) || ')', n.nspname,
          case p.prokind when 'p' then 'procedure ' when 'a' then 'aggregate ' else 'function ' end || ${sqlName('p.proname')} || '(' || pg_get_function_identity_arguments(p.oid) || ')',
          'pg_proc'::regclass, p.oid, 0
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${isUserSchema} and ${isUserMade('p.oid', 'pg_proc')}
    ) o join pg_description d on d.classoid = o.class and d.objoid = o.oid and d.objsubid = o.sub`,
};

export type Kind = keyof typeof QUERIES;

/** The pairs of pg_depend between objects that are not PostgreSQL's own. A sequence needs its owner in another sense. */
export const DEPENDENCIES = `select d.classid::regclass || ' ' || d.objid || ' ' || d.objsubid as dependent,
    d.refclassid::regclass || ' ' || d.refobjid || ' ' || d.refobjsubid as "on"
  from pg_depend d left join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid
  where ${isNew('d.objid')} and ${isNew('d.refobjid')} and (c.relkind is distinct from 'S' or d.refclassid = 'pg_namespace'::regclass)`;
