/**
 * The kinds of problems and their exit codes. Scripts rely on the codes: add new ones, never renumber.
 * 1 is for unexpected errors and usage errors; Node itself uses 13.
 */
export const EXIT_CODES = {
  unforeseen: 1,
  'unknown-target': 10,
  'lock-timeout': 11,
  failed: 12,
  'table-busy': 14,
  'not-in-a-transaction': 15,
  unreadable: 16,
  inaccessible: 17,
  'rows-in-the-way': 21,
  guarded: 22,
  'ambiguous-rename': 23,
  'bad-setting': 24,
  changed: 30,
  pending: 31,
  edited: 32,
  missing: 33,
  'out-of-order': 34,
  duplicate: 35,
  unknown: 36,
  lint: 37,
  'stale-snapshot': 38,
  drift: 39,
  unreachable: 40,
  encoding: 41,
  'stale-schema-file': 42,
  'test-failed': 50,
  'create-failed': 51,
  'after-write-failed': 52,
} as const;

export type ProblemKind = keyof typeof EXIT_CODES;

/** An error a person can act on. The message is the whole text to print, without a stack trace or a secret. */
export class MigrationProblem extends Error {
  override readonly name = 'MigrationProblem';
  readonly exitCode: number;

  constructor(
    readonly kind: ProblemKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.exitCode = EXIT_CODES[kind];
  }
}

/** The SQLSTATE of a driver's error, found inside the errors that MikroORM and Kysely wrap it in. */
export function sqlState(error: unknown): string | undefined {
  for (let e = error as ErrorLike | undefined, depth = 0; e && depth < 5; e = e.cause as ErrorLike, depth++) {
    if (typeof e.code === 'string' && /^[0-9A-Z]{5}$/.test(e.code)) return e.code;
  }
  return undefined;
}

/** The code of a system error such as ECONNREFUSED, found in the same way. */
export function systemCode(error: unknown): string | undefined {
  for (let e = error as ErrorLike | undefined, depth = 0; e && depth < 5; e = e.cause as ErrorLike, depth++) {
    if (typeof e.code === 'string' && /^E[A-Z]+$/.test(e.code)) return e.code;
  }
  return undefined;
}

/** The first line of the database's message, without the statement that MikroORM puts before it. */
export function databaseMessage(error: unknown): string {
  const wrapped = error as ErrorLike & { previous?: unknown };
  const text = error instanceof Error ? wrapped.message : String(error);
  const afterStatement = text.includes(' - ') && sqlState(error) ? text.slice(text.lastIndexOf(' - ') + 3) : text;
  return afterStatement.split('\n')[0] ?? afterStatement;
}

export interface ErrorLike extends Error {
  code?: unknown;
  position?: string;
  detail?: string;
  hint?: string;
  table?: string;
  errors?: unknown[];
}
