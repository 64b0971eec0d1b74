/** Whether the database cannot serve right now: it is unreachable, full, restarting, or ended the statement. */
export function isTransientDatabaseError(error: unknown): boolean {
  const { code, message } = partsOf(error);
  return TRANSIENT_SQLSTATES.test(code) || SYSTEM_ERRORS.has(code) || UNAVAILABLE.test(message);
}

/** Whether the connection broke: an error that comes at once, unlike a timeout, so that a retry costs nothing. */
export function isBrokenConnection(error: unknown): boolean {
  const { code, message } = partsOf(error);
  return /^(57P0[123]|08(?!P01)...|ECONNRESET|EPIPE)$/.test(code) || BROKEN.test(message);
}

/** Whether a prepared statement is missing on its connection, or was made by another client. */
export const isUnknownStatement = (error: unknown): boolean => /^(26000|42P05)$/.test(partsOf(error).code);

/** Whether the connection leads to a standby, which may have been the primary until now. */
export const isReadOnly = (error: unknown): boolean => partsOf(error).code === '25006';

function partsOf(error: unknown): { code: string; message: string } {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return { code: String(code ?? ''), message: String(message ?? '') };
}

/**
 * 08 connection (except 08P01, a protocol violation by the client), 25006 read-only standby, 25P03 idle in transaction,
 * 40 serialization failure or deadlock after the last retry, 53 out of resources, 55P03 lock timeout, 57 ended by an operator
 * or a timeout, 58030 disk error.
 */
const TRANSIENT_SQLSTATES = /^(08(?!P01)...|25006|25P03|40(001|P01)|53...|55P03|57(014|P..)|58030)$/;

const SYSTEM_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** Messages of pg and kysely that come without a code. */
const BROKEN =
  /^Connection terminated( unexpectedly)?$|is not queryable$|connection has been discarded$|database "[^"]*" is not currently accepting/i;
const UNAVAILABLE = new RegExp(
  `${BROKEN.source}|Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|No response from the database|pool after calling end|driver has already been destroyed`,
  'i',
);
