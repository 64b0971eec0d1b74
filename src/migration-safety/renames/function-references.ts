import { parsePlPgSQLSync } from 'libpg-query';
import { isUserMade, isUserSchema, qualifiedName } from '../catalog/user-objects.ts';
import type { Execute } from '../sql/execute.ts';
import { parseStatements, type Tree } from '../sql/statements.ts';
import { identifiers, NameResolution, type RenamedObject, type Scope, type Tables } from './name-resolution.ts';

/** A function whose body names a table or column that gets another name; PostgreSQL keeps such a body as text. */
export interface FunctionReference {
  /** As in the catalog: 'function count_favorites()'. */
  id: string;
  /** Possible: a string that dynamic SQL may run, a record of an unknown table, a language that is not parsed. */
  certainty: 'certain' | 'possible';
  /** What names them, as written: 'articles', 'new.slug'. */
  words: string[];
}

interface Routine {
  id: string;
  language: string;
  definition: string;
  source: string;
  searchPath: string[];
  /** The arguments whose type is a table, and that table. */
  rows: { name: string; table: string }[];
  /** The tables whose triggers run it. */
  triggered: string[];
}

/** Finds the functions that would still use the old names. Those with a body of BEGIN ATOMIC follow by themselves. */
export async function findFunctionReferences(execute: Execute, renames: RenamedObject[]): Promise<FunctionReference[]> {
  if (renames.length === 0) return [];
  const [read] = await execute(`select (${TABLES})::text as tables, (${ROUTINES})::text as routines`);
  const tables: Tables = new Map(
    JSON.parse(String(read?.tables)).map((each: { name: string; columns: string[] }) => [
      each.name,
      new Set(each.columns),
    ]),
  );
  const routines: Routine[] = JSON.parse(String(read?.routines));
  return routines.flatMap((routine) => referencesOf(routine, renames, tables) ?? []);
}

function referencesOf(routine: Routine, renames: RenamedObject[], tables: Tables): FunctionReference | undefined {
  const names = new NameResolution(renames, tables, routine.searchPath);
  const body = (BODIES[routine.language] ?? unparsed)(routine, names);
  const ofRecords = [...names.ofRecords].filter(([, { schema, table }]) => names.tables.has(`${schema}.${table}`));
  const possible = [
    ...ofRecords.map(([words]) => words),
    ...body.texts.flatMap((text) => renames.filter(({ from }) => isWordIn(from, text)).map(({ from }) => from)),
  ];
  const words = [...new Set([...names.certain, ...possible])];
  if (words.length === 0) return undefined;
  return { id: routine.id, certainty: names.certain.size > 0 ? 'certain' : 'possible', words };
}

/** Texts that the parser does not understand or that dynamic SQL may run. */
interface Body {
  texts: string[];
}

const unparsed = ({ source }: Routine): Body => ({ texts: [source] });

