/** What the engine and its thread say to each other. */
import type { MessagePort } from 'node:worker_threads';
import type { TransactionStatus } from '../protocol.ts';

export interface EngineOptions {
  folder: string | 'memory';
  durable: boolean;
  loadDataDir?: Uint8Array;
}

export interface ThreadData extends EngineOptions {
  /** More input for a COPY under way comes here, while the thread is blocked and reads no ordinary message. */
  feed: MessagePort;
  /** Counts what was fed, and what the client has taken of what it was sent: the thread sleeps on these two. */
  signals: SharedArrayBuffer;
}

export type ToThread = { kind: 'run'; unit: Uint8Array; endsReady: boolean } | { kind: 'dump' } | { kind: 'close' };

export type FromThread =
  | { kind: 'open' }
  | { kind: 'output'; bytes: Uint8Array }
  | { kind: 'hungry' }
  | { kind: 'done'; status: TransactionStatus; tags: string[]; failed: boolean }
  | { kind: 'dumped'; tar: ArrayBuffer }
  | { kind: 'closed' }
  | { kind: 'broken'; reason: string };

/** Places of the two counts in `signals`. */
export const FED = 0;
export const TAKEN = 1;
