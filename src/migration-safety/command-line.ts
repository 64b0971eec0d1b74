import { realpathSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { databaseMessage, type ErrorLike, MigrationProblem, sqlState } from './problems.ts';

/**
 * Whether this process is `mikro-orm <command>` (or our superset of it), not a server or a test: then a fault is
 * printed and ends the process with its own code, before the stock command adds its help text and a stack.
 */
export function runsAsCommand(argv: readonly string[] = process.argv): boolean {
  try {
    const script = realpathSync(argv[1] ?? '').replace(/\\/g, '/');
    return /@mikro-orm\/cli\/cli\.js$|migration-safety\/cli\/command\.[jt]s$/.test(script);
  } catch {
    return false;
  }
}

// Node may hang when it is told to exit while another of its threads compiles (nodejs/node#54918), as it does for a
// command that fails early; a command is over before that compiler is of any use.
if (runsAsCommand()) setFlagsFromString('--no-concurrent-sparkplug');

/** Whether a program reads what we print: then standard output has one JSON document, and nothing beside it. */
export const answersInJson = () => process.argv.includes('--json');

/** Prints the problem and ends the process with its exit code. */
export function endWith(problem: MigrationProblem): never {
  if (answersInJson()) {
    const { kind, exitCode, message } = problem;
    const [says, ...details] = message.split('\n');
    console.log(JSON.stringify({ ok: false, faults: [{ kind, says, details, exitCode }] }, null, 2));
  }
  console.error(`\n${problem.message}\n`);
  if (process.env.MIGRATION_DEBUG) console.error(problem.cause ?? problem);
  process.exit(problem.exitCode);
}

/**
 * Reads the configuration; as a command, what is wrong with it is told, before the stock command can add its help text
 * and a stack: `export default () => forCommands(async () => defineConfig(…))`.
 */
export async function forCommands<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!runsAsCommand()) throw error;
    const problem = asProblem(error, {});
    if (problem.kind !== 'unforeseen') return endWith(problem);
    return endWith(new MigrationProblem('bad-setting', error instanceof Error ? error.message : String(error)));
  }
}

interface Target {
  host?: string | undefined;
  port?: number | undefined;
  user?: string | undefined;
  password?: unknown;
  database?: string | undefined;
}

/** Whatever was thrown, as something to tell a person: no stack, and no password even where the driver quotes one. */
export function asProblem(error: unknown, target: Target): MigrationProblem {
  if (error instanceof MigrationProblem) return error;
  const problem = unreachable(error, target) ?? new MigrationProblem('unforeseen', unforeseen(error), { cause: error });
  if (typeof target.password === 'string' && target.password.length > 2) {
    problem.message = problem.message.replaceAll(target.password, '***');
  }
  return problem;
}

/** What the connection says when there is nobody there, or nobody who lets us in. */
const connecting: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there. Is the server running, and is DATABASE_URL right?',
  ENOTFOUND: 'no such host. Is DATABASE_URL right?',
  ENOENT: 'there is no such socket. Is the server running?',
  ETIMEDOUT: 'no answer. Is a firewall in between?',
  '28P01': 'the password is wrong.',
  '28000': 'this user may not connect.',
  '3D000': 'the database does not exist. migration:up creates it.',
  '57P03': 'the server is starting up; try again in a moment.',
  '53300': 'the server has no connection left.',
  '42501': 'this user may not create the database.',
};

function unreachable(error: unknown, { host, port, user, database }: Target): MigrationProblem | undefined {
  for (let e = error as ErrorLike | undefined, depth = 0; e && depth < 5; e = e.cause as ErrorLike, depth++) {
    const codes = [e, ...(e.errors ?? [])].map((each) => (each as ErrorLike).code);
    const reason = codes.map((code) => connecting[String(code)]).find(Boolean);
    if (reason) {
      return new MigrationProblem(
        'unreachable',
        `Can not use the database ${database} at ${host}:${port} as ${user}: ${reason}\n  ${databaseMessage(e)}`,
        { cause: error },
      );
    }
  }
  return undefined;
}

function unforeseen(error: unknown): string {
  const state = sqlState(error);
  return `${databaseMessage(error)}${state ? ` (${state})` : ''}\nNobody foresaw this one; MIGRATION_DEBUG=1 shows where it comes from.`;
}
