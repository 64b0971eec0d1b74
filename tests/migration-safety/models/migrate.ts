import { type Catalog, type CatalogObject, readCatalog } from '../../../src/migration-safety/catalog/catalog.ts';
import { afterRenames } from '../../../src/migration-safety/create/create.ts';
import type { PlannedMigration } from '../../../src/migration-safety/plan/operation.ts';
import { toMigrations, toOneMigration } from '../../../src/migration-safety/plan/order.ts';
import { type PlanOptions, planOperations } from '../../../src/migration-safety/plan/plan.ts';
import { MigrationProblem } from '../../../src/migration-safety/problems.ts';
import { applyRenames, readRenameAnswers } from '../../../src/migration-safety/renames/renames.ts';
import { insertSampleRows } from '../../../src/migration-safety/shadow/sample-rows.ts';
import { tryRoundTrip } from '../../../src/migration-safety/verify/round-trip.ts';
import { isByHand } from './by-hand.ts';
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
  const isDeclared = (object: CatalogObject) => !isByHand(object, pair.byHand);
  const expected = await catalogOf(pair.after, database);
  const before = await catalogOf(pair.before, database, pair.byHand);
  const plan = await planOf({ before, entities: expected, isDeclared, naive }, pair.renames, database).catch(refusal);
  if (!plan) return [];
  const { planned, after } = plan;
  if (pair.withRows) await insertSampleRows(database.execute, TRACKING);
  const steps = planned.map(({ transactional, up, down }) => ({
    up: () => run(up, transactional, database),
    down: () => run(down, transactional, database),
  }));
  const found = await tryRoundTrip(steps, { execute: database.execute, trackingTable: TRACKING, expected: after });
  // Deliberately: a foreign key that somebody made by hand may not fit what its table becomes.
  if (found?.phase === 'up' && /by_hand.*(cannot be implemented|no unique constraint)/.test(found.details[0] ?? ''))
    return [];
  // Deliberately: neither can rows without a value be told apart where nulls are one value.
  if (found?.phase === 'down' && /coalesce\(.*could not create unique index/.test(found.details[0] ?? '')) return [];
  // Deliberately: a row can't refer to a row of a table that was dropped and is empty again, so the column is nullable,
  // and a check of it may hold for later rows only.
  if (pair.withRows && found?.phase === 'down' && found.details.every((line) => LESS_AFTER_DOWN.test(line)))
    return faultsOf({ ...pair, withRows: false }, database, naive);
  if (found)
    return [
      found.says,
      ...found.details,
      ...planned.flatMap(({ up, down }) => [...up.map((sql) => `up: ${sql}`), ...down.map((sql) => `down: ${sql}`)]),
    ];
  const { operations } = planOperations(await readCatalog(database.execute, TRACKING), expected, { isDeclared });
  return operations.flatMap(({ up }) => up.map((sql) => `create finds something to do again: ${sql}`));
}

const LESS_AFTER_DOWN =
  / not null\b.*, the state after down has (?!.*not null)|^((?!NOT VALID).)*, the state after down has .*NOT VALID$/;

/** Deliberately: what somebody made by hand stays, so what it needs can't be dropped. */
function refusal(error: unknown): undefined {
  if (!(error instanceof MigrationProblem) || !/but .*by_hand.* uses it/.test(error.message)) throw error;
}

/** Builds a model in the emptied database. */
async function catalogOf(model: Model, database: ModelDatabase, byHand: string[] = []): Promise<Catalog> {
  await empty(database);
  await database.run([await createSchemaSql(model), ...byHand].join(';\n'));
  return readCatalog(database.execute, TRACKING);
}

/** As migration:create plans them. */
async function planOf(
  { before, entities, ...options }: Required<PlanOptions> & { before: Catalog; entities: Catalog },
  renames: string,
  { execute }: ModelDatabase,
): Promise<{ planned: PlannedMigration[]; after: Catalog }> {
  await execute('begin');
  const read = () => readCatalog(execute, TRACKING);
  try {
    const answers = readRenameAnswers(renames, []);
    const renamed = await applyRenames(before, entities, answers, options.isDeclared, { run: execute, read });
    const plan = planOperations(renamed.catalog, entities, options);
    const { operations, after } = afterRenames(plan, renamed.renames);
    return { planned: options.naive ? [toOneMigration(operations)] : toMigrations(operations), after };
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
