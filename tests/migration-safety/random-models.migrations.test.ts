import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATABASES, empty, type ModelDatabase } from './models/database.ts';
import { createSchemaSql } from './models/entities.ts';
import { faultsOf } from './models/migrate.ts';
import { randomModel } from './models/random-model.ts';
import { randomPair } from './models/random-pair.ts';

// The long form, which takes half an hour on each database:
//   MODEL_PAIRS=5000 npx vitest run --mode migrations tests/migration-safety/random-models.migrations.test.ts
// A failure prints its seed and path. MODEL_SEED and MODEL_PATH run that pair alone. Without MODEL_PAIRS the pairs are
// the same in every run, so that a failure is the work of a change.
const pairs = Number(process.env.MODEL_PAIRS ?? 100);
const { MODEL_PATH: path, MODEL_SEED: seed = process.env.MODEL_PAIRS ? undefined : '1' } = process.env;
const replayed = { ...(seed ? { seed: Number(seed) } : {}), ...(path ? { path } : {}) };
const HOUR = 3_600_000;

// The server is slower, and PostgreSQL's catalog is the same on both: it has a fifth of the pairs.
const RUNS = { 'in memory': pairs, 'on a server': pairs < 1_000 ? pairs / 5 : pairs };

describe.each(Object.entries(DATABASES))('%s', (name, open) => {
  let database: ModelDatabase;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  test('every random model is one that MikroORM and PostgreSQL take', async () => {
    const property = fc.asyncProperty(randomModel, async (model) => {
      await empty(database);
      const refusal = await database.run(await createSchemaSql(model)).then(
        () => undefined,
        (error: Error) => error.message,
      );
      expect(refusal).toBeUndefined();
    });
    await fc.assert(property, { numRuns: 200 });
  });

  test(
    'what create plans between two models runs up, down and up again, and is all there is to do',
    async () => {
      const property = fc.asyncProperty(randomPair, async (pair) => {
        expect(await faultsOf(pair, database)).toEqual([]);
      });
      await fc.assert(property, { numRuns: RUNS[name as keyof typeof RUNS], ...replayed });
    },
    HOUR,
  );
});
