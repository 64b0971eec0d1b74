import type { Connection } from '../owner.ts';
import { cstring, errorFields, int32, type Message, message, query } from '../protocol.ts';
import { piecesOf } from './split-sql.ts';
import { WireClient } from './wire-client.ts';

export interface RestoreOptions {
  /** Drop what is there first; without it, a database that has tables is left alone. */
  replace?: boolean;
}

/** Loads a plain SQL dump in one transaction: a dump that fails half way leaves everything as it was. */
export async function restoreSql(
  connection: Connection,
  script: AsyncIterable<string>,
  { replace = false }: RestoreOptions = {},
): Promise<void> {
  const client = new WireClient(connection);
  try {
    await greet(client, connection);
    await run(client, 'begin');
    if (replace) await run(client, EMPTY_ALL);
    await run(client, REFUSE_IF_FULL);
    for await (const piece of piecesOf(script)) {
      if ('sql' in piece) {
        await client.send(query(piece.sql));
        if (isAnswered(await answer(client, piece.sql))) continue;
      } else if ('copyData' in piece) {
        await client.send(message('d', Buffer.from(piece.copyData)));
      } else {
        await client.send(message('c'));
        await answer(client, 'COPY');
      }
    }
    // A dump empties search_path; what is left of that must not meet the next statement of a pool.
    await run(client, 'commit; reset all; analyze');
    await client.send(message('X'));
  } finally {
    client.close();
  }
}

const isAnswered = (last: Message) => last.type !== 'G';

const REFUSE_IF_FULL = `do $$ begin
  if exists (select from pg_class c join pg_namespace n on n.oid = relnamespace
             where relkind in ('r', 'p', 'v', 'm') and nspname !~ '^pg_' and nspname <> 'information_schema')
  then raise 'This database has tables already; start with a new folder, or say --replace to drop them.'; end if; end $$`;

/** What `raise` fails with. */
const RAISED = 'P0001';

const EMPTY_ALL = `do $$ declare one text; begin
  for one in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
  loop execute format('drop schema %I cascade', one); end loop;
  create schema public; end $$`;

async function run(client: WireClient, sql: string): Promise<void> {
  await client.send(query(sql));
  await answer(client, sql);
}

/** The message that says what comes next: ready for another statement, or hungry for COPY data. */
async function answer(client: WireClient, sql: string): Promise<Message> {
  let fault: Record<string, string> | undefined;
  for (;;) {
    const said = await client.next();
    if (said.type === 'E') fault = errorFields(said.bytes);
    if (said.type !== 'Z' && said.type !== 'G' && fault?.S !== 'FATAL') continue;
    if (fault === undefined) return said;
    if (sql === REFUSE_IF_FULL && fault.C === RAISED) throw new Error(fault.M);
    throw new Error(`${fault.M} (${fault.C}) at: ${sql.trim().slice(0, 200)}`);
  }
}

async function greet(client: WireClient, { user, dbName, password }: Connection): Promise<void> {
  const fields = ['user', user, 'database', dbName, 'application_name', 'restore', 'statement_timeout', '0'];
  const body = Buffer.concat([int32(3 << 16), ...fields.map(cstring), Buffer.from([0])]);
  await client.send(Buffer.concat([int32(body.length + 4), body]));
  for (;;) {
    const said = await client.next();
    if (said.type === 'E') throw new Error(errorFields(said.bytes).M);
    if (said.type === 'R' && said.bytes.readInt32BE(5) === 3) await client.send(message('p', cstring(password ?? '')));
    if (said.type === 'Z') return;
  }
}
