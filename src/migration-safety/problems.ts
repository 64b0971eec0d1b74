/**
 * Everything that can go wrong in a way a person can act on, with the exit code a script can act on.
 * Codes are promises: add, never renumber. 1 is left to what nobody foresaw, 13 is what Node itself uses.
 */
export const exitCodes = {
  unforeseen: 1,
  'unknown-target': 10,
  'lock-timeout': 11,
  failed: 12,
  'table-busy': 14,
  'not-in-a-transaction': 15,
  unreadable: 16,
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
  'test-failed': 50,
} as const;

export type ProblemKind = keyof typeof exitCodes;

/** A fault told to a person: the message is the whole text, ready to print; nothing of it is a stack or a secret. */
export class MigrationProblem extends Error {
  readonly kind: ProblemKind;
  readonly exitCode: number;

  constructor(kind: ProblemKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MigrationProblem';
    this.kind = kind;
    this.exitCode = exitCodes[kind];
  }
}

/** The SQLSTATE of whatever the driver threw, looked for through the wrappers MikroORM and Kysely put around it. */
export function sqlState(error: unknown): string | undefined {
  for (let e = error as ErrorLike | undefined, depth = 0; e && depth < 5; e = e.cause as ErrorLike, depth++) {
    if (typeof e.code === 'string' && /^[0-9A-Z]{5}$/.test(e.code)) return e.code;
  }
  return undefined;
}

/** What the operating system called it, ECONNREFUSED and the like, looked for in the same way. */
export function systemCode(error: unknown): string | undefined {
  for (let e = error as ErrorLike | undefined, depth = 0; e && depth < 5; e = e.cause as ErrorLike, depth++) {
    if (typeof e.code === 'string' && /^E[A-Z]+$/.test(e.code)) return e.code;
  }
  return undefined;
}

/** The first line of what the database said, without the statement that MikroORM puts in front of it. */
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
