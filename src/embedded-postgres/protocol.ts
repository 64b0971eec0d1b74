/** PostgreSQL's wire protocol, version 3: cutting a stream into messages, and building the few that a server says itself. */

export interface Message {
  /** The letter a message starts with; 0 for the first packet of a connection, which has none. */
  readonly type: string;
  /** The whole message, letter and length included. */
  readonly bytes: Buffer;
}

export class MessageTooLong extends Error {}

/** Cuts chunks, however TCP split them, into whole messages. */
export class MessageReader {
  private chunks: Buffer[] = [];
  private length = 0;
  private wanted = 0;
  /** Startup, cancel and SSL requests carry no letter. */
  awaitsFirstPacket: boolean;
  private readonly longest: number;

  constructor({ startsWithPacket = false, longest = 256 * 1024 * 1024 } = {}) {
    this.awaitsFirstPacket = startsWithPacket;
    this.longest = longest;
  }

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
  }

  next(): Message | undefined {
    const lead = this.awaitsFirstPacket ? 0 : 1;
    // Joining only once all of a message is here: a 100 MB message in 64 kB chunks would otherwise be copied 1,600 times.
    if (this.length < Math.max(this.wanted, lead + 4)) return undefined;
    const joined = this.joined();
    const size = lead + joined.readInt32BE(lead);
    if (size < lead + 4 || size > this.longest) throw new MessageTooLong(`A message of ${size} bytes is not taken.`);
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

export function message(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

export const cstring = (text: string) => Buffer.from(`${text}\0`, 'utf8');

/** The zero-terminated text at `offset`, and where the next field starts. */
export function readCstring(bytes: Buffer, offset: number): { text: string; end: number } {
  const zero = bytes.indexOf(0, offset);
  if (zero < 0) throw new MessageTooLong('A text in a message has no end.');
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
export const authenticationOk = () => message('R', int32(0));
export const askForPassword = () => message('R', int32(3));
export const parameterStatus = (name: string, value: string) => message('S', cstring(name), cstring(value));
export const backendKey = (id: number, secret: number) => message('K', int32(id), int32(secret));

export interface Fault {
  severity?: 'ERROR' | 'FATAL';
  /** SQLSTATE */
  code: string;
  message: string;
  hint?: string;
}

export function errorResponse({ severity = 'ERROR', code, message: text, hint }: Fault): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${code}`, `M${text}`, ...(hint === undefined ? [] : [`H${hint}`])];
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
