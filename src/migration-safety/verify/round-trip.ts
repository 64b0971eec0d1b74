import { addressOf, type Catalog, type CatalogObject, differences, readCatalog } from '../catalog/catalog.ts';
import { exerciseTables } from '../shadow/exercise-tables.ts';
import { changedValues, readTableContents, type TableContents } from '../shadow/table-contents.ts';
import type { Execute } from '../sql/execute.ts';

/** One migration that is tried. Its methods throw what the database says. */
export interface Step {
  up: () => Promise<void>;
  /** Undefined if it can't be reverted. */
  down: (() => Promise<void>) | undefined;
}

/** What a round trip found wrong. */
export interface Refutation {
  phase: 'up' | 'down' | 'again';
  says: string;
  details: string[];
  error?: unknown;
}

/**
 * Runs migrations up, down and up again on a database. Up must make the expected catalog, if there is one, and leave
 * all triggers in order; down must restore the catalog and the rows; the second up must do the same as the first.
 */
export async function tryRoundTrip(
  steps: Step[],
  { execute, trackingTable, expected }: { execute: Execute; trackingTable: string; expected?: Catalog },
): Promise<Refutation | undefined> {
  const read = () => readState(execute, trackingTable);
  const up = async () => {
    for (const step of steps) await step.up();
  };
  const errors = () => codeErrors(execute, trackingTable);
  const isReversible = steps.every(({ down }) => down);
  const before = await read();
  // Writing to all tables takes longest. Errors of before matter only if there are some after up, and down brings back the
  // state that has them.
  const errorsBefore = isReversible ? undefined : await errors();
  const upError = await errorOf(up);
  if (upError) return { phase: 'up', says: 'up fails.', ...upError };
  const after = await read();
  const missing = expected ? differences(after.catalog, expected, 'the migration', 'the entities') : [];
  if (missing.length > 0) return { phase: 'up', says: 'up does not make what the entities declare.', details: missing };
  const errorsAfter = await errors();
  if (errorsBefore) return brokenTriggers(errorsBefore, errorsAfter);
  const downError = await errorOf(async () => {
    for (const { down } of [...steps].reverse()) await down?.();
  });
  if (downError) return { phase: 'down', says: 'down fails.', ...downError };
  const broken = errorsAfter.size > 0 ? brokenTriggers(await errors(), errorsAfter) : undefined;
  if (broken) return broken;
  const undone = await read();
  const sides = ['the state before up', 'the state after down'] as const;
  const left = [
    ...differences(before.catalog, asBefore(undone.catalog, before.catalog), ...sides),
    ...changedValues(kept(before, after), kept(undone, after), ...sides),
  ];
  if (left.length > 0) return { phase: 'down', says: 'down does not undo everything that up does.', details: left };
  const againError = await errorOf(up);
  if (againError) return { phase: 'again', says: 'up fails the second time, after down.', ...againError };
  // Without the values: rows that a migration inserts get other ids and times.
  const changed = differences(after.catalog, (await read()).catalog, 'the first up', 'the second up');
  return changed.length > 0
    ? { phase: 'again', says: 'up does something else the second time.', details: changed }
    : undefined;
}

function brokenTriggers(before: Map<string, string>, after: Map<string, string>): Refutation | undefined {
  const details = [...after].flatMap(([key, line]) => (before.has(key) ? [] : [line]));
  return details.length > 0 ? { phase: 'up', says: 'up breaks a trigger.', details } : undefined;
}

/** The catalog with what was validated as it was before: the down of a validation has nothing to undo. */
function asBefore(catalog: Catalog, before: Catalog): Catalog {
  const validated = [...before].filter(
    ([id, { kind, definition }]) => kind === 'constraint' && definition === `${catalog.get(id)?.definition} NOT VALID`,
  );
  return new Map([...catalog, ...validated]);
}

interface State {
  catalog: Catalog;
  contents: TableContents;
}

async function readState(execute: Execute, trackingTable: string): Promise<State> {
  const catalog = await readCatalog(execute, trackingTable);
  const tables = [...catalog.values()]
    .filter(({ kind, row }) => kind === 'table' && !row.bound)
    .map(({ id }) => tableOf(id));
  return { catalog, contents: await readTableContents(execute, tables) };
}

const tableOf = (id: string) => id.replace(/^table /, '');

/** The rows without the tables and columns that up dropped: down makes them again, without their values. */
function kept({ catalog, contents }: State, after: State): TableContents {
  const addresses = new Set([...after.catalog.values()].map(addressOf));
  const stays = (each: CatalogObject) => addresses.has(addressOf(each));
  const columnsOf = (id: string) =>
    new Set(
      [...catalog.values()]
        .filter((each) => each.kind === 'column' && each.parent === id && stays(each))
        .map(({ name }) => name),
    );
  const tables = [...catalog.values()].filter((each) => each.kind === 'table' && stays(each));
  return new Map(
    tables.flatMap(({ id }) => {
      const columns = columnsOf(id);
      const rows = contents.get(tableOf(id)) ?? [];
      return [
        [tableOf(id), rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => columns.has(name))))],
      ];
    }),
  );
}

/** The errors that writes meet in triggers and other code, by what stays the same whatever the values. */
async function codeErrors(execute: Execute, trackingTable: string): Promise<Map<string, string>> {
  const errors = await exerciseTables(execute, trackingTable);
  // A generated value may be one that the type of a column refuses (class 22).
  const inCode = errors.filter(({ code, routine }) => routine || !code.startsWith('22'));
  return new Map(
    inCode.map(({ table, operation, code, message, routine, trigger }) => [
      [table, operation, code, routine].join(),
      `${operation} on ${table}: ${message}${routine ? `, in ${routine}` : ''}${trigger ? ` (${trigger})` : ''}`,
    ]),
  );
}

async function errorOf(work: () => Promise<void>): Promise<{ details: string[]; error: unknown } | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { details: (error instanceof Error ? error.message : String(error)).split('\n'), error };
  }
}
