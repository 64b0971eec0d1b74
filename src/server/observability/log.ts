import { type Logger, pino } from 'pino';
import { forPeople } from './log-for-people.ts';
import { standardOutput } from './log-output.ts';

/** JSON lines, in a terminal short ones for people; both without secrets. */
export function createLogger(
  level: string,
  output: { write(line: string): void } = standardOutput(),
  isTerminal = process.stdout.isTTY === true,
): Logger {
  const form = isTerminal ? forPeople : (line: string) => line;
  return pino(
    { level, serializers: { err: serializeError } },
    { write: (line) => output.write(form(redactSecrets(line))) },
  );
}

/**
 * A safety net for code that logs a request, an input or a connection by mistake. It matches the written line, because pino's
 * `redact` checks every event for each key at each configured depth.
 */
const redactSecrets = (line: string): string => {
  if (!SECRETS.test(line)) return line;
  return `${JSON.stringify(JSON.parse(line, (key, value) => (SECRETS.test(`"${key}":`) ? '[secret]' : value)))}\n`;
};

const SECRETS =
  /"(authorization|cookie|password|currentPassword|passwordHash|token|refreshToken|refreshTokenHash|secretKey)":/i;

/** Only these properties, because drivers keep values in others; values in the message and the stack are redacted. */
function serializeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: redactValues(String(error)) };
  const { code, constraint, table } = error as { code?: unknown; constraint?: unknown; table?: unknown };
  return {
    type: error.name,
    message: redactValues(error.message),
    ...Object.fromEntries(Object.entries({ code, constraint, table }).filter(([, value]) => value !== undefined)),
    stack: redactValues(error.stack ?? ''),
    ...(error.cause ? { cause: serializeError(error.cause) } : {}),
  };
}

/** Database errors quote the statement with its values, and the conflicting row. */
const redactValues = (text: string) =>
  text
    .replace(/'(?:[^']|'')*'/g, "'…'")
    .replace(/=\([^)]*\)/g, '=(…)')
    .replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => (/^"[\w.-]{1,63}"$/.test(quoted) ? quoted : '"…"'))
    .replace(TOKEN, '[token]');

const TOKEN = /\b[\w-]{8,}\.[\w-]{16,}\.[\w-]{16,}\b|postgres(?:ql)?:\/\/\S+/g;
