import { checkIntegrity, formatIntegrityFindings } from '../history/integrity.ts';
import type { MigrationFile } from '../history/migration-file.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { MigrationProblem } from '../problems.ts';
import { openShadowAfterHistory } from '../shadow/replayed-history.ts';
import { findDifferences } from '../verify/drift.ts';
import { positionOf } from './range.ts';

export interface Stamped {
  /** The migrations that are now recorded as applied, and were not. */
  recorded: string[];
  /** The migrations that are no longer recorded as applied. */
  forgotten: string[];
}

/**
 * Records that the database is at this point of history, without running anything: every migration up to it as applied,
 * the later ones as not applied, all or none. Refuses a database whose schema is not that of this point, unless a
 * sentence says why it is right.
 */
export async function stamp(migrator: MigratorParts, target: string, because: string | undefined): Promise<Stamped> {
  await migrator.assertDatabaseExists();
  const files = await migrator.readMigrations();
  const names = files.map(({ name }) => name);
  const end = positionOf(target, names, 'migration:stamp');
  if (because !== undefined && because.trim().split(/\s+/).length < 3) {
    throw new MigrationProblem('bad-setting', `--because is "${because}"; it must be a sentence that says why.`);
  }
  return migrator.withLock(async () => {
    const rows = (await migrator.storage.rows()) ?? [];
    const findings = checkIntegrity(files, rows).filter(({ kind }) => kind !== 'unknown');
    if (findings.length > 0) {
      throw new MigrationProblem(
        findings[0]?.kind ?? 'unforeseen',
        `${formatIntegrityFindings(findings)}\nNothing was changed.`,
      );
    }
    if (because === undefined) await refuseOtherSchema(migrator, target, names.slice(0, end));
    const executed = new Set(rows.map(({ name }) => name));
    const recorded = files.slice(0, end).filter(({ name }) => !executed.has(name));
    const forgotten = names.slice(end).filter((name) => executed.has(name));
    await record(migrator, recorded, forgotten);
    return { recorded: recorded.map(({ name }) => name), forgotten };
  });
}

export function formatStamped({ recorded, forgotten }: Stamped, target: string): string {
  if (recorded.length + forgotten.length === 0) return `The database is recorded at ${target} already; nothing to do.`;
  return [
    ...section('Recorded as applied, without running:', recorded),
    ...section('No longer recorded as applied, without reverting:', forgotten),
  ].join('\n');
}

const section = (title: string, names: string[]) =>
  names.length > 0 ? [title, ...names.map((name) => `  ${name}`)] : [];

async function refuseOtherSchema(migrator: MigratorParts, target: string, history: string[]): Promise<void> {
  const shadow = await openShadowAfterHistory(migrator, history);
  try {
    const lines = await findDifferences(migrator, shadow);
    if (lines.length === 0) return;
    throw new MigrationProblem(
      'drift',
      [
        `The schema of the database is not that of ${target}: ${lines.length} ${lines.length === 1 ? 'difference' : 'differences'}.`,
        ...lines.map((line) => `  ${line}`),
        'Nothing was changed. If the database is right as it is, say why: --because "<a sentence>".',
      ].join('\n'),
    );
  } finally {
    await shadow.close();
  }
}

/** In one transaction, so that a killed command records all or nothing. */
async function record({ driver, storage, settings }: MigratorParts, files: MigrationFile[], forgotten: string[]) {
  await driver.getConnection().transactional(async (transaction) => {
    for (const { name, checksum, source } of files) {
      storage.record = { checksum, source, appVersion: settings.appVersion };
      await storage.logMigration({ name }, transaction);
    }
    for (const name of forgotten) await storage.unlogMigration({ name }, transaction);
  });
}
