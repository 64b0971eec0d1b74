import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isAbstractType } from 'graphql';
import { beforeEach, expect, test } from 'vitest';
import { addDemoBlog } from '../../src/seeding/demo/demo-blog.ts';
import generated from '../rigs/clients/gql/possible-types.ts';
import { errorsOf } from '../support/matchers.ts';
import { introspectSchema } from '../support/schema.ts';
import { address, type GraphQLResponse, orm } from '../support/test-server.ts';

const guide = readFileSync('docs/clients.md', 'utf8');

test('docs/clients.md quotes the tested recipes (update it: npx vitest run tests/docs -u)', async () => {
  const quoted = guide.replace(QUOTE, (_, file, region, kind) => {
    const mark = region ? `#${region}` : '';
    return `<!-- ${file}${mark} -->\n\n\`\`\`${kind}\n${quotation(file, region)}\n\`\`\``;
  });
  await expect(quoted).toMatchFileSnapshot('../../docs/clients.md');
});

const QUOTE = /<!-- (tests\/(?:rigs\/)?clients\/[\w./-]+)(?:#([\w-]+))? -->\n\n```(\w+)\n.*?```/gs;

function quotation(file: string, region: string | undefined): string {
  const text = readFileSync(file, 'utf8');
  if (!region) return text.trim();
  const [, quoted] = new RegExp(`// #region ${region}\n(.*?)// #endregion`, 's').exec(text) ?? [];
  if (!quoted) throw new Error(`${file} has no region "${region}".`);
  return quoted.trim();
}

test('every recipe is in docs/clients.md, and what it quotes of the frontend', () => {
  const recipes = globSync(['tests/rigs/clients/*.ts', 'tests/clients/frontend/src/**/*.{ts,tsx}']);
  const regions = recipes.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^\/\/ #region (.*)$/gm)].map(([, region]) => `${file}#${region}`),
  );
  expect(regions.length).toBeGreaterThan(20);
  expect(regions.filter((region) => !guide.includes(`<!-- ${region} -->`))).toEqual([]);
});

test('the recipes know the possible types of every interface and union', async () => {
  const schema = await introspectSchema();
  const abstract = Object.values(schema.getTypeMap()).filter(isAbstractType);
  const possible = abstract.map((type) => [
    type.name,
    schema
      .getPossibleTypes(type)
      .map(({ name }) => name)
      .toSorted(),
  ]);
  expect(generated.possibleTypes).toEqual(Object.fromEntries(possible));
});

beforeEach(() => addDemoBlog(orm.em.fork()));

test('every curl command of docs/clients.md succeeds', async () => {
  const lines = guide.split('\n').filter((line) => /^(curl|TOKEN=)/.test(line));
  const script = lines.join('\n').replaceAll('localhost:4000', address.replace('http://', ''));
  const folder = mkdtempSync(join(tmpdir(), 'conduit-curl-'));
  const separated = script.replaceAll(/^curl.*$/gm, '$&; echo');
  const { stdout } = await promisify(execFile)('bash', ['-euc', separated], { cwd: folder });
  const responses = stdout.trim().split(/\n+/);
  expect(responses).toHaveLength(lines.filter((line) => line.startsWith('curl')).length);
  for (const response of responses) expect(JSON.parse(response)).toSucceed();
  rmSync(folder, { recursive: true });
});

test('every request of docs/examples.http has the result that its title names', async () => {
  const [head = '', ...requests] = readFileSync('docs/examples.http', 'utf8').split(/^### /m);
  const given = [...head.matchAll(/^@(\w+) = (.*)$/gm)];
  const variables: Record<string, string> = Object.fromEntries(given.map(([, name, value]) => [name, value]));
  expect(variables).toEqual({ url: 'http://localhost:4000/graphql', token: 'paste-it-here' });
  variables.url = `${address}/graphql`;

  for (const request of requests) {
    const filled = request.replaceAll(/\{\{(\w+)\}\}/g, (_, name) => variables[name] ?? '');
    const [, title = '', method = '', url = '', headers = '', body] = REQUEST.exec(filled) ?? [];
    const response = await fetch(url, {
      method,
      headers: headers
        .trim()
        .split('\n')
        .map((line) => line.split(/: (.*)/).slice(0, 2) as [string, string]),
      ...(body?.trim() && { body }),
    });
    const result = (await response.json()) as GraphQLResponse<any>;
    expect(response.status, title).toBe(200);
    expect(errorsOf(result), title).toEqual(title.includes('without a title') ? ['BLANK input title'] : []);
    variables.token = result.data.login?.token ?? variables.token;
  }
  expect(requests.length).toBeGreaterThan(8);
});

const REQUEST = /^([^\n]*)\n(GET|POST) (\S+)\n((?:[^\n]+\n)*)(?:\n(.*))?$/s;
