import fc from 'fast-check';
import { parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { blog } from '../support/blog.ts';
import { aBlogOfEverything } from './everything.ts';
import { schema } from './lists.ts';
import { randomDocument } from './random-documents.ts';
import { referenceAnswer, theWorld } from './reference.ts';

test('random selections are answered as a plain resolver for each field would', async () => {
  const people = await aBlogOfEverything();
  const world = await theWorld();
  const rolls = fc.array(fc.nat({ max: 1000 }), { maxLength: 600, size: 'max' });
  const viewers = fc.constantFrom(null, ...people);
  const property = fc.asyncProperty(rolls, viewers, fc.integer({ min: 1, max: 5 }), async (dice, viewer, depth) => {
    const { document, variables } = randomDocument(dice, world, depth);
    // Two fields of one name may not agree on whether they can be null: author of an article, and of a comment.
    fc.pre(validate(schema, parse(document)).length === 0);
    const answer = await blog(document, { ...variables, ...(viewer && { as: viewer }) } as object);
    const expected = await referenceAnswer(world, { document, variables, viewer });
    const shown = `${document}\n${JSON.stringify(variables)}`;
    expect(answer.errors, shown).toBeUndefined();
    expect(expected.errors, shown).toBeUndefined();
    expect(answer.data, shown).toEqual(JSON.parse(JSON.stringify(expected.data)));
  });
  // On failure fast-check prints the seed and the path of the smallest counterexample; pass them here to see it again.
  await fc.assert(property, { numRuns: 300, interruptAfterTimeLimit: 600_000 });
});
