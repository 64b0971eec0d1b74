import { type Catalog, readCatalog } from '../../../src/migration-safety/catalog/catalog.ts';
import { afterRenames } from '../../../src/migration-safety/create/create.ts';
import type { Draft } from '../../../src/migration-safety/plan/operation.ts';
import { toDrafts, toOneDraft } from '../../../src/migration-safety/plan/order.ts';
import { planOperations } from '../../../src/migration-safety/plan/plan.ts';
import { applyRenames, readRenameAnswers } from '../../../src/migration-safety/renames/renames.ts';
import { insertSampleRows } from '../../../src/migration-safety/shadow/sample-rows.ts';
import { tryRoundTrip } from '../../../src/migration-safety/verify/round-trip.ts';
import { empty, type ModelDatabase } from './database.ts';
import { createSchemaSql } from './entities.ts';
import type { Model } from './model.ts';
import type { ModelPair } from './random-pair.ts';

const TRACKING = 'mikro_orm_migrations';

/**
 * What is wrong with the migrations from one model to the other, as lines: of a round trip on a database with rows in
 * every table, and of the plan after it, which has nothing to do.
 */
export async function faultsOf(pair: ModelPair, database: ModelDatabase, naive = false): Promise<string[]> {
  const expected = await catalogOf(pair.after, database);
  const before = await catalogOf(pair.before, database);
  const drafts = await draftsOf(before, expected, pair.renames, database, naive);
  if (pair.withRows) await insertSampleRows(database.execute, TRACKING);
  const steps = drafts.map(({ transactional, up, down }) => ({
    up: () => run(up, transactional, database),
    down: () => run(down, transactional, database),
  }));
  const found = await tryRoundTrip(steps, { execute: database.execute, trackingTable: TRACKING, expected });
  // Deliberately: a row can't refer to a row of a table that was dropped and is empty again, so the column is nullable.
  if (
    pair.withRows &&
    found?.phase === 'down' &&
    found.details.every((line) => / not null\b.*, the state after down has (?!.*not null)/.test(line))
  )
    return faultsOf({ ...pair, withRows: false }, database, naive);
  if (found)
    return [
      found.says,
      ...found.details,
      ...drafts.flatMap(({ up, down }) => [...up.map((sql) => `up: ${sql}`), ...down.map((sql) => `down: ${sql}`)]),
    ];
  const { operations } = planOperations(await readCatalog(database.execute, TRACKING), expected);
  return operations.flatMap(({ up }) => up.map((sql) => `create finds something to do again: ${sql}`));
}

/** Builds a model in the emptied database. */
async function catalogOf(model: Model, database: ModelDatabase): Promise<Catalog> {
  await empty(database);
  await database.run(await createSchemaSql(model));
  return readCatalog(database.execute, TRACKING);
}

/** As migration:create plans them. */
async function draftsOf(
  before: Catalog,
  entities: Catalog,
  renames: string,
  { execute }: ModelDatabase,
  naive: boolean,
): Promise<Draft[]> {
  await execute('begin');
  const read = () => readCatalog(execute, TRACKING);
  try {
    const answers = readRenameAnswers(renames, []);
    const renamed = await applyRenames(before, entities, answers, () => true, { run: execute, read });
    const { operations } = afterRenames(planOperations(renamed.catalog, entities, { naive }), renamed.renames);
    return naive ? [toOneDraft(operations)] : toDrafts(operations);
  } finally {
    await execute('rollback');
  }
}

async function run(statements: string[], transactional: boolean, { execute }: ModelDatabase): Promise<void> {
  if (transactional) await execute('begin');
  for (const sql of statements) {
    try {
      await execute(sql);
    } catch (error) {
      if (transactional) await execute('rollback');
      throw new Error(`${sql}: ${(error as Error).message}`);
    }
  }
  if (transactional) await execute('commit');
}
