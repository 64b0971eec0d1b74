import { createHash } from 'node:crypto';
import { cstring, type Message, message, readCstring } from '../protocol.ts';
import { addEffects, noEffects, type SessionEffects, sessionEffectsOf } from './session-effects.ts';

/** Messages of one client that must run together: a simple query, or extended ones up to Sync or Flush. */
export interface QueryBatch extends SessionEffects {
  messages: Buffer[];
  /** Whether PostgreSQL ends its response with ReadyForQuery; not after Flush. */
  expectsReady: boolean;
  /** Parse messages of the named statements it prepares, by their renamed names, and those it closes. */
  prepares: Map<string, Buffer>;
  closes: string[];
  /** Its Parse of the unnamed statement, if any; whether it binds one that an earlier batch parsed. */
  unnamed: Buffer | undefined;
  usesEarlierUnnamed: boolean;
}

/** Groups the messages of one client into batches, and renames its statements so that names are unique among clients. */
export class QueryBatcher {
  private batch = emptyBatch();
  private readonly effects = new Map<string, SessionEffects>();

  constructor(private readonly clientId: number) {}

  /** The batch that `message` completes, if it does. */
  add({ type, bytes }: Message): QueryBatch | undefined {
    this.batch.messages.push(this.renamed(type, bytes));
    if (type !== 'Q' && type !== 'S' && type !== 'H' && type !== 'F') return undefined;
    if (type === 'Q') this.recordEffects(bytes.toString('utf8', 5), '');
    const batch = this.batch;
    batch.expectsReady = type !== 'H';
    this.batch = emptyBatch();
    return batch;
  }

  private renamed(type: string, bytes: Buffer): Buffer {
    if (type === 'P') return this.parse(bytes);
    if (type === 'B') {
      const portal = readCstring(bytes, 5);
      const statement = readCstring(bytes, portal.end);
      this.use(statement.text);
      if (statement.text === '') return bytes;
      return message(
        'B',
        bytes.subarray(5, portal.end),
        cstring(this.uniqueName(statement.text)),
        bytes.subarray(statement.end),
      );
    }
    if ((type === 'D' || type === 'C') && bytes[5] === STATEMENT) {
      const { text } = readCstring(bytes, 6);
      if (type === 'D') this.use(text);
      if (text === '') return bytes;
      if (type === 'C') this.batch.closes.push(this.uniqueName(text));
      return message(type, Buffer.from('S'), cstring(this.uniqueName(text)));
    }
    return bytes;
  }

  private parse(bytes: Buffer): Buffer {
    const { text, end } = readCstring(bytes, 5);
    this.recordEffects(bytes.toString('utf8', end, bytes.indexOf(0, end)), text);
    if (text === '') {
      this.batch.unnamed = bytes;
      return bytes;
    }
    const renamed = message('P', cstring(this.uniqueName(text)), bytes.subarray(end));
    this.batch.prepares.set(this.uniqueName(text), renamed);
    return renamed;
  }

  private use(name: string): void {
    if (name === '' && this.batch.unnamed === undefined) this.batch.usesEarlierUnnamed = true;
    const effects = this.effects.get(name);
    if (effects !== undefined) addEffects(this.batch, effects);
  }

  private recordEffects(sql: string, name: string): void {
    const effects = sessionEffectsOf(sql);
    if (effects === undefined) {
      this.effects.delete(name);
      return;
    }
    this.effects.set(name, effects);
    addEffects(this.batch, effects);
  }

  /** PostgreSQL truncates names to 63 bytes, which would make two long ones equal. */
  private uniqueName(name: string): string {
    const short = Buffer.byteLength(name) <= 48 ? name : createHash('sha256').update(name).digest('hex').slice(0, 32);
    return `c${this.clientId}_${short}`;
  }
}

const STATEMENT = 'S'.charCodeAt(0);

const emptyBatch = (): QueryBatch => ({
  messages: [],
  expectsReady: true,
  prepares: new Map(),
  closes: [],
  unnamed: undefined,
  usesEarlierUnnamed: false,
  ...noEffects(),
});
