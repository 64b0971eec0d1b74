import type { MigrationFile } from '../history/migration-file.ts';
import type { Migrator } from '../migrator.ts';
import { MigrationProblem } from '../problems.ts';
import { type Catalog, differences } from '../shadow/catalog.ts';
import { openShadow, type Shadow } from '../shadow/shadow-database.ts';
import { type Contents, changedValues, readContents } from '../shadow/table-contents.ts';
import { comparedWithEntities, type Fault } from './check.ts';

/** How `migration:test` ended. */
export interface Rehearsal {
  migrations: number;
  /** Those without a way back, which were only tried forwards. */
  oneWay: string[];
  faults: Fault[];
}

/**
 * Plays all history on a database in memory. Each migration goes up, down and up again: down has to leave what was
 * there before up, and up has to do the same the second time. In the end the tables have to be what the entities say.
 */
export async function rehearse(migrator: Migrator): Promise<Rehearsal> {
  const files = await migrator.readAll();
  const faults: Fault[] = [];
  let shadow = await openShadow(migrator);
  try {
    for (const [index, migration] of files.entries()) {
      const found = await roundTrip(shadow, migration);
      if (!found) continue;
      faults.push(found);
      // A migration that can not go up leaves nothing for the later ones to stand on.
      if (found.details[0] === 'up') return { migrations: files.length, oneWay: [], faults };
      // What it left behind would be taken for a fault of the next one.
      await shadow.close();
      shadow = await openShadow(migrator);
      await shadow.migrator.up({ migrations: files.slice(0, index + 1).map(({ name }) => name) });
    }
    const ahead = (await comparedWithEntities(migrator, shadow))
      .filter(({ kind }) => kind === 'changed')
      .map(({ says, details }) => fault('entities', says, details));
    const oneWay = files.filter(({ irreversible }) => irreversible).map(({ name }) => name);
    return { migrations: files.length, oneWay, faults: [...faults, ...ahead] };
  } finally {
    await shadow.close();
  }
}

/** The rehearsal as a problem, if it went wrong. */
export function failedRehearsal({ faults }: Rehearsal): MigrationProblem | undefined {
  if (faults.length === 0) return undefined;
  const text = faults.map(({ says, details }) => [says, ...details.slice(1).map((line) => `  ${line}`)].join('\n'));
  return new MigrationProblem('test-failed', text.join('\n\n'));
}

async function roundTrip(shadow: Shadow, migration: MigrationFile): Promise<Fault | undefined> {
  const only = { migrations: [migration.name] };
  const before = await everything(shadow);
  const up = await attempt(() => shadow.migrator.up(only));
  if (up) return fault('up', `${migration.name}: up fails.`, up);
  if (migration.irreversible) return undefined;
  const after = await everything(shadow);
  const down = await attempt(() => shadow.migrator.down(only));
  if (down) return fault('down', `${migration.name}: down fails.`, down);
  const undone = await everything(shadow);
  const sides = ['the time before', 'the time after up and down'] as const;
  const left = [
    ...differences(before.catalog, undone.catalog, ...sides),
    ...changedValues(before.contents, undone.contents, ...sides),
  ];
  if (left.length > 0) {
    const advice = 'What can not be brought back has no way back: let down throw, and only the way there is tried.';
    return fault('down', `${migration.name}: down does not undo all that up does.`, [...left, advice]);
  }
  const again = await attempt(() => shadow.migrator.up(only));
  if (again) return fault('again', `${migration.name}: up fails the second time, after down.`, again);
  // Not the values: rows of its own making have other ids, and other times, the second time.
  const changed = differences(after.catalog, (await everything(shadow)).catalog, 'the first up', 'the second up');
  return changed.length > 0
    ? fault('again', `${migration.name}: up does something else the second time.`, changed)
    : undefined;
}

const fault = (phase: string, says: string, details: string[]): Fault => ({
  kind: 'test-failed',
  says,
  details: [phase, ...details],
});

async function attempt(work: () => Promise<unknown>): Promise<string[] | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof MigrationProblem)) throw error;
    return error.message.split('\n');
  }
}

/** The definitions, how many rows each table has, and the rows: a migration that moves data has a way back, too. */
async function everything(shadow: Shadow): Promise<{ catalog: Catalog; contents: Contents }> {
  const catalog = await shadow.catalog();
  const tables = [...catalog.keys()].filter((what) => /^table [^,]+$/.test(what)).map((what) => what.slice(6));
  for (const table of tables) {
    const [counted] = await shadow.ask(`select count(*)::int as n from ${table}`);
    catalog.set(`table ${table}, rows`, String(counted?.n));
  }
  return { catalog, contents: await readContents(shadow.ask, tables) };
}
