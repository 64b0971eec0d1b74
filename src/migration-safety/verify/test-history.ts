import { findMigration } from '../apply/targets.ts';
import type { MigrationFile } from '../history/migration-file.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { MigrationProblem } from '../problems.ts';
import { openShadowAfterHistory } from '../shadow/replayed-history.ts';
import { insertSampleRows } from '../shadow/sample-rows.ts';
import { openShadowDatabase, type ShadowDatabase, trackingTable } from '../shadow/shadow-database.ts';
import { compareWithEntities, type Fault } from './check.ts';
import { type Refutation, tryRoundTrip } from './round-trip.ts';

/** The result of `migration:test`. */
export interface RoundTripResult {
  migrations: number;
  /** Migrations without a `down`, of which only `up` was tested. */
  irreversible: string[];
  faults: Fault[];
}

/**
 * Runs every migration, or those from one on, up, down and up again on a shadow database with rows in every table, and
 * compares the final schema with the entities.
 */
export async function testRoundTrips(migrator: MigratorParts, from?: string): Promise<RoundTripResult> {
  const files = await migrator.readMigrations();
  const names = files.map(({ name }) => name);
  const start = from ? names.indexOf(findMigration(from, names, 'migration:test')) : 0;
  const migrations = files.length - start;
  const faults: Fault[] = [];
  let shadow =
    start > 0 ? await openShadowAfterHistory(migrator, names.slice(0, start)) : await openShadowDatabase(migrator);
  const reopen = async (applied: number) => {
    await shadow.close();
    shadow = await openShadowDatabase(migrator);
    if (applied > 0) await shadow.migrator.up({ migrations: names.slice(0, applied) });
  };
  try {
    for (const [index, migration] of files.entries()) {
      if (index < start) continue;
      const table = trackingTable(migrator);
      const attempt = () => tryRoundTrip([stepOf(shadow, migration)], { execute: shadow.query, trackingTable: table });
      await insertSampleRows(shadow.query, table);
      let found = await attempt();
      if (found) {
        // Rows that no migration inserted may be what the database refuses, or what does not survive a change of type.
        await reopen(index);
        found = await attempt();
      }
      if (!found) continue;
      faults.push(faultOf(migration, found));
      // The later migrations build on this one.
      if (found.phase === 'up') return { migrations, irreversible: [], faults };
      // What it left behind would count against the next migration.
      await reopen(index + 1);
    }
    const compared = await compareWithEntities(migrator, shadow);
    const ahead = compared.faults
      .filter(({ kind }) => kind === 'changed')
      .map(({ says, details }): Fault => ({ kind: 'test-failed', says, details }));
    const tested = files.slice(start);
    const irreversible = tested.filter((file) => file.irreversible).map(({ name }) => name);
    return { migrations, irreversible, faults: [...faults, ...ahead] };
  } finally {
    await shadow.close();
  }
}

/** The faults as a problem, if there are any. */
export function roundTripProblem({ faults }: RoundTripResult): MigrationProblem | undefined {
  if (faults.length === 0) return undefined;
  const text = faults.map(({ says, details }) => [says, ...details.map((line) => `  ${line}`)].join('\n'));
  return new MigrationProblem('test-failed', text.join('\n\n'));
}

function stepOf(shadow: ShadowDatabase, { name, irreversible }: MigrationFile) {
  const only = { migrations: [name] };
  return {
    up: async () => void (await shadow.migrator.up(only)),
    down: irreversible ? undefined : async () => void (await shadow.migrator.down(only)),
  };
}

function faultOf({ name }: MigrationFile, { phase, says, details, error }: Refutation): Fault {
  if (error && !(error instanceof MigrationProblem)) throw error;
  const advice = phase === 'down' && !error ? ['If up cannot be undone, throw in down; then only up is tested.'] : [];
  return { kind: 'test-failed', says: `${name}: ${says}`, details: [...details, ...advice] };
}
