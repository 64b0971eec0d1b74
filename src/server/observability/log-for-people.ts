/** A line of the log as a terminal shows it: what happened, without the fields that programs read. */
export function forPeople(line: string): string {
  const { level, msg, err, ...rest } = JSON.parse(line) as Line;
  const severity = SEVERITIES.find(([from]) => level >= from)?.[1] ?? '';
  const what = msg === 'request' ? requestLine(rest) : `${msg ?? ''}${progressOf(rest)}`;
  return `${severity}${what}${err ? `\n${err.stack ?? err.message}` : ''}\n`;
}

function requestLine({ method, route, type, field, status, ms, outcome }: Omit<Line, 'level'>): string {
  const operation = type && type !== 'none' ? `${type} ${field}` : '';
  const failed = outcome && outcome !== 'ok' ? outcome : '';
  return [method, route, operation, status, `${ms} ms`, failed].filter(Boolean).join(' ');
}

const progressOf = ({ number, of }: Omit<Line, 'level'>) => (of === undefined ? '' : ` (${number} of ${of})`);

const SEVERITIES = [
  [50, 'Error: '],
  [40, 'Warning: '],
] as const;

interface Line {
  readonly level: number;
  readonly msg?: string;
  readonly err?: { readonly message: string; readonly stack?: string };
  /** How far a task is. */
  readonly number?: number;
  readonly of?: number;
  readonly method?: string;
  readonly route?: string | null;
  readonly type?: string;
  readonly field?: string;
  readonly status?: number;
  readonly ms?: number;
  readonly outcome?: string;
}
