/**
 * The thread that runs PGlite: it processes one request of wire messages at a time and sends back PostgreSQL's response.
 * It is blocked while PostgreSQL works. Node may load it with its own type stripping: see protocol.ts.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { MessageReader, readyForQuery, type TransactionStatus } from '../protocol.ts';
import { ACKNOWLEDGED, COPY_SENT, type FromThread, type ThreadData, type ToThread } from './engine-messages.ts';
import { ERRNO, FsyncFiles, startParameters } from './fsync-files.ts';

/** Bytes of output that a slow client may not have received yet. */
const MAX_UNACKNOWLEDGED = 4 * 1024 * 1024;
const OUTPUT_CHUNK = 64 * 1024;

/** The parts of PGlite's module used here: PGlite's own main loop never ends once the module has aborted. */
interface PostgresModule {
  HEAPU8: Uint8Array;
  /** The end of the stack in WebAssembly's memory. */
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

/** The exit status by which PostgreSQL returns to its main loop after an ordinary error. */
const ERROR_CAUGHT = 100;

const { folder, durable, loadDataDir, copyPort, counters: sharedCounters } = workerData as ThreadData;
const counters = new Int32Array(sharedCounters);
const parent = parentPort as MessagePort;
const post = (message: FromThread, transfer: ArrayBuffer[] = []) => parent.postMessage(message, transfer);

let input: Uint8Array = new Uint8Array();
let inputOffset = 0;
let isCopying = false;
let output: Uint8Array[] = [];
let outputLength = 0;
let sent = 0;
const reader = new MessageReader();
let status: TransactionStatus = 'I';
let isReady = false;
let tags: string[] = [];
let failed = false;

try {
  const database = await open();
  const postgres = database.Module as unknown as PostgresModule;
  setCallbacks(postgres);
  parent.on('message', (message: ToThread) => {
    if (message.kind === 'run') run(postgres, message.bytes, message.expectsReady);
    else if (message.kind === 'dump') void dump(database);
    else void close(database);
  });
  post({ kind: 'open' });
} catch (error) {
  post({ kind: 'broken', reason: describe(error) });
}

async function open(): Promise<PGlite> {
  const start = { startParams: startParameters({ durable: durable && folder !== 'memory' }) };
  const from = loadDataDir === undefined ? {} : { loadDataDir: new Blob([loadDataDir as Uint8Array<ArrayBuffer>]) };
  return folder === 'memory'
    ? await PGlite.create({ ...start, ...from })
    : await PGlite.create({ ...start, ...from, fs: new FsyncFiles(folder) });
}

function setCallbacks(postgres: PostgresModule): void {
  const onRead = postgres.addFunction((pointer, maxLength) => {
    if (inputOffset >= input.length) awaitCopyInput();
    const length = Math.min(maxLength, input.length - inputOffset);
    postgres.HEAPU8.set(input.subarray(inputOffset, inputOffset + length), pointer);
    inputOffset += length;
    return length;
  }, 'iii');
  const onWrite = postgres.addFunction((pointer, length) => {
    collectOutput(postgres.HEAPU8.slice(pointer, pointer + length));
    return length;
  }, 'iii');
  postgres._pgl_set_rw_cbs(onRead, onWrite);
}

function run(postgres: PostgresModule, bytes: Uint8Array, expectsReady: boolean): void {
  input = bytes;
  inputOffset = 0;
  isCopying = false;
  isReady = false;
  tags = [];
  failed = false;
  try {
    runMainLoop(postgres, expectsReady);
    flush(postgres);
    if (expectsReady) addOutput(readyForQuery(status));
    sendOutput();
    post({ kind: 'done', status, tags, failed });
  } catch (error) {
    sendOutput();
    post({ kind: 'broken', reason: describe(error) });
  }
}

function runMainLoop(postgres: PostgresModule, expectsReady: boolean): void {
  const stack = postgres.___stack_pointer.value;
  const hasInput = () => inputOffset < input.length || postgres._pq_buffer_remaining_data() > 0;
  // A COPY consumes the Sync of its own request and ends with its data, so the loop runs until PostgreSQL is ready.
  while (hasInput() || (isCopying && expectsReady && !isReady)) {
    try {
      postgres._PostgresMainLoopOnce();
    } catch (error) {
      // PGlite ignores every exception, but any that is not an error of PostgreSQL's means that the module is broken.
      if (postgres._pgl_setPGliteExitStatus(-2) !== ERROR_CAUGHT) throw error;
      // As PostgreSQL's longjmp would. Without it every error leaks a kilobyte of stack, and some leak all of it.
      postgres.___stack_pointer.value = stack;
      postgres._PostgresMainLongJmp();
    }
    if (isCopying) flush(postgres);
  }
}

function flush(postgres: PostgresModule): void {
  postgres._PostgresSendReadyForQueryIfNecessary();
  postgres._pgl_pq_flush();
}

/** PostgreSQL reads beyond its request only while it takes COPY input. */
function awaitCopyInput(): void {
  isCopying = true;
  sendOutput();
  for (;;) {
    const seen = Atomics.load(counters, COPY_SENT);
    const received = receiveMessageOnPort(copyPort) as { message: Uint8Array } | undefined;
    if (received !== undefined) {
      input = received.message;
      inputOffset = 0;
      return;
    }
    post({ kind: 'copyRequest' });
    Atomics.wait(counters, COPY_SENT, seen);
  }
}

/** Sends only whole messages: if the engine stops between two, the client can still receive an error. */
function collectOutput(bytes: Uint8Array<ArrayBuffer>): void {
  reader.push(Buffer.from(bytes.buffer));
  for (let message = reader.next(); message !== undefined; message = reader.next()) {
    if (message.type === 'Z') {
      // After an error in an extended query PGlite sends it twice, at the error and at the Sync. It is sent once, last.
      isReady = true;
      status = String.fromCharCode(message.bytes[5] as number) as TransactionStatus;
      continue;
    }
    if (message.type === 'E') failed = true;
    else if (message.type === 'C') tags.push(message.bytes.toString('latin1', 5, message.bytes.length - 1));
    addOutput(message.bytes);
  }
  if (outputLength >= OUTPUT_CHUNK) sendOutput();
}

function addOutput(bytes: Uint8Array): void {
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
  post({ kind: 'output', bytes }, [bytes.buffer]);
  for (let received = Atomics.load(counters, ACKNOWLEDGED); ((sent - received) | 0) > MAX_UNACKNOWLEDGED; ) {
    Atomics.wait(counters, ACKNOWLEDGED, received);
    received = Atomics.load(counters, ACKNOWLEDGED);
  }
}

async function dump(database: PGlite): Promise<void> {
  try {
    const tar = await (await database.dumpDataDir('none')).arrayBuffer();
    post({ kind: 'dumped', tar }, [tar]);
  } catch (error) {
    post({ kind: 'broken', reason: describe(error) });
  }
}

async function close(database: PGlite): Promise<void> {
  try {
    await database.close();
  } finally {
    post({ kind: 'closed' });
  }
}

function describe(error: unknown): string {
  if ((error as { errno?: number }).errno === ERRNO.ENOSPC) return 'The disk is full.';
  return error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error);
}
