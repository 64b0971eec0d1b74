import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, inject, test } from 'vitest';
import { post } from '../../support/test-server.ts';

/** Clients may send a new document with every request. `npm run test:memory` sends more of them than the regular tests. */
const DOCUMENTS = inject('distinctDocuments');
const MAX_MEGABYTES = 50;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

test(`${DOCUMENTS} distinct documents leave less than ${MAX_MEGABYTES} MB behind`, {
  timeout: 1_800_000,
}, async () => {
  const first = 60; // warms up compiled code and connections
  await sendDocuments(0, first);
  const before = megabytesInUse();
  const step = DOCUMENTS / 5;
  let grown = 0;
  for (let sent = step; sent <= DOCUMENTS; sent += step) {
    await sendDocuments(first + sent - step, first + sent);
    grown = megabytesInUse() - before;
    console.log(`${sent} documents: ${before.toFixed(1)} MB before, ${grown.toFixed(1)} MB more now.`);
  }
  expect(grown).toBeLessThan(MAX_MEGABYTES);
});

async function sendDocuments(from: number, to: number): Promise<void> {
  for (let number = from; number < to; number += CONCURRENCY) {
    const numbers = Array.from({ length: Math.min(CONCURRENCY, to - number) }, (_, index) => number + index);
    const codes = await Promise.all(
      numbers.map(async (one) => {
        const { body } = await post(KINDS[one % KINDS.length]?.(one));
        return body.errors?.[0]?.extensions.code;
      }),
    );
    expect(codes).toEqual(numbers.map((one) => EXPECTED[one % KINDS.length]));
  }
}

const CONCURRENCY = 8;

const article = (number: number) =>
  `a${number}: title b${number}: slug c${number}: createdAt author { d${number}: username }`;
const valid = (number: number) =>
  `query Q${number} { articles(first: 1) { totalCount nodes { ${article(number)} tags { e${number}: name } } }
     tags(first: 2) { nodes { f${number}: name articles(first: 1) { nodes { ${article(number)} } } } } }`;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const apqExtensions = (text: string) => ({ persistedQuery: { version: 1, sha256Hash: sha256(text) } });

/** A plain document, persisted ones of both kinds, and every kind of error. */
const KINDS: ((number: number) => object)[] = [
  (number) => ({ query: valid(number) }),
  (number) => ({ query: valid(number), extensions: apqExtensions(valid(number)) }),
  (number) => ({ query: valid(number), documentId: `sha256:${sha256(valid(number))}` }),
  (number) => ({ extensions: apqExtensions(`unknown ${number}`) }),
  (number) => ({ query: `{ articles { nothing${number} } }` }),
  (number) => ({ query: `{ articles { nothing${number}` }),
];
const EXPECTED = [
  undefined,
  undefined,
  undefined,
  'PERSISTED_QUERY_NOT_FOUND',
  'GRAPHQL_VALIDATION_FAILED',
  'GRAPHQL_PARSE_FAILED',
];

function megabytesInUse(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1024 / 1024;
}
