import { MigrationProblem, type ProblemKind } from '../problems.ts';
import type { Settings } from '../settings.ts';
import type { MigrationFile } from './migration-file.ts';
import type { HistoryRow } from './migration-storage.ts';

/** One way in which the files and the tracking table disagree. */
export interface IntegrityFinding {
  kind: ProblemKind & ('edited' | 'missing' | 'out-of-order' | 'duplicate' | 'unknown');
  name: string;
  says: string;
}

/** What each kind of disagreement means, and what to do: one row a kind, in the order they are told. */
const advice: Record<IntegrityFinding['kind'], { says: string; instead: string }> = {
  duplicate: {
    says: 'is there twice',
    instead: 'Keep one file of the name (a .ts and its compiled .js must not share a folder), and one row.',
  },
  edited: {
    says: 'was edited after it was applied',
    instead:
      'Put it back and write a new migration; or, if the edit is right, look at it and bless it: npm run migration:repair',
  },
  missing: {
    says: 'was applied, and its file is gone',
    instead: 'Bring the file back from version control; or forget the row: npm run migration:repair',
  },
  'out-of-order': {
    says: 'is older than migrations that are already applied',
    instead: 'Give the file a newer timestamp; or, if the order does not matter, MIGRATION_OUT_OF_ORDER=allow',
  },
  unknown: {
    says: 'was applied by a newer version of the code than this one',
    instead: 'Nothing to do while both versions run. To go back, go down with the newer code first.',
  },
};

/** Compares the files with the tracking table. An empty answer means that history can be trusted. */
export function checkIntegrity(files: readonly MigrationFile[], rows: readonly HistoryRow[]): IntegrityFinding[] {
  const found: IntegrityFinding[] = [];
  const report = (kind: IntegrityFinding['kind'], name: string) => found.push({ kind, name, says: advice[kind].says });
  const newestFile = files.at(-1)?.name ?? '';
  const applied = new Map(rows.map((row) => [row.name, row]));
  const newestApplied = rows
    .map((row) => row.name)
    .filter((name) => files.some((file) => file.name === name))
    .sort()
    .at(-1);

  for (const name of repeated(files.map((file) => file.name))) report('duplicate', name);
  for (const name of repeated(rows.map((row) => row.name))) report('duplicate', name);
  for (const file of files) {
    const row = applied.get(file.name);
    if (row?.checksum && row.checksum !== file.checksum) report('edited', file.name);
    if (!row && newestApplied && file.name < newestApplied) report('out-of-order', file.name);
  }
  for (const { name } of rows) {
    // Without any file, none is newer than the others: they were not brought along.
    const isNewer = newestFile !== '' && name > newestFile;
    if (!files.some((file) => file.name === name)) report(isNewer ? 'unknown' : 'missing', name);
  }
  return found.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

const order = Object.keys(advice);

/** Refuses to go on with a history that can't be trusted; `unknown` alone is what a rolling deployment looks like. */
export function assertIntegrity(findings: readonly IntegrityFinding[], settings: Pick<Settings, 'outOfOrder'>): void {
  const grave = findings.filter(
    ({ kind }) => kind !== 'unknown' && !(kind === 'out-of-order' && settings.outOfOrder === 'allow'),
  );
  const first = grave[0];
  if (first) throw new MigrationProblem(first.kind, `${formatIntegrityFindings(grave)}\nNothing was changed.`);
}

/** The findings for a person: what, and what to do about each kind. */
export function formatIntegrityFindings(findings: readonly IntegrityFinding[]): string {
  return findings.map(({ kind, name, says }) => `${name} ${says}.\n  ${advice[kind].instead}`).join('\n');
}

function repeated(names: string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
