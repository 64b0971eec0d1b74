/** The messages between the engine and its thread. */
import type { MessagePort } from 'node:worker_threads';
import type { TransactionStatus } from '../protocol.ts';

export interface EngineOptions {
  folder: string | 'memory';
  durable: boolean;
  loadDataDir?: Uint8Array;
}

export interface ThreadData extends EngineOptions {
  /** Carries the input of a running COPY, while the thread is blocked and receives no ordinary message. */
  copyPort: MessagePort;
  /** Two counters the thread waits on: chunks of COPY input sent, and bytes of output the client has received. */
  counters: SharedArrayBuffer;
}

export type ToThread = { kind: 'run'; bytes: Uint8Array; expectsReady: boolean } | { kind: 'dump' } | { kind: 'close' };

export type FromThread =
  | { kind: 'open' }
  | { kind: 'output'; bytes: Uint8Array }
  | { kind: 'copyRequest' }
  | { kind: 'done'; status: TransactionStatus; tags: string[]; failed: boolean }
  | { kind: 'dumped'; tar: ArrayBuffer }
  | { kind: 'closed' }
  | { kind: 'broken'; reason: string };

/** Indexes into `counters`. */
export const COPY_SENT = 0;
export const ACKNOWLEDGED = 1;
