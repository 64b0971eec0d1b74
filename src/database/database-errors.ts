/** Whether it is the database that can not serve just now: it is away, full, restarting, or ended the statement. */
export function isTransientDatabaseError(error: unknown): boolean {
  const { code, message } = partsOf(error);
  return SQLSTATES.test(code) || SYSTEM_ERRORS.has(code) || LOST.test(message);
}

/** Reads once more when the connection broke under it: the next one may well be whole. For what changes nothing only. */
export async function retryRead<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isBrokenConnection(error)) throw error;
    return await read();
  }
}

/** It broke at once, so that trying again costs nothing; after a silence nobody should have to wait a second time. */
function isBrokenConnection(error: unknown): boolean {
  const { code, message } = partsOf(error);
  return /^(57P0[123]|08(?!P01)...|ECONNRESET|EPIPE)$/.test(code) || BROKEN.test(message);
}

function partsOf(error: unknown): { code: string; message: string } {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return { code: String(code ?? ''), message: String(message ?? '') };
}

/**
 * 08 connection (but for 08P01, a message of ours that makes no sense), 25006 a standby that only reads, 25P03 idle in
 * transaction, 40 two at once even after every attempt, 53 out of resources, 55P03 a lock, 57 ended by an operator or a
 * deadline, 58 its disk.
 */
const SQLSTATES = /^(08(?!P01)...|25006|25P03|40(001|P01)|53...|55P03|57(014|P..)|58030)$/;

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

/** What pg and kysely say without a code. */
const BROKEN =
  /^Connection terminated( unexpectedly)?$|is not queryable$|connection has been discarded$|database "[^"]*" is not currently accepting/i;
const LOST = new RegExp(
  `${BROKEN.source}|Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|The database said nothing|pool after calling end|driver has already been destroyed`,
  'i',
);
