/** SQL conditions and names of what users make, in queries that call pg_namespace `n`. */
export const isUserSchema = `n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`;

/** PostgreSQL numbers its own objects below 16384. By the index on the numbers, a query skips these thousands. */
export const isNew = (oid: string) => `${oid} >= 16384`;

/** Not PostgreSQL's own, and not part of an extension. */
export const isUserMade = (oid: string, of: string) =>
  `${isNew(oid)} and not exists (select 1 from pg_depend d where d.classid = '${of}'::regclass and d.objid = ${oid} and d.deptype = 'e')`;

/** The name, with its schema outside of public. */
export const qualifiedName = (name: string, schema = 'n.nspname') =>
  `case when ${schema} = 'public' then '' else quote_ident(${schema}) || '.' end || quote_ident(${name})`;
