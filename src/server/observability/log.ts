import { type Logger, pino } from 'pino';
import { standardOutput } from './log-output.ts';

/** The log: one line of JSON an event, without anything secret in it. */
export const createLogger = (level: string, to: { write(line: string): void } = standardOutput()): Logger =>
  pino({ level, serializers: { err: describedError } }, { write: (line) => to.write(withoutSecrets(line)) });

/**
 * Nothing logs these on purpose; should somebody come to log a request, an input or a connection, they stay out. Looked for in
 * the line as it is written: pino's own `redact` looks in every event, for each of them at each depth it was told.
 */
const withoutSecrets = (line: string): string => {
  if (!SECRETS.test(line)) return line;
  return `${JSON.stringify(JSON.parse(line, (key, value) => (SECRETS.test(`"${key}":`) ? '[secret]' : value)))}\n`;
};

const SECRETS =
  /"(authorization|cookie|password|currentPassword|passwordHash|token|refreshToken|refreshTokenHash|secretKey)":/i;

/** What is told of an error: not its other properties, where drivers keep values, and no values in its text. */
function describedError(error: unknown): object {
  if (!(error instanceof Error)) return { message: withoutValues(String(error)) };
  const { code, constraint, table } = error as { code?: unknown; constraint?: unknown; table?: unknown };
  return {
    type: error.name,
    message: withoutValues(error.message),
    ...Object.fromEntries(Object.entries({ code, constraint, table }).filter(([, value]) => value !== undefined)),
    stack: withoutValues(error.stack ?? ''),
    ...(error.cause ? { cause: describedError(error.cause) } : {}),
  };
}

/** Errors of the database repeat the statement with its values, and the row that was in the way. */
const withoutValues = (text: string) =>
  text
    .replace(/'(?:[^']|'')*'/g, "'…'")
    .replace(/=\([^)]*\)/g, '=(…)')
    .replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => (/^"[\w.-]{1,63}"$/.test(quoted) ? quoted : '"…"'))
    .replace(TOKEN, '[token]');

const TOKEN = /\b[\w-]{8,}\.[\w-]{16,}\.[\w-]{16,}\b|postgres(?:ql)?:\/\/\S+/g;
