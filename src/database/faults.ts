/** Whether it is the database that can not serve just now: it is away, full, restarting, or ended the statement. */
export function isDatabaseFault(error: unknown): boolean {
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string };
  return SQLSTATES.test(code) || SYSTEM_ERRORS.has(code) || LOST.test(message);
}

/** 08 connection (but for 08P01, a message of ours that makes no sense), 53 out of resources, 57 ended by an operator or a deadline, 55P03 a lock, 25P03 idle in transaction. */
const SQLSTATES = /^(08(?!P01)...|53...|57(014|P..)|55P03|25P03)$/;

const SYSTEM_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);

/** What pg says without a code. */
const LOST = /Connection terminated|timeout exceeded when trying to connect|database .* is not currently accepting/i;
