import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { DEFINITIONS } from '../catalog/definitions.ts';
import { sqlState } from '../problems.ts';
import type { Execute, Row } from '../sql/execute.ts';
import { quote } from '../sql/quote.ts';
import { attempt, rolledBack } from '../sql/savepoint.ts';

/**
 * The history's catalog in the words of the live server, as far as the two differ. Versions of PostgreSQL print the same
 * expression differently. The server reads the history's definition into a temporary object and prints it again; the
 * transaction is rolled back, and the tables are only read.
 */
export async function inWordsOf(execute: Execute, history: Catalog, live: Catalog): Promise<Catalog> {
  const differing = [...history.values()].filter(({ id, definition }) => {
    const other = live.get(id);
    return other !== undefined && other.definition !== definition;
  });
  if (differing.length === 0) return history;
  const reworded: Catalog = new Map(history);
  await rolledBack(execute, async () => {
    await execute('set local check_function_bodies = off');
    for (const object of differing) {
      const other = live.get(object.id) as CatalogObject;
      const changes = await changesOf(object, other, execute);
      const row = { ...object.row, ...changes };
      reworded.set(object.id, { ...object, ...DEFINITIONS[object.kind](row), row });
    }
  });
  return reworded;
}

async function changesOf(object: CatalogObject, live: CatalogObject, execute: Execute): Promise<Row> {
  const reword = REWORDED[object.kind as keyof typeof REWORDED];
  if (!reword) return {};
  let changes: Row = {};
  const refused = await attempt(execute, async () => {
    changes = await reword(object, execute);
    throw UNDO;
  });
  if (refused === UNDO) return changes;
  // Without the right to make temporary objects, or on a standby, texts are compared without what versions print differently.
  const mayNot = ['42501', '25006'].includes(sqlState(refused) ?? '');
  return mayNot && bare(object.definition) === bare(live.definition) ? live.row : {};
}

const UNDO = new Error('undone');

/** How an object of a kind is made as a temporary one, and what of its row is read back. */
const REWORDED = {
  view: async ({ row }, execute) => {
    await execute(`create temp view ${TEMPORARY} as ${String(row.text).trim().replace(/;$/, '')}`);
    return one(execute, `select pg_get_viewdef('pg_temp.${TEMPORARY}'::regclass) as text`);
  },
  constraint: async ({ row, name }, execute) => {
    await temporaryTable(row, execute);
    await execute(`alter table ${TEMPORARY} add constraint ${quote(name)} ${row.text}`);
    return one(
      execute,
      `select pg_get_constraintdef(oid) as text from pg_constraint where conrelid = 'pg_temp.${TEMPORARY}'::regclass and contype not in ('n', 't')`,
    );
  },
  index: async ({ row }, execute) => {
    await temporaryTable(row, execute);
    const text = String(row.text);
    const [, before = '', after = ''] = /^(.*?) USING (.*)$/s.exec(text) ?? [];
    await execute(
      `create ${/^CREATE UNIQUE /.test(text) ? 'unique ' : ''}index reworded_index on ${TEMPORARY} using ${after}`,
    );
    const { text: printed } = await one(execute, `select pg_get_indexdef('pg_temp.reworded_index'::regclass) as text`);
    return { text: `${before} USING ${/^.*? USING (.*)$/s.exec(String(printed))?.[1]}` };
  },
  column: async ({ row, name }, execute) => {
    if (!row.default) return {};
    await temporaryTable(row, execute);
    if (row.generated) {
      await execute(`alter table ${TEMPORARY} drop column ${quote(name)}`);
      await execute(
        `alter table ${TEMPORARY} add column ${quote(name)} ${row.type} generated always as (${row.default}) stored`,
      );
    } else await execute(`alter table ${TEMPORARY} alter column ${quote(name)} set default ${row.default}`);
    return one(
      execute,
      `select pg_get_expr(adbin, adrelid) as default from pg_attrdef where adrelid = 'pg_temp.${TEMPORARY}'::regclass`,
    );
  },
  policy: async ({ row, name, create }, execute) => {
    await temporaryTable(row, execute);
    await execute(String(create[0]).replace(`on ${row.sql} `, `on ${TEMPORARY} `));
    return one(
      execute,
      `select pg_get_expr(polqual, polrelid) as using, pg_get_expr(polwithcheck, polrelid) as check
      from pg_policy where polrelid = 'pg_temp.${TEMPORARY}'::regclass and polname = $$${name}$$`,
    );
  },
  trigger: async ({ row }, execute) => {
    await temporaryTable(row, execute);
    const text = String(row.text);
    const [, before = '', table = '', after = ''] =
      /^(.*? ON )((?:(?:"(?:[^"]|"")*"|[^\s".]+)\.)?(?:"(?:[^"]|"")*"|\S+))( .*)$/s.exec(text) ?? [];
    await execute(`${before}${TEMPORARY}${after}`);
    const { text: printed } = await one(
      execute,
      `select pg_get_triggerdef(oid) as text from pg_trigger where tgrelid = 'pg_temp.${TEMPORARY}'::regclass and not tgisinternal`,
    );
    return { text: String(printed).replace(new RegExp(` ON pg_temp(_\\d+)?\\.${TEMPORARY} `), ` ON ${table} `) };
  },
  function: async ({ row, name }, execute) => {
    const head =
      /^CREATE OR REPLACE (FUNCTION|PROCEDURE) (?:(?:"(?:[^"]|"")*"|[^\s".(]+)\.)?((?:"(?:[^"]|"")*"|[^\s"(]+)\()/;
    const text = String(row.text);
    await execute(text.replace(head, 'CREATE OR REPLACE $1 pg_temp.$2'));
    const { text: printed } = await one(
      execute,
      `select pg_get_functiondef(p.oid) as text from pg_proc p
      where p.pronamespace = pg_my_temp_schema() and p.proname = $$${name}$$`,
    );
    return { text: String(printed).replace(head, head.exec(text)?.[0].replaceAll('$', '$$$$') ?? '') };
  },
  type: async ({ row }, execute) => {
    if (row.type !== 'd') return {};
    const create = DEFINITIONS.type(row).create[0] ?? '';
    await execute(create.replace(`create domain ${row.sql} `, 'create domain pg_temp.reworded_domain '));
    return one(
      execute,
      `select t.typdefault as default,
        coalesce((select jsonb_agg('constraint ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid) order by k.conname)
          from pg_constraint k where k.contypid = t.oid and k.contype = 'c'), '[]') as checks
      from pg_type t where t.typnamespace = pg_my_temp_schema() and t.typname = 'reworded_domain'`,
    );
  },
} satisfies Record<string, (object: CatalogObject, execute: Execute) => Promise<Row>>;

const TEMPORARY = 'reworded';

/** With the columns of the live table, and nothing else. */
async function temporaryTable({ sql }: Row, execute: Execute): Promise<void> {
  await execute(`create temp table ${TEMPORARY} (like ${sql})`);
}

async function one(execute: Execute, sql: string): Promise<Row> {
  return (await execute(sql))[0] ?? {};
}

/** Without space, parentheses, casts and the tables before columns. */
const bare = (text: string) =>
  text
    .replace(
      /::(?:"[^"]+"|[a-z_]+(?: (?:varying|precision|with(?:out)? time zone))?)(?:\(\d+(?:,\d+)?\))?(?:\[\])?/g,
      '',
    )
    .replace(/\b[a-z_]\w*\./g, '')
    .replace(/[\s()]/g, '')
    .toLowerCase();
