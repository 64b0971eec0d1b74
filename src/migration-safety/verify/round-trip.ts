import { type Catalog, differences } from '../catalog/catalog.ts';
import type { MigrationFile } from '../history/migration-file.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { MigrationProblem } from '../problems.ts';
import { openShadowDatabase, type ShadowDatabase } from '../shadow/shadow-database.ts';
import { changedValues, readTableContents, type TableContents } from '../shadow/table-contents.ts';
import { compareWithEntities, type Fault } from './check.ts';

/** The result of `migration:test`. */
export interface RoundTripResult {
  migrations: number;
  /** Migrations without a `down`, of which only `up` was tested. */
  irreversible: string[];
  faults: Fault[];
}

/**
 * Runs every migration up, down and up again on a shadow database. Down must restore the state before up, the second up
 * must do the same as the first, and the final schema must match the entities.
 */
export async function testRoundTrips(migrator: MigratorParts): Promise<RoundTripResult> {
  const files = await migrator.readMigrations();
  const faults: Fault[] = [];
  let shadow = await openShadowDatabase(migrator);
  try {
    for (const [index, migration] of files.entries()) {
      const found = await roundTrip(shadow, migration);
      if (!found) continue;
      faults.push(found);
      // The later migrations build on this one.
      if (found.details[0] === 'up') return { migrations: files.length, irreversible: [], faults };
      // What it left behind would count against the next migration.
      await shadow.close();
      shadow = await openShadowDatabase(migrator);
      await shadow.migrator.up({ migrations: files.slice(0, index + 1).map(({ name }) => name) });
    }
    const ahead = (await compareWithEntities(migrator, shadow))
      .filter(({ kind }) => kind === 'changed')
      .map(({ says, details }) => fault('entities', says, details));
    const irreversible = files.filter((file) => file.irreversible).map(({ name }) => name);
    return { migrations: files.length, irreversible, faults: [...faults, ...ahead] };
  } finally {
    await shadow.close();
  }
}

/** The faults as a problem, if there are any. */
export function roundTripProblem({ faults }: RoundTripResult): MigrationProblem | undefined {
  if (faults.length === 0) return undefined;
  const text = faults.map(({ says, details }) => [says, ...details.slice(1).map((line) => `  ${line}`)].join('\n'));
  return new MigrationProblem('test-failed', text.join('\n\n'));
}

async function roundTrip(shadow: ShadowDatabase, migration: MigrationFile): Promise<Fault | undefined> {
  const only = { migrations: [migration.name] };
  const before = await readState(shadow);
  const up = await errorOf(() => shadow.migrator.up(only));
  if (up) return fault('up', `${migration.name}: up fails.`, up);
  if (migration.irreversible) return undefined;
  const after = await readState(shadow);
  const down = await errorOf(() => shadow.migrator.down(only));
  if (down) return fault('down', `${migration.name}: down fails.`, down);
  const undone = await readState(shadow);
  const sides = ['the state before up', 'the state after down'] as const;
  const left = [
    ...differences(before.catalog, undone.catalog, ...sides),
    ...changedValues(before.contents, undone.contents, ...sides),
  ];
  if (left.length > 0) {
    const advice = 'If up cannot be undone, throw in down; then only up is tested.';
    return fault('down', `${migration.name}: down does not undo everything that up does.`, [...left, advice]);
  }
  const again = await errorOf(() => shadow.migrator.up(only));
  if (again) return fault('again', `${migration.name}: up fails the second time, after down.`, again);
  // Without the values: rows that the migration inserts get other ids and times.
  const changed = differences(after.catalog, (await readState(shadow)).catalog, 'the first up', 'the second up');
  return changed.length > 0
    ? fault('again', `${migration.name}: up does something else the second time.`, changed)
    : undefined;
}

const fault = (phase: string, says: string, details: string[]): Fault => ({
  kind: 'test-failed',
  says,
  details: [phase, ...details],
});

async function errorOf(work: () => Promise<unknown>): Promise<string[] | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof MigrationProblem)) throw error;
    return error.message.split('\n');
  }
}

/** The definitions, the row counts and the rows: a migration that moves data is tested as well. */
async function readState(shadow: ShadowDatabase): Promise<{ catalog: Catalog; contents: TableContents }> {
  const catalog = await shadow.catalog();
  const tables = [...catalog.keys()].filter((what) => /^table [^,]+$/.test(what)).map((what) => what.slice(6));
  for (const table of tables) {
    const [counted] = await shadow.query(`select count(*)::int as n from ${table}`);
    catalog.set(`table ${table}, rows`, { definition: String(counted?.n) } as never);
  }
  return { catalog, contents: await readTableContents(shadow.query, tables) };
}
