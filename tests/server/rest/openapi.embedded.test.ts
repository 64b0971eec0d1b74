import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ROUTES } from '../../../src/server/rest/routes.ts';
import { rest } from '../../support/realworld.ts';
import { aComment, anArticle, aUser, PASSWORD } from '../../support/test-data.ts';
import { address } from '../../support/test-server.ts';

const description = JSON.parse(readFileSync('schema/openapi.json', 'utf8'));

/** The object that a `$ref` of the description names, or the object itself. */
const resolve = (part: any): any =>
  part?.$ref
    ? (part.$ref as string)
        .slice(2)
        .split('/')
        .reduce((at, name) => at[name], description)
    : part;

/** The schema with every reference in it resolved: the description has no cycles. */
function inline(schema: any): any {
  if (Array.isArray(schema)) return schema.map(inline);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref: _, ...whole } = { ...schema, ...(schema.$ref && resolve(schema)) };
  return Object.fromEntries(Object.entries(whole).map(([key, value]) => [key, inline(value)]));
}

const operationAt = (call: string) => {
  const [method = '', path = ''] = call.split(' ');
  return description.paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
};

test('GET /api/openapi.json returns the description', async () => {
  const response = await fetch(`${address}/api/openapi.json`);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(await response.json()).toEqual(description);
});

test('it describes each call, and no other', () => {
  const described = Object.entries<object>(description.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
  expect(described.toSorted()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted());
});

test('everything in it that is referred to exists, and everything that exists is referred to', () => {
  const text = JSON.stringify(description);
  const named = Object.entries<object>(description.components)
    .filter(([kind]) => kind !== 'securitySchemes')
    .flatMap(([kind, parts]) => Object.keys(parts).map((name) => `#/components/${kind}/${name}`));
  const referred = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference));
  expect([...referred].toSorted()).toEqual(named.toSorted());
});

test.each(ROUTES.map(({ method, path, token }) => [`${method} ${path}`, token]))(
  '%s names the parts of its path, and whether it needs a token: %s',
  (call, token) => {
    const { parameters = [], security } = operationAt(call);
    const inPath = parameters.map(resolve).filter((parameter: { in: string }) => parameter.in === 'path');
    expect(inPath.map(({ name }: { name: string }) => `:${name}`)).toEqual(call.match(/:\w+/g) ?? []);
    const needs = { required: [{ Token: [] }], optional: [{}, { Token: [] }], ignored: [] };
    expect(security).toEqual(needs[token as keyof typeof needs]);
  },
);

describe('answers are as described', () => {
  /** Validates an answer by the schema of its status; one that is not described fails. */
  function expectDescribed(call: string, { status, body }: { status: number; body?: unknown }): void {
    const response = resolve(operationAt(call).responses[status]);
    expect(response, `${call}: ${status} ${JSON.stringify(body)}`).toBeDefined();
    const schema = response.content?.['application/json'].schema;
    if (!schema) {
      expect(body, call).toBeUndefined();
      return;
    }
    const { error } = z.fromJSONSchema(inline(schema)).safeParse(body);
    expect(error, `${call}: ${status} ${JSON.stringify(body)}`).toBeUndefined();
  }

  test.each(ROUTES.map(({ method, path }) => `${method} ${path}`))('%s', async (call) => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    const article = await anArticle({ by: bob, title: 'Good', tagList: ['one'] });
    await aComment({ on: article, by: bob });
    await rest('POST /profiles/ann/follow', { token: bob.token });
    const body = {
      user: { username: 'cyd', email: call.includes('login') ? ann.email : 'cyd@example.com', password: PASSWORD },
      article: { title: 'New', description: 'd', body: 'b' },
      comment: { body: 'Yes.' },
    };
    const at = (slug: string, name: string, id: string) =>
      call.replace(':slug', slug).replace(':username', name).replace(':id', id);
    expectDescribed(call, await rest(at('good', 'ann', '1')));
    expectDescribed(call, await rest(at('nowhere', 'nobody', '1'), { token: ann.token, body }));
    expectDescribed(call, await rest(at('good', 'bob', '1'), { token: ann.token, body: { user: {}, article: {} } }));
    const user = { ...body.user, username: 'dan', ...(!call.includes('login') && { email: 'dan@example.com' }) };
    const done = await rest(at('good', 'ann', '1'), { token: bob.token, body: { ...body, user } });
    expectDescribed(call, done);
    expect(done.status, JSON.stringify(done)).toBeLessThan(300);
  });
});
