// @module-tag security
import { expect, test } from 'vitest';
import { statementsDuring } from '../../support/statements.ts';
import { doubling, nested, times } from '../../support/too-complex.ts';
import { isLong, quantile, scaled, seed, seededRandom, sendQuery } from './rig.ts';

/** Small documents that request very much. Each is different, so that no cache helps. */

type Random = ReturnType<typeof seededRandom>;
const from = (random: Random, least: number, most: number) => least + random(most - least + 1);

const FAMILIES: Record<string, (random: Random) => string> = {
  depth: (t) => nested(from(t, 13, 250)),
  'depth in inline fragments': (t) => {
    const around = from(t, 1, 200);
    return `${'{ ... '.repeat(around)}${nested(from(t, 13, 100))}${' }'.repeat(around)}`;
  },
  'fragments that double': (t) =>
    `{ article(by: { slug: "${t(1e9)}" }) { ...F0 } } ${doubling(from(t, 13, 140), 'id')}`,
  'fragments that spread many': (t) => {
    const count = from(t, 9, 30);
    const all = times(
      count,
      (i) => `fragment F${i} on Article { id ${times(count - i - 1, (j) => `...F${i + j + 1} ...F${i + j + 1}`)} }`,
    );
    return `{ article(by: { slug: "${t(1e9)}" }) { ...F0 } } ${all}`;
  },
  'fragments in circles': (t) =>
    `{ ${times(from(t, 21, 300), () => '...A')} } fragment A on Query { __typename ...B } fragment B on Query { ...A }`,
  aliases: (t) => `{ ${times(from(t, 31, 600), (i) => `a${t(1e6)}_${i}: __typename`)} }`,
  directives: (t) => `{ articles { totalCount ${times(from(t, 51, 300), () => '@skip(if: false)')} } }`,
  'unknown directives': (t) => `{ __typename ${times(from(t, 51, 900), (i) => `@a${i}`)} }`,
  'repeated fields': (t) =>
    `{ articles(first: ${from(t, 20, 100)}) { nodes { ${times(from(t, 160, 320), () => 'author { id bio }')} } } }`,
  'repeated roots': (t) => `{ ${times(from(t, 21, 400), () => 'viewer { email }')} }`,
  'unknown fields': (t) => `{ ${times(from(t, 21, 1900), () => `a${t(1e9)}`)} }`,
  mutations: (t) => `mutation { ${times(from(t, 6, 100), (i) => `a${i}: logout { ok }`)} }`,
  tokens: (t) => `{ ${times(from(t, 2000, 20_000), () => '__typename')} }`,
  comments: (t) => `${'#\n'.repeat(from(t, 51_000, 200_000))}{ __typename }`,
  pages: (t) =>
    `{ articles(first: ${from(t, 60, 100)}) { nodes { comments(first: ${from(t, 90, 100)}) { nodes { id } } } } }`,
  introspection: (t) =>
    `{ __schema { types { fields { args { type { possibleTypes { interfaces { ${times(from(t, 1, 100), () => 'name')} } } } } } } } }`,
};

const EACH = scaled(1000, 25);

test.each(Object.entries(FAMILIES))(
  'bombs of the family "%s" are refused without a statement',
  async (family, write) => {
    const random = seededRandom(seed);
    const took: number[] = [];
    const outcomes = new Set<string>();
    const statements = await statementsDuring(async () => {
      for (let count = 0; count < EACH; count += 1) {
        const { text, busy } = await sendQuery(write(random));
        const { data, errors } = JSON.parse(text);
        outcomes.add(data === undefined ? errors[0].extensions.code : 'executed');
        took.push(busy);
      }
    });
    const p99 = quantile(took, 0.99);
    console.log(
      `${family}: ${EACH} refused, median ${quantile(took, 0.5).toFixed(1)} ms of work, p99 ${p99.toFixed(1)} ms (seed ${seed})`,
    );
    expect([...outcomes]).toEqual(['QUERY_TOO_COMPLEX']);
    expect(statements).toEqual([]);
    if (isLong) expect(p99).toBeLessThanOrEqual(10);
  },
);
