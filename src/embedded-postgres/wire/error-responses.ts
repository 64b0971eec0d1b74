import * as wire from '../protocol.ts';

/** The error a client receives when its statement did not reach PostgreSQL, or has no result. */
export function toSqlError(error: unknown): wire.SqlError {
  if (error instanceof wire.SqlError) return error;
  return new wire.SqlError('XX000', error instanceof Error ? error.message : String(error));
}

/** Replaces "read-only transaction" errors (25006) by "disk full" (53100), which is why the session is read-only. */
export function reportDiskFull(bytes: Buffer, reason: string): Buffer {
  const reader = new wire.MessageReader();
  reader.push(bytes);
  const messages: Buffer[] = [];
  for (let message = reader.next(); message !== undefined; message = reader.next()) {
    const isReadOnly = message.type === 'E' && wire.errorFields(message.bytes).C === '25006';
    messages.push(isReadOnly ? wire.errorResponse(new wire.SqlError('53100', reason)) : message.bytes);
  }
  return Buffer.concat(messages);
}
