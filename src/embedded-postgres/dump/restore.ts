import type { Connection } from '../database-owner.ts';
import * as wire from '../protocol.ts';
import { splitSql } from './split-sql.ts';
import { WireClient } from './wire-client.ts';

export interface RestoreOptions {
  /** Drop all tables first; without it, a database that has tables is refused. */
  replace?: boolean;
}

/** Loads a plain SQL dump in one transaction, so that a dump that fails changes nothing. */
export async function restoreSql(
  connection: Connection,
  script: AsyncIterable<string>,
  { replace = false }: RestoreOptions = {},
): Promise<void> {
  const client = new WireClient(connection);
  try {
    await startSession(client, connection);
    await run(client, 'begin');
    if (replace) await run(client, DROP_ALL);
    await run(client, REFUSE_IF_NOT_EMPTY);
    for await (const part of splitSql(script)) {
      if ('sql' in part) await run(client, part.sql);
      else if ('copyData' in part) await client.send(wire.message('d', Buffer.from(part.copyData)));
      else {
        await client.send(wire.message('c'));
        await response(client, 'COPY');
      }
    }
    // A dump empties search_path, which must not affect later statements on pooled connections.
    await run(client, 'commit; reset all; analyze');
    await client.send(wire.message('X'));
  } finally {
    client.close();
  }
}

const REFUSE_IF_NOT_EMPTY = `do $$ begin
  if exists (select from pg_class c join pg_namespace n on n.oid = relnamespace
             where relkind in ('r', 'p', 'v', 'm') and nspname !~ '^pg_' and nspname <> 'information_schema')
  then raise 'The database already has tables. Use a new folder, or --replace to drop them.'; end if; end $$`;

/** The SQLSTATE of `raise`. */
const RAISE_EXCEPTION = 'P0001';

const DROP_ALL = `do $$ declare one text; begin
  for one in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
  loop execute format('drop schema %I cascade', one); end loop;
  create schema public; end $$`;

async function startSession(client: WireClient, { user, dbName, password }: Connection): Promise<void> {
  const settings = ['application_name', 'restore', 'statement_timeout', '0'];
  await client.send(wire.startupMessage('user', user, 'database', dbName, ...settings));
  for (;;) {
    const message = await client.next();
    if (message.type === 'E') throw new Error(wire.errorFields(message.bytes).M);
    if (wire.isPasswordRequest(message)) await client.send(wire.password(password ?? ''));
    if (message.type === 'Z') return;
  }
}

async function run(client: WireClient, sql: string): Promise<void> {
  await client.send(wire.query(sql));
  await response(client, sql);
}

/** Waits until PostgreSQL is ready for the next statement, or for COPY data. */
async function response(client: WireClient, sql: string): Promise<void> {
  let error: Record<string, string> | undefined;
  for (;;) {
    const message = await client.next();
    if (message.type === 'E') error = wire.errorFields(message.bytes);
    if (message.type !== 'Z' && message.type !== 'G' && error?.S !== 'FATAL') continue;
    if (error === undefined) return;
    if (sql === REFUSE_IF_NOT_EMPTY && error.C === RAISE_EXCEPTION) throw new Error(error.M);
    throw new Error(`${error.M} (${error.C}) at: ${sql.trim().slice(0, 200)}`);
  }
}