/** By the language of the function. Each adds what it finds to the names. */
const BODIES: Record<string, (routine: Routine, names: NameResolution) => Body> = {
  // The source is the name of a C function.
  c: () => ({ texts: [] }),
  internal: () => ({ texts: [] }),
  sql: (routine, names) => ({ texts: visitSql(routine.source, variablesOf(routine), names) }),
  plpgsql: (routine, names) => {
    const variables = variablesOf(routine);
    const parsed =
      parsePlPgSql(routine.definition) ?? parsePlPgSql(withoutRowTypes(routine.definition, variables, names));
    if (!parsed) return unparsed(routine);
    const datums: Tree[] = parsed.plpgsql_funcs.flatMap((each: Tree) => each.PLpgSQL_function?.datums ?? []);
    for (const datum of datums) declare(datum, variables, names);
    for (const { PLpgSQL_recfield: field } of datums) {
      // The target of SELECT INTO appears only here.
      const record = datums[field?.recparentno ?? 0]?.PLpgSQL_rec?.refname;
      if (field && record) names.visit(columnRef(record, field.fieldname), variables);
    }
    const texts = expressionsOf(parsed).flatMap((expression) => visitSql(expression, variables, names));
    return { texts: [...texts, ...(/"PLpgSQL_stmt_dyn|"dynquery"/.test(JSON.stringify(parsed)) ? names.strings : [])] };
  },
};

/** Returns what can't be parsed. */
function visitSql(sql: string, variables: Scope, names: NameResolution): string[] {
  return parseStatements(sql).flatMap(({ kind, tree, syntaxError }) => {
    if (syntaxError) return [sql];
    names.visit({ [kind]: tree }, variables);
    return [];
  });
}

function variablesOf({ rows, triggered }: Routine): Scope {
  const variables: Scope = new Map(rows.map(({ name, table }) => [name, [table]]));
  for (const name of ['new', 'old']) variables.set(name, triggered);
  return variables;
}

function parsePlPgSql(definition: string): Tree | undefined {
  try {
    return parsePlPgSQLSync(definition);
  } catch {
    return undefined;
  }
}

/** The parser knows no tables, so it refuses the assignment of a field to a variable of a table's type. */
function withoutRowTypes(definition: string, variables: Scope, names: NameResolution): string {
  const declaration =
    /(\w+|"[^"]+")(\s+)((?:[\w$]+|"[^"]+")(?:\.(?:[\w$]+|"[^"]+"))?)(%rowtype)?(?=\s*(?:;|:=|=|default\b))/gi;
  return definition.replace(declaration, (whole, name: string, space: string, type: string) => {
    const table = /^(from|join|into|update|table|only|using|return|end|loop)$/i.test(name)
      ? undefined
      : names.table(identifiers(type));
    if (!table) return whole;
    variables.set(identifiers(name)[0] ?? '', [table]);
    return `${name}${space}record`;
  });
}

/** A variable of PL/pgSQL: its type may be a table's row or copied from a column. */
function declare(datum: Tree, variables: Scope, names: NameResolution): void {
  const { refname, datatype } = datum.PLpgSQL_var ?? datum.PLpgSQL_rec ?? {};
  if (!refname || variables.has(refname)) return;
  const type: string = datatype?.PLpgSQL_type?.typname ?? 'record';
  const [, name = '', copied] = /^(.*?)(%\w+)?$/.exec(type) ?? [];
  const parts = identifiers(name);
  if (copied?.toLowerCase() === '%type' && parts.length > 1) {
    names.column(names.table(parts.slice(0, -1)), parts.at(-1) ?? '', parts.join('.'));
  } else {
    const table = names.table(parts);
    if (table || type === 'record') variables.set(refname, table ? [table] : []);
  }
}

const columnRef = (...names: string[]) => ({ ColumnRef: { fields: names.map((sval) => ({ String: { sval } })) } });

/** The SQL in a parsed PL/pgSQL function, as statements. */
function expressionsOf(node: Tree): string[] {
  if (node === null || typeof node !== 'object') return [];
  return Object.entries<Tree>(node).flatMap(([key, value]) =>
    key === 'PLpgSQL_expr' ? statementOf(value) : expressionsOf(value),
  );
}

/** By libpg_query's parse mode: 0 is a statement, 2 an expression, 3 and more an assignment. */
function statementOf({ query, parseMode = 0 }: { query: string; parseMode?: number }): string[] {
  if (parseMode === 0) return [query];
  const [, target, value = query] =
    (parseMode > 2 && /^((?:"[^"]*"|\[[^\]]*\]|[^"=:[])+):?=([\s\S]*)$/.exec(query)) || [];
  return [...(target ? [`select ${target}`] : []), `select ${value}`];
}

const isWordIn = (word: string, text: string) =>
  new RegExp(`(?<![\\p{L}\\p{N}_$])${word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?![\\p{L}\\p{N}_$])`, 'iu').test(
    text,
  );

const TABLES = `select coalesce(json_agg(json_build_object('name', n.nspname || '.' || c.relname, 'columns', (
    select coalesce(json_agg(a.attname), '[]') from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))), '[]')
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'f') and ${isUserSchema}`;

const ROUTINES = `select coalesce(json_agg(json_build_object(
    'id', 'function ' || ${qualifiedName('p.proname')}
      || '(' || pg_get_function_identity_arguments(p.oid) || ')',
    'language', l.lanname, 'definition', pg_get_functiondef(p.oid), 'source', p.prosrc,
    'searchPath', coalesce((
      select json_agg(trim(both ' "' from part) order by at)
      from unnest(p.proconfig) setting, regexp_split_to_table(substr(setting, 13), ',') with ordinality s(part, at)
      where setting like 'search_path=%'), '["public"]'),
    'rows', (
      select coalesce(json_agg(json_build_object('name', p.proargnames[a.at], 'table', tn.nspname || '.' || t.relname)), '[]')
      from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality a(type, at)
      join pg_class t on t.reltype = a.type and a.type <> 0 join pg_namespace tn on tn.oid = t.relnamespace
      where p.proargnames[a.at] <> ''),
    'triggered', (
      select coalesce(json_agg(distinct tn.nspname || '.' || t.relname), '[]')
      from pg_trigger g join pg_class t on t.oid = g.tgrelid join pg_namespace tn on tn.oid = t.relnamespace where g.tgfoid = p.oid)
  ) order by n.nspname, p.proname, p.oid), '[]')
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
  where p.pronamespace = any (array(select n.oid from pg_namespace n where ${isUserSchema})) and p.prokind in ('f', 'p', 'w')
    and (to_jsonb(p) ->> 'prosqlbody') is null
    and ${isUserMade('p.oid', 'pg_proc')}`;
