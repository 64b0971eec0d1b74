import { checkIntegrity, underNewNames } from '../history/integrity.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { readRange } from './range.ts';

/** One line of `migration:status`: a migration and its state in this database. */
export interface Status {
  name: string;
  state: 'applied' | 'pending' | 'edited' | 'missing' | 'out-of-order' | 'duplicate' | 'unknown';
  executedAt?: string;
  durationMs?: number;
  executedBy?: string;
  appVersion?: string;
}

/** Every migration with a file or a row, oldest first. Creates nothing. */
export async function readStatus(migrator: MigratorParts): Promise<Status[]> {
  const files = await migrator.readMigrations();
  const rows = underNewNames(files, (await migrator.history()) ?? []);
  const findings = new Map(checkIntegrity(files, rows).map(({ name, kind }) => [name, kind]));
  const names = [...new Set([...files, ...rows].map(({ name }) => name))].sort();
  return names.map((name) => {
    const row = rows.find((each) => each.name === name);
    return {
      name,
      state: findings.get(name) ?? (row ? 'applied' : 'pending'),
      ...(row && { executedAt: row.executedAt.toISOString() }),
      ...(row?.durationMs !== undefined && { durationMs: row.durationMs }),
      ...(row?.executedBy && { executedBy: row.executedBy }),
      ...(row?.appVersion && { appVersion: row.appVersion }),
    };
  });
}

/** The applied migrations, or those in a range FROM:TO of them, in the order they were applied; or reversed. */
export async function readHistory(migrator: MigratorParts, range = 'base:head'): Promise<Status[]> {
  const rows = (await migrator.history()) ?? [];
  const order = underNewNames(await migrator.readMigrations(), rows).map(({ name }) => name);
  const { start, end } = readRange(range, order, 'migration:history');
  const chosen = start <= end ? order.slice(start, end) : order.slice(end, start).reverse();
  const statuses = await readStatus(migrator);
  return chosen.flatMap((name) => statuses.filter((status) => status.name === name));
}

/** A table without borders, for reading and for grep. */
export function formatStatuses(statuses: Status[]): string {
  const rows = statuses.map((each) => [
    each.state,
    each.name,
    each.executedAt?.replace('T', ' ').slice(0, 19) ?? '',
    each.durationMs === undefined ? '' : `${each.durationMs} ms`,
    each.executedBy ?? '',
    each.appVersion ?? '',
  ]);
  const widths = rows.reduce((all, row) => row.map((cell, i) => Math.max(cell.length, all[i] ?? 0)), [] as number[]);
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
