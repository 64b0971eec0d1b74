import { realpathSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { databaseMessage, type ErrorLike, MigrationProblem, sqlState } from './problems.ts';

/**
 * Whether this process is `mikro-orm <command>` or cli/command.ts, not a server or a test. A command prints an error
 * and exits with its code, before the stock command adds its help text and a stack trace.
 */
export function runsAsCommand(argv: readonly string[] = process.argv): boolean {
  try {
    const script = realpathSync(argv[1] ?? '').replace(/\\/g, '/');
    return /@mikro-orm\/cli\/cli\.js$|migration-safety\/cli\/command\.[jt]s$/.test(script);
  } catch {
    return false;
  }
}

/**
 * A command is too short to gain from optimizing compilers, and it ends only when they are done: two seconds and 500 MB
 * more for the WebAssembly of the parser. Node may also hang when it exits while one compiles (nodejs/node#54918).
 */
const NO_OPTIMIZATION = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering', '--no-concurrent-sparkplug'];

// Before the modules that load WebAssembly, which import this one or follow it.
if (runsAsCommand()) for (const flag of NO_OPTIMIZATION) setFlagsFromString(flag);

// MikroORM colours its lines wherever they go. Ask for it there with FORCE_COLOR=1.
if (runsAsCommand() && !printsColors()) process.env.MIKRO_ORM_NO_COLOR = '1';

function printsColors(): boolean {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  if (NO_COLOR) return false;
  return FORCE_COLOR ? FORCE_COLOR !== '0' : process.stdout.isTTY === true;
}

/** With --json, standard output is one JSON document and nothing else. */
export const isJsonOutput = () => process.argv.includes('--json');

/** Prints the problem and exits with its code. */
export function exitWith(problem: MigrationProblem): never {
  if (isJsonOutput()) {
    const { kind, exitCode, message } = problem;
    const [says, ...details] = message.split('\n');
    console.log(JSON.stringify({ ok: false, faults: [{ kind, says, details, exitCode }] }, null, 2));
  }
  console.error(`\n${problem.message}\n`);
  if (process.env.MIGRATION_DEBUG) console.error(problem.cause ?? problem);
  process.exit(problem.exitCode);
}

/**
 * Reads the configuration. A command prints what is wrong with it, before the stock command adds its help text and a
 * stack trace: `export default () => reportConfigErrors(async () => defineConfig(…))`.
 */
export async function reportConfigErrors<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!runsAsCommand()) throw error;
    const problem = toProblem(error, {});
    if (problem.kind !== 'unforeseen') return exitWith(problem);
    return exitWith(new MigrationProblem('bad-setting', error instanceof Error ? error.message : String(error)));
  }
}

interface Target {
  host?: string | undefined;
  port?: number | undefined;
  user?: string | undefined;
  password?: unknown;
  database?: string | undefined;
}

/** Any error as a problem to print: without a stack trace, and without the password, which drivers may quote. */
export function toProblem(error: unknown, target: Target): MigrationProblem {
  if (error instanceof MigrationProblem) return error;
  const problem =
    fileProblem(error) ??
    connectionProblem(error, target) ??
    new MigrationProblem('unforeseen', unexpected(error), { cause: error });
  if (typeof target.password === 'string' && target.password.length > 2) {
    problem.message = problem.message.replaceAll(target.password, '***');
  }
  return problem;
}

/** Why a file or folder can't be used, by system error. */
const FILE_ERRORS: Record<string, string> = {
  EACCES: 'the user of this command lacks the permission.',
  EPERM: 'the user of this command lacks the permission.',
  EROFS: 'the file system is read-only.',
  ENOSPC: 'the disk is full.',
  EDQUOT: 'the quota of the disk is used up.',
  ENAMETOOLONG: 'the name is too long.',
  ENOENT: 'there is no such file or folder.',
  ENOTDIR: 'a part of the path is a file, not a folder.',
  EEXIST: 'it exists already.',
  EISDIR: 'it is a folder.',
};

function fileProblem(error: unknown): MigrationProblem | undefined {
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  const reason = FILE_ERRORS[code ?? ''];
  if (!reason || !path || syscall === 'connect') return undefined;
  const action = syscall === 'mkdir' ? 'create the folder' : 'use the file';
  return new MigrationProblem('inaccessible', `Cannot ${action} ${path}: ${reason}`, { cause: error });
}

/** Why a connection fails, by system error or SQLSTATE. */
const CONNECTION_ERRORS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there. Is the server running, and is DATABASE_URL right?',
  ENOTFOUND: 'no such host. Is DATABASE_URL right?',
  ENOENT: 'there is no such socket. Is the server running?',
  ETIMEDOUT: 'no response. Is a firewall in between?',
  '28P01': 'the password is wrong.',
  '28000': 'this user may not connect.',
  '3D000': 'the database does not exist. migration:up creates it.',
  '57P03': 'the server is starting up; try again in a moment.',
  '53300': 'the server has no connection left.',
  '42501': 'this user may not create the database.',
};

function connectionProblem(error: unknown, { host, port, user, database }: Target): MigrationProblem | undefined {
  for (let e = error as ErrorLike | undefined, depth = 0; e && depth < 5; e = e.cause as ErrorLike, depth++) {
    const codes = [e, ...(e.errors ?? [])].map((each) => (each as ErrorLike).code);
    const reason = codes.map((code) => CONNECTION_ERRORS[String(code)]).find(Boolean);
    if (reason) {
      return new MigrationProblem(
        'unreachable',
        `Cannot use the database ${database} at ${host}:${port} as ${user}: ${reason}\n  ${databaseMessage(e)}`,
        { cause: error },
      );
    }
  }
  return undefined;
}

function unexpected(error: unknown): string {
  const state = sqlState(error);
  return `${databaseMessage(error)}${state ? ` (${state})` : ''}\nUnexpected error; MIGRATION_DEBUG=1 prints its stack trace.`;
}
