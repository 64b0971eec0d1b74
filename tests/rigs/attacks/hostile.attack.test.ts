// @module-tag security
import { getNamedType, isCompositeType, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { publishedOperations } from '../../../src/server/operations/published-operations.ts';
import { randomDocument } from '../../reading/random-documents.ts';
import { theWorld, type World } from '../../reading/reference.ts';
import { aSmallBlog } from '../../reading/small-blog.ts';
import { invalidValues } from '../../support/invalid-values.ts';
import { introspectSchema } from '../../support/schema.ts';
import { deleteAllRows } from '../../support/test-server.ts';
import { CORPUS, faultOrLeak, HEADERS, one, type Random, withChangedBytes } from './hostile-texts.ts';
import {
  addSecrets,
  CANARY,
  isLong,
  leaked,
  quantile,
  scaled,
  seed,
  seededRandom,
  send,
  type TimedResponse,
} from './rig.ts';

/**
 * Hostile requests: random documents of the schema, corrupted values in every place of every input, valid requests with
 * changed bytes, and texts that have broken other servers. Every response must be a documented one.
 */

const REQUESTS = Number(process.env.REQUESTS) || scaled(1_000_000, 10_000);
const schema = await introspectSchema();

interface Hostile {
  readonly body: string | Buffer;
  readonly headers?: Record<string, string>;
}

const asJson = (query: string, variables: unknown = {}, operationName?: string): Hostile => ({
  body: JSON.stringify({ query, variables, operationName }),
});

/** Every root field with each of its arguments corrupted, in an endless cycle. */
function* invalidRequests(): Generator<Hostile> {
  const roots = [schema.getQueryType(), schema.getMutationType()].filter((type) => type !== undefined && type !== null);
  for (;;) {
    for (const root of roots) {
      for (const field of Object.values(root.getFields())) {
        const type = getNamedType(field.type);
        const errors = isObjectType(type) && 'errors' in type.getFields() ? 'errors { code message path }' : '';
        const selection = isCompositeType(type) ? `{ __typename ${errors} }` : '';
        for (const argument of field.args) {
          const kind = root === roots[0] ? 'query' : 'mutation';
          const query = `${kind}($value: ${argument.type}) { ${field.name}(${argument.name}: $value) ${selection} }`;
          for (const [, value] of invalidValues(argument.type, undefined, argument.name))
            yield asJson(query, { value });
        }
      }
    }
  }
}

/** Every place where a client can send a text. */
const PLACES = [
  'query($x: String) { articles(filter: { tag: $x, author: $x }) { totalCount } }',
  'query($x: String!) { article(by: { slug: $x }) { title } }',
  'query($x: String!) { user(by: { username: $x }) { username followers { totalCount } } }',
  'query($x: ID!) { node(id: $x) { __typename } }',
  'query($x: String) { articles(after: $x) { totalCount nodes { id } } }',
  'query($x: String) { tags(prefix: $x) { nodes { name } } }',
  `mutation($x: String!) { login(input: { email: $x, password: "${CANARY}" }) { errors { code message } } }`,
  'mutation($x: String!) { login(input: { email: "ann@example.com", password: $x }) { errors { code message } } }',
  `mutation($x: String!) { register(input: { username: $x, email: $x, password: "${CANARY}" }) { errors { code } } }`,
  `mutation($x: String!) { updateViewer(input: { username: $x, password: "${CANARY}" }) { errors { code } } }`,
  'mutation($x: String!) { refreshSession(input: { refreshToken: $x }) { token errors { code } } }',
  `mutation($x: String!) { createArticle(input: { title: $x, description: $x, body: $x, tagList: [$x] }) {
    article { slug title } errors { code }
  } }`,
  'mutation($x: String!) { updateViewer(input: { bio: $x, image: $x }) { errors { code } } }',
  `mutation($x: String!) { addComment(input: { article: { slug: "article-1" }, body: $x }) {
    comment { body } errors { code }
  } }`,
];

function fromCorpus(random: Random): Hostile {
  const text = one(CORPUS, random);
  const query = one(PLACES, random);
  const written = random(4) === 0 ? one(CORPUS, random) + text : text;
  if (random(5) > 0) return asJson(query, { x: written });
  const value = written.replaceAll(/[^\x20-\x7e]/g, '');
  return { ...asJson(query, { x: 'a' }), headers: { [one(HEADERS, random)]: value.slice(0, 4000) } };
}

const GOOD = publishedOperations()
  .join('\n')
  .split(/\n(?=query|mutation|fragment)/);

/** A valid request with changed bytes. */
function mutated(random: Random): Hostile {
  const good = asJson(`${one(GOOD, random)}\n${one(GOOD, random)}`, {
    first: 3,
    slug: 'article-1',
    input: { password: CANARY },
  });
  return { body: withChangedBytes(Buffer.from(good.body as string), random) };
}

/** What is wrong with a response. Null when nothing is. */
function problemIn({ body }: Hostile, { status, text }: TimedResponse): string | null {
  if (text.includes('INTERNAL_SERVER_ERROR')) return 'an internal error';
  return faultOrLeak({ status, text }, body.toString());
}

test(
  `${REQUESTS.toLocaleString('en')} hostile requests cause no internal error and leak nothing`,
  async () => {
    const random = seededRandom(seed);
    const invalid = invalidRequests();
    let tokens: string[] = [];
    let world: World | undefined;
    const problems: string[] = [];
    const took: number[] = [];
    let slowest = { milliseconds: 0, busy: 0, kind: '' };
    const kinds: Record<string, number> = {};
    const statuses: Record<string, number> = {};
    const make: Record<string, () => Hostile> = {
      'random document': () => {
        const rolls = Array.from({ length: random(200) }, () => random(1000));
        const { document, variables, operationName } = randomDocument(rolls, world as World, random(5) + 1);
        return asJson(document, variables, operationName);
      },
      'invalid input': () => invalid.next().value,
      'changed bytes': () => mutated(random),
      corpus: () => fromCorpus(random),
    };
    for (let count = 0; count < REQUESTS && problems.length < 20; count += 1) {
      if (count % 5000 === 0) {
        await deleteAllRows();
        const people = await aSmallBlog();
        tokens = people.map(({ token }) => token);
        addSecrets(...people.flatMap(({ token, refreshToken }) => [token, refreshToken]));
        world = await theWorld();
      }
      const kind = one(Object.keys(make), random);
      const hostile = make[kind]?.() as Hostile;
      const token = one([null, ...tokens], random);
      const headers = { ...(token && { authorization: `Token ${token}` }), ...hostile.headers };
      const response = await send(hostile.body, headers, `10.0.${random(256)}.${random(256)}`);
      took.push(response.milliseconds);
      if (response.milliseconds > slowest.milliseconds) slowest = { ...response, kind };
      kinds[kind] = (kinds[kind] ?? 0) + 1;
      statuses[response.status] = (statuses[response.status] ?? 0) + 1;
      const problem = problemIn(hostile, response);
      if (problem)
        problems.push(
          `${kind}, ${problem}: ${hostile.body.toString().slice(0, 2000)} → ${response.text.slice(0, 500)}`,
        );
    }
    console.log(
      `${took.length} hostile requests (seed ${seed}): ${JSON.stringify(kinds)}, statuses ${JSON.stringify(statuses)}, median ${quantile(took, 0.5).toFixed(1)} ms, p99 ${quantile(took, 0.99).toFixed(1)} ms, slowest ${slowest.milliseconds.toFixed(0)} ms (${slowest.kind}; ${slowest.busy.toFixed(0)} ms of work)`,
    );
    expect(problems).toEqual([]);
    expect(await leaked()).toEqual([]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    expect((await send(JSON.stringify({ query: '{ __typename }' }))).text).toContain('"__typename":"Query"');
    if (isLong) expect(slowest.milliseconds).toBeLessThan(1000);
  },
  scaled(14_400_000, 1_200_000),
);
