/**
 * Runs pg_dump, as WebAssembly. It reads and writes its connection synchronously, so it runs in a thread that waits for
 * each response while the process continues to serve it. Node may load this file with its own type stripping.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { PGlite } from '@electric-sql/pglite';
import { pgDump } from '@electric-sql/pglite-tools/pg_dump';

export interface DumpThreadData {
  /** Carries pg_dump's wire messages out and PostgreSQL's in. */
  wire: MessagePort;
  /** Counts the responses. */
  counter: SharedArrayBuffer;
  arguments: string[];
}

export type DumpThreadMessage = { dump: string } | { error: string };

const { wire, counter: sharedCounter, arguments: args } = workerData as DumpThreadData;
const counter = new Int32Array(sharedCounter);

/** pg_dump uses only PGlite's raw protocol. What its package does around that is for a session of PGlite's own. */
const connection = {
  execProtocolRawStream(bytes: Uint8Array, { onRawData }: { onRawData(bytes: Uint8Array): void }) {
    const seen = Atomics.load(counter, 0);
    wire.postMessage(bytes.slice());
    Atomics.wait(counter, 0, seen);
    const response = receiveMessageOnPort(wire) as { message: Uint8Array } | undefined;
    if (response !== undefined && response.message.length > 0) onRawData(response.message);
    return Promise.resolve();
  },
  query: () => Promise.resolve({ rows: [{ search_path: 'public' }] }),
  exec: () => Promise.resolve([]),
};

const post = (message: DumpThreadMessage) => parentPort?.postMessage(message);

try {
  const dump = await pgDump({ pg: connection as unknown as PGlite, args });
  post({ dump: await dump.text() });
} catch (error) {
  post({ error: error instanceof Error ? error.message : String(error) });
}
