/** A few lines of the statement, with a caret under the position of an error. */
export function excerpt(sql: string, position?: number): string[] {
  const lines = sql.split('\n');
  if (position === undefined) return clip(lines).map((line) => `  | ${line}`);
  const before = [...sql].slice(0, position).join('').split('\n');
  const row = before.length - 1;
  const column = before[row]?.length ?? 0;
  // A long line is cut so that the caret stays visible.
  const start = Math.max(0, column - 90);
  const shown = (lines[row] ?? '').slice(start, start + 120);
  const lead = start > 0 ? '…' : '';
  return [
    ...lines.slice(Math.max(0, row - 2), row).map((line) => `  | ${line.slice(0, 120)}`),
    `  | ${lead}${shown}`,
    `  | ${' '.repeat(column - start + lead.length)}^`,
  ];
}

function clip(lines: string[]): string[] {
  const shown = lines.slice(0, 6).map((line) => (line.length > 160 ? `${line.slice(0, 160)}…` : line));
  return lines.length > 6 ? [...shown, `… ${lines.length - 6} more lines`] : shown;
}
