/**
 * PostgreSQL's wire protocol, version 3: splitting a stream into messages, and building messages. The engine's thread
 * loads this file with Node's own type stripping, so it uses only syntax that can be erased.
 */

export interface Message {
  /** The letter a message starts with; empty for a startup packet, which has none. */
  readonly type: string;
  /** The whole message, letter and length included. */
  readonly bytes: Buffer;
}

export class ProtocolError extends Error {}

/** Reassembles messages from the chunks of a stream. */
export class MessageReader {
  /** Startup, cancel and SSL requests have no type letter. */
  expectsStartupPacket: boolean;
  private chunks: Buffer[] = [];
  private length = 0;
  private wanted = 0;

  constructor({ expectsStartupPacket = false } = {}) {
    this.expectsStartupPacket = expectsStartupPacket;
  }

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
  }

  next(): Message | undefined {
    const lead = this.expectsStartupPacket ? 0 : 1;
    // Concatenates only once the message is complete: joining each 64 kB chunk would copy a 100 MB message 1,600 times.
    if (this.length < Math.max(this.wanted, lead + 4)) return undefined;
    const joined = this.joined();
    const size = lead + joined.readInt32BE(lead);
    if (size < lead + 4 || size > MAX_MESSAGE) throw new ProtocolError(`Invalid message length: ${size} bytes.`);
    this.wanted = size;
    if (joined.length < size) return undefined;
    this.wanted = 0;
    this.chunks = joined.length > size ? [joined.subarray(size)] : [];
    this.length -= size;
    const bytes = joined.subarray(0, size);
    return { type: lead === 0 ? '' : String.fromCharCode(bytes[0] as number), bytes };
  }

  private joined(): Buffer {
    const [first] = this.chunks;
    const joined = this.chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.chunks, this.length);
    this.chunks = [joined];
    return joined;
  }
}

const MAX_MESSAGE = 256 * 1024 * 1024;

export function message(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** The packet that opens a connection: names and values in turn. */
export function startupMessage(...parameters: string[]): Buffer {
  const body = Buffer.concat([int32(3 << 16), ...parameters.map(cstring), Buffer.from([0])]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export const cstring = (text: string) => Buffer.from(`${text}\0`, 'utf8');

/** The zero-terminated text at `offset`, and where the next field starts. */
export function readCstring(bytes: Buffer, offset: number): { text: string; end: number } {
  const zero = bytes.indexOf(0, offset);
  if (zero < 0) throw new ProtocolError('A string in a message is not terminated.');
  return { text: bytes.toString('utf8', offset, zero), end: zero + 1 };
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

export type TransactionStatus = 'I' | 'T' | 'E';

export const readyForQuery = (status: TransactionStatus) => message('Z', Buffer.from(status));
export const query = (sql: string) => message('Q', cstring(sql));
export const sync = () => message('S');
export const password = (text: string) => message('p', cstring(text));
export const authenticationOk = () => message('R', int32(0));
export const authenticationCleartextPassword = () => message('R', int32(3));
export const parameterStatus = (name: string, value: string) => message('S', cstring(name), cstring(value));
export const backendKeyData = (id: number, secret: number) => message('K', int32(id), int32(secret));

export const isPasswordRequest = ({ type, bytes }: Message) => type === 'R' && bytes.readInt32BE(5) === 3;

/** An error that the server itself reports to a client; `code` is the SQLSTATE. */
export class SqlError extends Error {
  readonly code: string;

  constructor(code: string, text: string) {
    super(text);
    this.code = code;
  }
}

export function errorResponse({ code, message: text }: SqlError, severity: 'ERROR' | 'FATAL' = 'ERROR'): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${code}`, `M${text}`];
  return message('E', ...fields.map(cstring), Buffer.from([0]));
}

/** The fields of an ErrorResponse by their letter: C is the SQLSTATE, M the message. */
export function errorFields(bytes: Buffer): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let offset = 5; offset < bytes.length && bytes[offset] !== 0; ) {
    const letter = String.fromCharCode(bytes[offset] as number);
    const { text, end } = readCstring(bytes, offset + 1);
    fields[letter] = text;
    offset = end;
  }
  return fields;
}

/** The columns of a DataRow, as text. */
export function dataRow(bytes: Buffer): (string | null)[] {
  const columns: (string | null)[] = [];
  let offset = 7;
  for (let left = bytes.readInt16BE(5); left > 0; left -= 1) {
    const length = bytes.readInt32BE(offset);
    offset += 4;
    columns.push(length < 0 ? null : bytes.toString('utf8', offset, offset + length));
    offset += Math.max(length, 0);
  }
  return columns;
}
