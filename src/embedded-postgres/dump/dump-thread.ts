/**
 * pg_dump, as WASM, in a thread of its own: it reads and writes its connection synchronously, so its thread sleeps
 * until the answer is there, and the process goes on serving it.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { PGlite } from '@electric-sql/pglite';
import { pgDump } from '@electric-sql/pglite-tools/pg_dump';

export interface DumpThreadData {
  /** pg_dump's bytes go out here and PostgreSQL's come in. */
  wire: MessagePort;
  answered: SharedArrayBuffer;
  arguments: string[];
}

const { wire, answered, arguments: args } = workerData as DumpThreadData;
const counter = new Int32Array(answered);

/** Of PGlite, pg_dump uses the raw protocol; what the package does round it concerns a session that is PGlite's own. */
const connection = {
  execProtocolRawStream(bytes: Uint8Array, { onRawData }: { onRawData(bytes: Uint8Array): void }) {
    const seen = Atomics.load(counter, 0);
    wire.postMessage(bytes.slice());
    Atomics.wait(counter, 0, seen);
    const answer = receiveMessageOnPort(wire) as { message: Uint8Array } | undefined;
    if (answer !== undefined && answer.message.length > 0) onRawData(answer.message);
    return Promise.resolve();
  },
  query: () => Promise.resolve({ rows: [{ search_path: 'public' }] }),
  exec: () => Promise.resolve([]),
};

try {
  const dump = await pgDump({ pg: connection as unknown as PGlite, args });
  parentPort?.postMessage({ dump: await dump.text() });
} catch (error) {
  parentPort?.postMessage({ fault: error instanceof Error ? error.message : String(error) });
}
