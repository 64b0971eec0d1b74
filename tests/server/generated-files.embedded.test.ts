import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

/** The commands that keep schema/ what it should be, as processes in a copy of the project that is a git repository. */

let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'conduit-schema-'));
  for (const path of [
    'src',
    'schema',
    'migrations',
    'mikro-orm.config.ts',
    'package.json',
    'tsconfig.json',
    'codegen.yml',
  ]) {
    cpSync(path, join(project, path), { recursive: true });
  }
  symlinkSync(join(process.cwd(), 'node_modules'), join(project, 'node_modules'));
  git('init', '--quiet');
  git('commit', '--quiet', '--allow-empty', '--message', 'Start');
  git('tag', 'before-the-schema');
  git('add', 'schema', 'src');
  git('commit', '--quiet', '--message', 'Have a schema');
});

beforeEach(() => git('checkout', '--quiet', '.'));
afterAll(() => rmSync(project, { recursive: true }));

describe('npm run check', () => {
  test('is part of what the gate runs', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(scripts.check).toMatch(/&& npm run --silent check:generated$/);
  });

  test('passes when everything generated is up to date', () => {
    expect(npm('check:generated')).toMatchObject({ code: 0 });
  });

  test('fails on an operation that was changed without the manifest, and says what to do', () => {
    edit(
      'schema/operations/user.graphql',
      'query CurrentUser {\n  viewer {',
      'query CurrentUser {\n  viewer {\n    email',
    );
    const { code, said } = npm('check:generated');
    expect(code).toBe(1);
    expect(said).toContain('persisted-documents.json');
    expect(said).toContain('Fix it with: npm run generate');
  });

  test('fails on a type that was changed in the code without the schema, and says what to do', () => {
    edit('src/tags/tag.entity.ts', 'How many articles carry the tag.', 'In how many articles it is.');
    const { code, said } = npm('check:generated');
    expect(code).toBe(1);
    expect(said).toContain('schema/schema.graphql is out of date. Update it with: npm run generate');
  });
});

describe('npm run schema:check', () => {
  test('is content when nothing has changed', () => {
    expect(npm('schema:check')).toEqual({ code: 0, said: 'Nothing since HEAD breaks a client.\n' });
  });

  test('names what breaks clients, and what may, and fails', () => {
    edit('schema/schema.graphql', '  totalCount: Int!', '  total: Int!');
    edit('schema/schema.graphql', '  TITLE\n', '  TITLE\n\n  BODY\n');
    expect(npm('schema:check', 'HEAD')).toEqual({
      code: 1,
      said: [
        'breaking   ArticleConnection.totalCount was removed.',
        'dangerous  BODY was added to enum type ArticleOrderField.\n',
      ].join('\n'),
    });
    expect(JSON.parse(npm('schema:check', 'HEAD', '--json').said)).toEqual({
      revision: 'HEAD',
      compared: true,
      breaking: [{ type: 'FIELD_REMOVED', description: 'ArticleConnection.totalCount was removed.' }],
      dangerous: [{ type: 'VALUE_ADDED_TO_ENUM', description: 'BODY was added to enum type ArticleOrderField.' }],
    });
  });

  test('names an input that now wants exactly one key', () => {
    edit('schema/schema.graphql', 'input ArticleFilter {', 'input ArticleFilter @oneOf {');
    expect(npm('schema:check')).toEqual({
      code: 1,
      said: 'breaking   ArticleFilter wants exactly one of its keys now.\n',
    });
  });

  test('passes what may break clients but must not', () => {
    edit('schema/schema.graphql', '  TITLE\n', '  TITLE\n\n  BODY\n');
    expect(npm('schema:check').code).toBe(0);
  });

  test('has nothing to say about a revision without a schema', () => {
    expect(npm('schema:check', 'before-the-schema')).toEqual({
      code: 0,
      said: 'before-the-schema has no schema/schema.graphql: nothing to compare with.\n',
    });
  });

  test.each(['nowhere', '--output=x'])('does not know the revision %s', (revision) => {
    const { code, said } = npm('schema:check', '--', revision);
    expect(code).toBe(2);
    expect(said).toContain(`"${revision}" is no revision of this repository`);
  });
});

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@conduit.example', ...args], { cwd: project });

function npm(script: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', script, '--', ...args], {
    cwd: project,
    encoding: 'utf8',
  });
  return { code: status, said: stdout + stderr.replace(/^npm warn.*\n/gm, '') };
}

function edit(file: string, from: string, to: string) {
  const path = join(project, file);
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}
