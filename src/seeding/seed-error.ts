/** How `npm run seed` can end, as its exit code. */
export enum ExitCode {
  DONE = 0,
  FAILED = 1,
  BAD_OPTIONS = 2,
  DATABASE_NOT_READY = 3,
  NAME_TAKEN = 4,
  INTERRUPTED = 130,
}

/** The seed can not go on for a reason that its user can do something about: the message says what. */
export class Stop extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
  ) {
    super(message);
    this.name = 'Stop';
  }
}
