import fc from 'fast-check';
import { type ExecutionResult, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { statementsDuring } from '../support/statements.ts';
import { type GraphQLResponse, post } from '../support/test-server.ts';
import { anEdgeCaseBlog } from './edge-case-blog.ts';
import { schema } from './lists.ts';
import { type RandomDocument, randomDocument } from './random-documents.ts';
import { referenceResponse } from './reference.ts';

/**
 * A failure is not made smaller, which can take half an hour, unless RANDOM_DOCUMENTS is given.
 * A long run: RANDOM_DOCUMENTS=5000 npx vitest run tests/reading/random-documents.test.ts
 * To repeat a failure, add RANDOM_SEED and RANDOM_PATH from fast-check's report to the same RANDOM_DOCUMENTS.
 */
const { RANDOM_DOCUMENTS, RANDOM_SEED, RANDOM_PATH } = process.env;
const RUNS = Number(RANDOM_DOCUMENTS || 300);

test('random documents return what plain resolvers would, with one statement per field', {
  timeout: 3_600_000,
}, async () => {
  const { people, world } = await anEdgeCaseBlog();
  const tally = { succeeded: 0, refused: 0, 'too complex': 0, invalid: 0 };
  // A response that is null because of one rejected field does not wait for the statements of the others.
  let isAnyRunning = false;
  const numberLists = fc.noBias(fc.array(fc.nat({ max: 1000 }), { maxLength: 600, size: 'max' }));
  const viewers = fc.constantFrom(null, ...people);
  const property = fc.asyncProperty(
    numberLists,
    viewers,
    fc.integer({ min: 1, max: 6 }),
    async (numbers, viewer, depth) => {
      const request = randomDocument(numbers, world, depth);
      const shown = `${request.document}\n${JSON.stringify({ ...request, document: undefined, viewer: viewer?.username })}`;
      // Two fields with the same name may differ in nullability: the author of an article, and of a comment.
      const faults = validate(schema, parse(request.document));
      tally.invalid += faults.length > 0 ? 1 : 0;
      fc.pre(faults.length === 0);
      let response = {} as GraphQLResponse<Data>;
      const statements = await statementsDuring(async () => {
        const { document: query, mayBeRejected: _, ...rest } = request;
        const { body } = await post({ query, ...rest }, viewer ? { authorization: `Token ${viewer.token}` } : {});
        response = body as typeof response;
      });
      // A document that is too complex is never executed.
      const isTooComplex = response.errors?.some(({ extensions }) => extensions.code === 'QUERY_TOO_COMPLEX') ?? false;
      tally['too complex'] += isTooComplex ? 1 : 0;
      fc.pre(!isTooComplex);
      const expected = (await referenceResponse(world, { ...request, viewer })) as ExecutionResult<Data>;
      expectToBeAlike(response, expected, request, shown);
      tally[response.errors ? 'refused' : 'succeeded'] += 1;
      const session = viewer ? 1 : 0;
      if (response.data && !isAnyRunning) {
        expect(statements.length, shown).toBeLessThanOrEqual(Object.keys(response.data).length + session);
      }
      isAnyRunning = !response.data;
    },
  );
  try {
    await fc.assert(property, {
      numRuns: RUNS,
      endOnFailure: !RANDOM_DOCUMENTS,
      ...(RANDOM_SEED && { seed: Number(RANDOM_SEED) }),
      ...(RANDOM_PATH && { path: RANDOM_PATH }),
    });
  } finally {
    if (RANDOM_DOCUMENTS) console.log(tally);
  }
});

type Data = Record<string, unknown>;

/**
 * Invalid arguments anywhere below a query field fail the whole field, since it is one statement. That includes places that
 * a plain resolver never reaches, below an object that does not exist.
 */
function expectToBeAlike(
  response: GraphQLResponse<Data>,
  expected: ExecutionResult<Data>,
  { mayBeRejected }: RandomDocument,
  shown: string,
) {
  for (const { extensions } of response.errors ?? []) expect(extensions.code, shown).toBe('BAD_USER_INPUT');
  if (response.errors && !expected.errors) expect(mayBeRejected, `${shown}\n${response.errors[0]?.message}`).toBe(true);
  if (expected.errors) expect(response.errors, shown).toBeDefined();
  // A non-null field that fails makes the whole response null.
  if (!response.data) return expect(response.errors, shown).toBeDefined();
  const refused = fieldsOf(response.errors);
  for (const field of fieldsOf(expected.errors)) expect(refused, shown).toContain(field);
  const nulls = Object.fromEntries(refused.map((field) => [field, null]));
  expect(response.data, shown).toEqual({ ...JSON.parse(JSON.stringify(expected.data ?? {})), ...nulls });
}

const fieldsOf = (errors: readonly { path?: readonly (string | number)[] | undefined }[] = []): string[] =>
  errors.map(({ path }) => String(path?.[0]));
