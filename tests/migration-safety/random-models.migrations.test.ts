import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATABASES, empty, type ModelDatabase } from './models/database.ts';
import { createSchemaSql } from './models/entities.ts';
import { randomModel } from './models/random-model.ts';

describe.each(Object.entries(DATABASES))('%s', (_, open) => {
  let database: ModelDatabase;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  test('every random model is one that MikroORM and PostgreSQL take', async () => {
    await fc.assert(
      fc.asyncProperty(randomModel, async (model) => {
        await empty(database);
        const refusal = await database.run(await createSchemaSql(model)).then(
          () => undefined,
          (error: Error) => error.message,
        );
        expect(refusal).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});
