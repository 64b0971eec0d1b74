// @module-tag security
import { expect, test } from 'vitest';
import { ROUTES, type Route } from '../../../src/server/rest/routes.ts';
import { aSmallBlog } from '../../reading/small-blog.ts';
import { deleteAllRows } from '../../support/test-server.ts';
import { CORPUS, faultOrLeak, HEADERS, one, type Random, withChangedBytes } from './hostile-texts.ts';
import { addSecrets, CANARY, leaked, scaled, seed, seededRandom, send, type TimedResponse } from './rig.ts';

/**
 * Hostile calls of the REST API: every route with texts that have broken other servers in its path, its query, its headers and
 * its body, values of other types, and bodies with changed bytes. Every answer must be a documented one.
 */

const REQUESTS = Number(process.env.REQUESTS) || scaled(200_000, 2_000);

interface Hostile {
  readonly method: Route['method'];
  readonly url: string;
  readonly body: string | Buffer;
  readonly headers: Record<string, string>;
}

const FIELDS = {
  user: ['username', 'email', 'password', 'bio', 'image', 'currentPassword'],
  article: ['title', 'description', 'body', 'tagList'],
  comment: ['body'],
};

const OTHER_TYPES = [null, true, 0, -1, 1.5, 1e300, [], {}, [[]], [null], { $ne: null }, Array(1000).fill('tag')];
const PARAMETERS = ['limit', 'offset', 'tag', 'author', 'favorited', 'tag[]', 'limit[$gt]', '__proto__', 'nosuch'];
const NUMBERS = ['0', '1', '20', '100', '101', '-1', '1.5', '1e3', '9999999999999999999', ' 5', '', '0x10'];

/** Lone surrogates have no encoding; some texts go as they are. */
function encoded(text: string, random: Random): string {
  const whole = text.toWellFormed();
  return random(8) === 0 ? encodeURI(whole) : encodeURIComponent(whole);
}

function hostileCall(random: Random): Hostile {
  const { method, path } = one(ROUTES, random);
  const good: Record<string, string> = { ':slug': 'article-1', ':username': 'ann', ':id': '1' };
  const filled = path.replaceAll(/:\w+/g, (name) =>
    random(2) === 0 ? (good[name] ?? '') : encoded(one(CORPUS, random), random),
  );
  const query = Array.from({ length: random(4) }, () => {
    const value = random(2) === 0 ? one(NUMBERS, random) : one(CORPUS, random);
    return `${one(PARAMETERS, random)}=${encoded(value, random)}`;
  });
  const body = Buffer.from(JSON.stringify(hostileBody(random)));
  const header = one(CORPUS, random)
    .replaceAll(/[^\x20-\x7e]/g, '')
    .slice(0, 4000);
  return {
    method,
    url: `/api${filled}${query.length > 0 ? `?${query.join('&')}` : ''}`,
    body: random(4) === 0 ? withChangedBytes(body, random) : body,
    headers: random(10) === 0 ? { [one(HEADERS, random)]: header } : {},
  };
}

function hostileBody(random: Random): unknown {
  if (random(20) === 0) return one<unknown>([...OTHER_TYPES, ...CORPUS], random);
  const kind = one(Object.keys(FIELDS) as (keyof typeof FIELDS)[], random);
  const value = () => one<unknown>([one(CORPUS, random), 'a@b.example', one(OTHER_TYPES, random)], random);
  const fields = FIELDS[kind]
    .filter(() => random(4) > 0)
    .map((name) => [name, name === 'tagList' && random(2) === 0 ? [value()] : value()]);
  const content = Object.fromEntries([...fields, [one(CORPUS, random), 'unknown']]);
  return { [kind]: { ...content, ...(kind === 'user' && random(2) === 0 && { password: CANARY }) } };
}

/** RealWorld's answers: nothing with 204, else JSON, of errors by name with the other statuses than 200 and 201. */
function problemIn({ url, body, headers }: Hostile, { status, text }: TimedResponse, token: string | null) {
  const fault = faultOrLeak({ status, text }, `${url} ${decoded(url)} ${body} ${JSON.stringify(headers)} ${token}`);
  if (fault) return fault;
  if (!new URL(url, 'http://localhost').pathname.startsWith('/api/')) return null; // "../" leads out of the API
  if (status === 204 || status === 304) return text === '' ? null : `${status} with an answer`;
  if (status < 300) return typeof JSON.parse(text) === 'object' ? null : 'no object';
  const { errors } = JSON.parse(text);
  const areTexts = (all: unknown) => Array.isArray(all) && all.every((each) => typeof each === 'string');
  return Object.keys(errors).length > 0 && Object.values(errors).every(areTexts) ? null : 'errors of another form';
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}

test(
  `${REQUESTS.toLocaleString('en')} hostile calls of the REST API have documented answers, and leak nothing`,
  async () => {
    const random = seededRandom(seed);
    const problems: string[] = [];
    const statuses: Record<string, number> = {};
    let tokens: string[] = [];
    for (let count = 0; count < REQUESTS && problems.length < 20; count += 1) {
      if (count % 5000 === 0) {
        await deleteAllRows();
        const people = await aSmallBlog();
        tokens = people.map(({ token }) => token);
        addSecrets(...people.flatMap(({ token, refreshToken }) => [token, refreshToken]));
      }
      const hostile = hostileCall(random);
      const token = one([null, ...tokens], random);
      const headers = { ...(token && { authorization: `Token ${token}` }), ...hostile.headers };
      const response = await send(hostile.body, headers, `10.0.${random(256)}.${random(256)}`, hostile);
      statuses[response.status] = (statuses[response.status] ?? 0) + 1;
      const problem = problemIn(hostile, response, token);
      if (problem) {
        const { method, url, body } = hostile;
        problems.push(
          `${problem}: ${method} ${url} ${body.toString().slice(0, 2000)} → ${response.text.slice(0, 500)}`,
        );
      }
    }
    console.log(`${REQUESTS} hostile calls (seed ${seed}), statuses ${JSON.stringify(statuses)}`);
    expect(problems).toEqual([]);
    expect(await leaked()).toEqual([]);
    expect(statuses).toMatchObject({ 200: expect.any(Number), 401: expect.any(Number), 422: expect.any(Number) });
  },
  scaled(3_600_000, 600_000),
);
