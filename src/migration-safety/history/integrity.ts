import { MigrationProblem, type ProblemKind } from '../problems.ts';
import type { Settings } from '../settings.ts';
import type { MigrationFile } from './migration-file.ts';
import type { HistoryRow } from './migration-storage.ts';

/** One difference between the migration files and the tracking table. */
export interface IntegrityFinding {
  kind: ProblemKind & ('edited' | 'missing' | 'out-of-order' | 'duplicate' | 'unknown');
  name: string;
  message: string;
}

/** Compares the files with the tracking table. No findings means that the history can be trusted. */
export function checkIntegrity(files: readonly MigrationFile[], rows: readonly HistoryRow[]): IntegrityFinding[] {
  const found: IntegrityFinding[] = [];
  const report = (kind: IntegrityFinding['kind'], name: string) =>
    found.push({ kind, name, message: FINDINGS[kind].message });
  const newestFile = files.at(-1)?.name ?? '';
  const applied = new Map(rows.map((row) => [row.name, row]));
  const newestApplied = rows
    .map((row) => row.name)
    .filter((name) => files.some((file) => file.name === name))
    .sort()
    .at(-1);

  const renamed = findRenamed(files, rows);
  const isRenamed = (name: string) => renamed.some(({ from, to }) => name === from || name === to);
  for (const name of repeated(files.map((file) => file.name))) report('duplicate', name);
  for (const name of repeated(rows.map((row) => row.name))) report('duplicate', name);
  for (const file of files) {
    const row = applied.get(file.name);
    if (row?.checksum && row.checksum !== file.checksum) report('edited', file.name);
    if (!row && newestApplied && file.name < newestApplied && !isRenamed(file.name)) report('out-of-order', file.name);
  }
  for (const { name } of rows) {
    // Without any file, a row is not from a newer version: the files were not deployed.
    const isNewer = newestFile !== '' && name > newestFile;
    if (!files.some((file) => file.name === name) && !isRenamed(name)) report(isNewer ? 'unknown' : 'missing', name);
  }
  const order = Object.keys(FINDINGS);
  return found.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

/**
 * Files that were renamed after this database applied them, as is advised for a migration that is out of order elsewhere:
 * an applied migration without a file and a file that is not applied have the same checksum, and no others have it.
 */
export function findRenamed(
  files: readonly MigrationFile[],
  rows: readonly HistoryRow[],
): { from: string; to: string }[] {
  const unapplied = files.filter(({ name, source }) => source.trim() && !rows.some((row) => row.name === name));
  const withoutFile = rows.filter(({ name }) => !files.some((file) => file.name === name));
  return unapplied.flatMap(({ name, checksum }) => {
    const [row, ...otherRows] = withoutFile.filter((each) => each.checksum === checksum);
    const isOnly = unapplied.filter((each) => each.checksum === checksum).length === 1;
    return row && otherRows.length === 0 && isOnly ? [{ from: row.name, to: name }] : [];
  });
}

/** The rows, under the new names of files that were renamed. */
export function underNewNames(files: readonly MigrationFile[], rows: readonly HistoryRow[]): HistoryRow[] {
  const renamed = findRenamed(files, rows);
  return rows.map((row) => ({ ...row, name: renamed.find(({ from }) => from === row.name)?.to ?? row.name }));
}

/** Throws if the history can't be trusted. `unknown` alone is normal during a rolling deployment. */
export function assertIntegrity(findings: readonly IntegrityFinding[], settings: Pick<Settings, 'outOfOrder'>): void {
  const errors = findings.filter(
    ({ kind }) => kind !== 'unknown' && !(kind === 'out-of-order' && settings.outOfOrder === 'allow'),
  );
  const first = errors[0];
  if (first) throw new MigrationProblem(first.kind, `${formatIntegrityFindings(errors)}\nNothing was changed.`);
}

/** The findings as text: each with what to do about it. */
export function formatIntegrityFindings(findings: readonly IntegrityFinding[]): string {
  return findings.map(({ kind, name, message }) => `${name} ${message}.\n  ${FINDINGS[kind].instead}`).join('\n');
}

function repeated(names: string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

/** What each kind of finding means and what to do about it, in the order of reporting. */
const FINDINGS: Record<IntegrityFinding['kind'], { message: string; instead: string }> = {
  duplicate: {
    message: 'exists twice',
    instead: 'Keep one file of that name (a .ts and its compiled .js must not share a folder), and one row.',
  },
  edited: {
    message: 'was edited after it was applied',
    instead:
      'Restore it and write a new migration; or, if the edit is right, review and accept it: npm run migration repair',
  },
  missing: {
    message: 'was applied, but its file is missing',
    instead: 'Restore the file from version control; or delete the row: npm run migration repair',
  },
  'out-of-order': {
    message: 'is older than migrations that are already applied',
    instead: 'Give the file a newer timestamp; or, if the order does not matter, MIGRATION_OUT_OF_ORDER=allow',
  },
  unknown: {
    message: 'was applied by a newer version of the code than this one',
    instead: 'Nothing to do while both versions run. To roll back, run migration:down with the newer code first.',
  },
};
