/**
 * The thread PGlite lives in: it runs one unit of wire messages at a time and sends back what PostgreSQL answered.
 * It is blocked while PostgreSQL works, so whoever must not be blocked stays out of it.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { MessageReader, readyForQuery, type TransactionStatus } from '../protocol.ts';
import { FED, type FromThread, TAKEN, type ThreadData, type ToThread } from './engine-messages.ts';
import { DurableFiles, ERRNO, startParameters } from './fsync-files.ts';

/** How much PostgreSQL may answer ahead of a slow client. */
const AHEAD = 4 * 1024 * 1024;
const CHUNK = 64 * 1024;

/** What of PGlite's module is used here: PGlite's own loop round these spins for good once the module has aborted. */
interface PostgresModule {
  HEAPU8: Uint8Array;
  /** Where the stack in its memory ends. */
  ___stack_pointer: { value: number };
  addFunction(callback: (pointer: number, length: number) => number, signature: string): number;
  _pgl_set_rw_cbs(read: number, write: number): void;
  _pq_buffer_remaining_data(): number;
  _PostgresMainLoopOnce(): void;
  _PostgresMainLongJmp(): void;
  _PostgresSendReadyForQueryIfNecessary(): void;
  _pgl_pq_flush(): void;
  _pgl_setPGliteExitStatus(status: number): number;
}

/** The exit status with which PostgreSQL reports an ordinary error on its way back to the main loop. */
const ERROR_CAUGHT = 100;

const { folder, durable, loadDataDir, feed, signals } = workerData as ThreadData;
const counters = new Int32Array(signals);
const parent = parentPort as MessagePort;
const say = (said: FromThread, transfer: ArrayBuffer[] = []) => parent.postMessage(said, transfer);

let input: Uint8Array = new Uint8Array();
let read = 0;
let copied = false;
let output: Uint8Array[] = [];
let outputLength = 0;
let sent = 0;
const answers = new MessageReader();
let status: TransactionStatus = 'I';
let readyCame = false;
let tags: string[] = [];
let failed = false;

try {
  const database = await open();
  const postgres = database.Module as unknown as PostgresModule;
  listen(postgres);
  parent.on('message', (asked: ToThread) => {
    if (asked.kind === 'run') guarded(() => run(postgres, asked.unit, asked.endsReady));
    else if (asked.kind === 'dump') void dump(database);
    else void close(database);
  });
  say({ kind: 'open' });
} catch (error) {
  say({ kind: 'broken', reason: told(error) });
}

async function open(): Promise<PGlite> {
  const start = { startParams: startParameters({ durable: durable && folder !== 'memory' }) };
  const from = loadDataDir === undefined ? {} : { loadDataDir: new Blob([loadDataDir as Uint8Array<ArrayBuffer>]) };
  return folder === 'memory'
    ? await PGlite.create({ ...start, ...from })
    : await PGlite.create({ ...start, ...from, fs: new DurableFiles(folder) });
}

function listen(postgres: PostgresModule): void {
  const onRead = postgres.addFunction((pointer, longest) => {
    if (read >= input.length) awaitInput();
    const length = Math.min(longest, input.length - read);
    postgres.HEAPU8.set(input.subarray(read, read + length), pointer);
    read += length;
    return length;
  }, 'iii');
  const onWrite = postgres.addFunction((pointer, length) => {
    keep(postgres.HEAPU8.slice(pointer, pointer + length));
    return length;
  }, 'iii');
  postgres._pgl_set_rw_cbs(onRead, onWrite);
}

function run(postgres: PostgresModule, unit: Uint8Array, endsReady: boolean): void {
  input = unit;
  read = 0;
  copied = false;
  readyCame = false;
  tags = [];
  failed = false;
  const stack = postgres.___stack_pointer.value;
  // A COPY swallows the Sync of its unit: its end comes with the data, so it goes on until PostgreSQL is ready again.
  while (read < input.length || postgres._pq_buffer_remaining_data() > 0 || (copied && endsReady && !readyCame)) {
    try {
      postgres._PostgresMainLoopOnce();
    } catch (error) {
      // PGlite goes on after any exception; one that is not PostgreSQL's own error means that the module is broken.
      if (postgres._pgl_setPGliteExitStatus(-2) !== ERROR_CAUGHT) throw error;
      // PostgreSQL's longjmp would do this. Without it every error leaves a kilobyte of stack behind, some leave all of it.
      postgres.___stack_pointer.value = stack;
      postgres._PostgresMainLongJmp();
    }
    if (copied) flush(postgres);
  }
  flush(postgres);
  if (endsReady) put(readyForQuery(status));
  sendOutput();
  say({ kind: 'done', status, tags, failed });
}

function flush(postgres: PostgresModule): void {
  postgres._PostgresSendReadyForQueryIfNecessary();
  postgres._pgl_pq_flush();
}

/** PostgreSQL reads on in the middle of a unit only while it takes a COPY in. */
function awaitInput(): void {
  copied = true;
  sendOutput();
  for (;;) {
    const seen = Atomics.load(counters, FED);
    const fed = receiveMessageOnPort(feed) as { message: Uint8Array } | undefined;
    if (fed !== undefined) {
      input = fed.message;
      read = 0;
      return;
    }
    say({ kind: 'hungry' });
    Atomics.wait(counters, FED, seen);
  }
}

/** Only whole messages go out: should the engine stop in between, the client can still be told so. */
function keep(bytes: Uint8Array<ArrayBuffer>): void {
  answers.push(Buffer.from(bytes.buffer));
  for (let answer = answers.next(); answer !== undefined; answer = answers.next()) {
    if (answer.type === 'Z') {
      // PGlite says it twice after an error in an extended query, at the error and at the Sync: it goes out once, last.
      readyCame = true;
      status = String.fromCharCode(answer.bytes[5] as number) as TransactionStatus;
      continue;
    }
    if (answer.type === 'E') failed = true;
    else if (answer.type === 'C') tags.push(answer.bytes.toString('latin1', 5, answer.bytes.length - 1));
    put(answer.bytes);
  }
  if (outputLength >= CHUNK) sendOutput();
}

function put(bytes: Uint8Array): void {
  output.push(bytes);
  outputLength += bytes.length;
}

function sendOutput(): void {
  if (outputLength === 0) return;
  const bytes = new Uint8Array(outputLength);
  let offset = 0;
  for (const part of output) {
    bytes.set(part, offset);
    offset += part.length;
  }
  output = [];
  outputLength = 0;
  sent = (sent + bytes.length) | 0;
  say({ kind: 'output', bytes }, [bytes.buffer]);
  for (let taken = Atomics.load(counters, TAKEN); ((sent - taken) | 0) > AHEAD; ) {
    Atomics.wait(counters, TAKEN, taken);
    taken = Atomics.load(counters, TAKEN);
  }
}

function guarded(work: () => void): void {
  try {
    work();
  } catch (error) {
    sendOutput();
    say({ kind: 'broken', reason: told(error) });
  }
}

async function dump(database: PGlite): Promise<void> {
  try {
    const tar = await (await database.dumpDataDir('none')).arrayBuffer();
    say({ kind: 'dumped', tar }, [tar]);
  } catch (error) {
    say({ kind: 'broken', reason: told(error) });
  }
}

async function close(database: PGlite): Promise<void> {
  try {
    await database.close();
  } finally {
    say({ kind: 'closed' });
  }
}

function told(error: unknown): string {
  if ((error as { errno?: number }).errno === ERRNO.ENOSPC) return 'The disk is full.';
  return error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error);
}
