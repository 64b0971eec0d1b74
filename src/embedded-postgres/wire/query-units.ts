import { createHash } from 'node:crypto';
import { cstring, type Message, message, readCstring } from '../protocol.ts';
import { addTraits, noTraits, type Traits, traitsOf } from './session-effects.ts';

/** Messages of one client that must run together: a simple query, or extended ones up to Sync or Flush. */
export interface ClientUnit extends Traits {
  messages: Buffer[];
  endsReady: boolean;
  /** Named statements it prepares, by PostgreSQL's name for them, and those it closes. */
  prepares: Map<string, Buffer>;
  closes: string[];
  /** Its Parse of the unnamed statement, if any; whether it binds one that an earlier unit parsed. */
  unnamed: Buffer | undefined;
  usesEarlierUnnamed: boolean;
}

/** Gathers one client's messages into units, under statement names that no other client has. */
export class UnitCollector {
  private unit = emptyUnit();
  private readonly traits = new Map<string, Traits>();
  private readonly client: number;

  constructor(client: number) {
    this.client = client;
  }

  /** The unit that `message` completes, if it does. */
  add({ type, bytes }: Message): ClientUnit | undefined {
    this.unit.messages.push(this.renamed(type, bytes));
    if (type !== 'Q' && type !== 'S' && type !== 'H' && type !== 'F') return undefined;
    if (type === 'Q') this.look(bytes.toString('utf8', 5), '');
    const unit = this.unit;
    unit.endsReady = type !== 'H';
    this.unit = emptyUnit();
    return unit;
  }

  private renamed(type: string, bytes: Buffer): Buffer {
    if (type === 'P') return this.parse(bytes);
    if (type === 'B') {
      const portal = readCstring(bytes, 5);
      const statement = readCstring(bytes, portal.end);
      this.uses(statement.text);
      if (statement.text === '') return bytes;
      return message(
        'B',
        bytes.subarray(5, portal.end),
        cstring(this.nameOf(statement.text)),
        bytes.subarray(statement.end),
      );
    }
    if ((type === 'D' || type === 'C') && bytes[5] === STATEMENT) {
      const { text } = readCstring(bytes, 6);
      if (type === 'D') this.uses(text);
      if (text === '') return bytes;
      if (type === 'C') this.unit.closes.push(this.nameOf(text));
      return message(type, Buffer.from('S'), cstring(this.nameOf(text)));
    }
    return bytes;
  }

  private parse(bytes: Buffer): Buffer {
    const { text, end } = readCstring(bytes, 5);
    this.look(bytes.toString('utf8', end, bytes.indexOf(0, end)), text);
    if (text === '') {
      this.unit.unnamed = bytes;
      return bytes;
    }
    const renamed = message('P', cstring(this.nameOf(text)), bytes.subarray(end));
    this.unit.prepares.set(this.nameOf(text), renamed);
    return renamed;
  }

  private uses(name: string): void {
    if (name === '' && this.unit.unnamed === undefined) this.unit.usesEarlierUnnamed = true;
    const traits = this.traits.get(name);
    if (traits !== undefined) addTraits(this.unit, traits);
  }

  private look(sql: string, name: string): void {
    const traits = traitsOf(sql);
    if (traits === undefined) {
      this.traits.delete(name);
      return;
    }
    this.traits.set(name, traits);
    addTraits(this.unit, traits);
  }

  /** PostgreSQL cuts names at 63 bytes, and would take two long ones for the same. */
  private nameOf(name: string): string {
    const short = Buffer.byteLength(name) <= 48 ? name : createHash('sha256').update(name).digest('hex').slice(0, 32);
    return `c${this.client}_${short}`;
  }
}

const STATEMENT = 'S'.charCodeAt(0);

const emptyUnit = (): ClientUnit => ({
  messages: [],
  endsReady: true,
  prepares: new Map(),
  closes: [],
  unnamed: undefined,
  usesEarlierUnnamed: false,
  ...noTraits(),
});
