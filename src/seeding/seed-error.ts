/** The exit codes of `npm run seed`. */
export enum ExitCode {
  DONE = 0,
  FAILED = 1,
  BAD_OPTIONS = 2,
  DATABASE_NOT_READY = 3,
  NAME_TAKEN = 4,
  INTERRUPTED = 130,
}

/** An error that the user can fix; the message says how. */
export class SeedError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
  ) {
    super(message);
    this.name = 'SeedError';
  }
}
