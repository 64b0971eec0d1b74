import { MessageChannel, Worker } from 'node:worker_threads';
import type { Connection } from '../owner.ts';
import { cstring, MessageReader, message, readCstring } from '../protocol.ts';
import type { DumpThreadData } from './dump-thread.ts';
import { WireClient } from './wire-client.ts';

/** The database as plain SQL that `psql` loads into PostgreSQL 15 or later. `onTable` hears which table is under way. */
export async function dumpSql(connection: Connection, onTable: (table: string) => void = () => {}): Promise<string> {
  const { port1, port2 } = new MessageChannel();
  const data: DumpThreadData = { wire: port2, answered: new SharedArrayBuffer(4), arguments: PG_DUMP_ARGUMENTS };
  const counter = new Int32Array(data.answered);
  const client = new WireClient(connection);
  const sent = new MessageReader({ startsWithPacket: true });
  let fault: Error | undefined;
  port1.on('message', async (bytes: Uint8Array) => {
    const answer = await relay(client, sent, Buffer.from(bytes), connection, onTable).catch((error: Error) => {
      fault ??= error;
      return Buffer.alloc(0); // to pg_dump, the connection is lost
    });
    port1.postMessage(new Uint8Array(answer));
    Atomics.add(counter, 0, 1);
    Atomics.notify(counter, 0);
  });
  const file = new URL(import.meta.url.endsWith('.ts') ? './dump-thread.ts' : './dump-thread.js', import.meta.url);
  const execArgv = process.features.typescript === false && file.pathname.endsWith('.ts') ? process.execArgv : [];
  const thread = new Worker(file, { workerData: data, transferList: [port2], execArgv });
  try {
    const said = await new Promise<{ dump?: string; fault?: string }>((resolve, reject) => {
      thread.once('message', resolve);
      thread.once('error', reject);
    });
    if (said.dump === undefined) throw fault ?? new Error(`The dump failed: ${said.fault}`);
    return forOlderServers(said.dump);
  } finally {
    client.close();
    port1.close();
    await thread.terminate();
  }
}

/**
 * Owners and grants name roles that the other server need not have. Rows go as inserts of a thousand: the package
 * allows no COPY, and one row each would take psql ten times as long.
 */
const PG_DUMP_ARGUMENTS = ['--no-owner', '--no-privileges', '--rows-per-insert', '1000', '-d', 'postgres'];

/** pg_dump sends; what PostgreSQL answers, up to the point where it waits for more, goes back. */
async function relay(
  client: WireClient,
  sent: MessageReader,
  bytes: Buffer,
  { password }: Connection,
  onTable: (table: string) => void,
): Promise<Buffer> {
  await client.send(bytes);
  sent.push(bytes);
  const answers: Buffer[] = [];
  for (let said = sent.next(); said !== undefined; said = sent.next()) {
    sent.awaitsFirstPacket = false;
    if (said.type === 'Q') report(readCstring(said.bytes, 5).text, onTable);
    if (said.type !== 'Q' && said.type !== 'S' && said.type !== '') continue;
    for (let isReady = false; !isReady; ) {
      const answer = await client.next();
      if (answer.type === 'R' && answer.bytes.readInt32BE(5) === 3) {
        await client.send(message('p', cstring(password ?? '')));
        continue;
      }
      answers.push(answer.bytes);
      isReady = answer.type === 'Z' || (said.type === '' && answer.type === 'E');
    }
  }
  return Buffer.concat(answers);
}

function report(sql: string, onTable: (table: string) => void): void {
  const [, table] = /^DECLARE _pg_dump_cursor CURSOR FOR SELECT .* FROM (?:ONLY )?(\S+)/s.exec(sql) ?? [];
  if (table !== undefined) onTable(table);
}

/** Settings that PostgreSQL 18 writes and 15 has not heard of: psql stops at them under ON_ERROR_STOP. */
const forOlderServers = (dump: string) => dump.replace(/^SET transaction_timeout = 0;\n/m, '');
