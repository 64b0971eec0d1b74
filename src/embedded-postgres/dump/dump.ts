import { MessageChannel, Worker } from 'node:worker_threads';
import type { Connection } from '../database-owner.ts';
import { isPasswordRequest, MessageReader, password, readCstring } from '../protocol.ts';
import type { DumpThreadData, DumpThreadMessage } from './dump-thread.ts';
import { WireClient } from './wire-client.ts';

/** The database as plain SQL that `psql` loads into PostgreSQL 15 or later. `onTable` is called as each table starts. */
export async function dumpSql(connection: Connection, onTable: (table: string) => void = () => {}): Promise<string> {
  const { port1, port2 } = new MessageChannel();
  const data: DumpThreadData = { wire: port2, counter: new SharedArrayBuffer(4), arguments: PG_DUMP_ARGUMENTS };
  const counter = new Int32Array(data.counter);
  const client = new WireClient(connection);
  const sent = new MessageReader({ expectsStartupPacket: true });
  let connectionError: Error | undefined;
  port1.on('message', async (bytes: Uint8Array) => {
    const response = await relay(client, sent, Buffer.from(bytes), connection, onTable).catch((error: Error) => {
      connectionError ??= error;
      return Buffer.alloc(0); // pg_dump takes this for a lost connection
    });
    port1.postMessage(new Uint8Array(response));
    Atomics.add(counter, 0, 1);
    Atomics.notify(counter, 0);
  });
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const execArgv = process.features.typescript === false && extension === 'ts' ? process.execArgv : [];
  const file = new URL(`./dump-thread.${extension}`, import.meta.url);
  const thread = new Worker(file, { workerData: data, transferList: [port2], execArgv });
  try {
    const result = await new Promise<DumpThreadMessage>((resolve, reject) => {
      thread.once('message', resolve);
      thread.once('error', reject);
    });
    if ('error' in result) throw connectionError ?? new Error(`The dump failed: ${result.error}`);
    return result.dump.replace(UNKNOWN_TO_15, '');
  } finally {
    client.close();
    port1.close();
    await thread.terminate();
  }
}

/**
 * Owners and grants name roles that the other server may not have. Rows go as inserts of a thousand: the package does
 * not support COPY, and psql takes ten times as long for inserts of one row.
 */
const PG_DUMP_ARGUMENTS = ['--no-owner', '--no-privileges', '--rows-per-insert', '1000', '-d', 'postgres'];

/** Forwards messages of pg_dump and returns PostgreSQL's response, up to where it waits for the next message. */
async function relay(
  client: WireClient,
  sent: MessageReader,
  bytes: Buffer,
  connection: Connection,
  onTable: (table: string) => void,
): Promise<Buffer> {
  await client.send(bytes);
  sent.push(bytes);
  const responses: Buffer[] = [];
  for (let request = sent.next(); request !== undefined; request = sent.next()) {
    sent.expectsStartupPacket = false;
    if (request.type === 'Q') reportTable(readCstring(request.bytes, 5).text, onTable);
    if (request.type !== 'Q' && request.type !== 'S' && request.type !== '') continue;
    for (let isReady = false; !isReady; ) {
      const response = await client.next();
      if (isPasswordRequest(response)) {
        await client.send(password(connection.password ?? ''));
        continue;
      }
      responses.push(response.bytes);
      isReady = response.type === 'Z' || (request.type === '' && response.type === 'E');
    }
  }
  return Buffer.concat(responses);
}

function reportTable(sql: string, onTable: (table: string) => void): void {
  const [, table] = /^DECLARE _pg_dump_cursor CURSOR FOR SELECT .* FROM (?:ONLY )?(\S+)/s.exec(sql) ?? [];
  if (table !== undefined) onTable(table);
}

/** A setting that PostgreSQL 18 writes and 15 does not know: psql stops at it under ON_ERROR_STOP. */
const UNKNOWN_TO_15 = /^SET transaction_timeout = 0;\n/m;
