import fc from 'fast-check';
import { parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { type Answer, blog } from '../support/blog.ts';
import { statementsDuring } from '../support/statements.ts';
import { aBlogOfEverything } from './everything.ts';
import { schema } from './lists.ts';
import { randomDocument } from './random-documents.ts';
import { referenceAnswer, theWorld } from './reference.ts';

/** Thousands, for those who wait for them: RANDOM_DOCUMENTS=5000 npx vitest run tests/reading/statements.property.test.ts */
const RUNS = Number(process.env.RANDOM_DOCUMENTS || 300);

test('random selections are answered as a plain resolver for each field would, by one statement for each', {
  timeout: 3_600_000,
}, async () => {
  const people = await aBlogOfEverything();
  const world = await theWorld();
  const rolls = fc.array(fc.nat({ max: 1000 }), { maxLength: 600, size: 'max' });
  const viewers = fc.constantFrom(null, ...people);
  const property = fc.asyncProperty(rolls, viewers, fc.integer({ min: 1, max: 6 }), async (dice, viewer, depth) => {
    const { document, variables } = randomDocument(dice, world, depth);
    // Two fields of one name may not agree on whether they can be null: author of an article, and of a comment.
    fc.pre(validate(schema, parse(document)).length === 0);
    let answer = {} as Answer<Record<string, unknown>>;
    const statements = await statementsDuring(async () => {
      answer = await blog(document, { ...variables, ...(viewer && { as: viewer }) } as object);
    });
    // What asks for too much never becomes a statement.
    fc.pre(!answer.errors?.some(({ extensions }) => extensions.code === 'QUERY_TOO_COMPLEX'));
    const expected = await referenceAnswer(world, { document, variables, viewer });
    const shown = `${document}\n${JSON.stringify(variables)}`;
    expect(answer.errors, shown).toBeUndefined();
    expect(expected.errors, shown).toBeUndefined();
    expect(answer.data, shown).toEqual(JSON.parse(JSON.stringify(expected.data)));
    const session = viewer ? 1 : 0;
    expect(statements.length, shown).toBeLessThanOrEqual(Object.keys(answer.data).length + session);
  });
  // On failure fast-check prints the seed and the path of the smallest counterexample; pass them here to see it again.
  await fc.assert(property, { numRuns: RUNS });
});
