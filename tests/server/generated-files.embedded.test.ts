import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

/** The commands that check schema/, run in a copy of the project that is a git repository. */

let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'conduit-schema-'));
  for (const path of [
    'src',
    'schema',
    'docs',
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
  test('includes the check of generated files', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(scripts.check).toMatch(/&& npm run --silent check:generated$/);
  });

  test('passes when generated files are up to date', () => {
    expect(npm('check:generated')).toMatchObject({ code: 0 });
  });

  test('fails when an operation changed without the manifest, and names the fix', () => {
    edit(
      'schema/operations/user.graphql',
      'query CurrentUser {\n  viewer {',
      'query CurrentUser {\n  viewer {\n    email',
    );
    const { code, output } = npm('check:generated');
    expect(code).toBe(1);
    expect(output).toContain('persisted-documents.json');
    expect(output).toContain('Fix it with: npm run generate');
  });

  test('fails when a type changed in the code without the schema, and names the fix', () => {
    edit('src/tags/tag.entity.ts', 'How many published articles carry the tag.', 'In how many articles it is.');
    const { code, output } = npm('check:generated');
    expect(code).toBe(1);
    expect(output).toContain('schema/schema.graphql is out of date. Update it with: npm run generate');
  });
});

test('npm run check fails when a file that shows the tables is not what the migrations make, and names the fix', () => {
  edit('docs/database.md', '## article_reads', '## article_readings');
  const { code, output } = npm('check:generated');
  expect(code).toBe(42);
  expect(output).toContain('docs/database.md');
  expect(output).toContain('npm run migration repair');
});

describe('npm run schema:check', () => {
  test('passes without changes', () => {
    expect(npm('schema:check')).toEqual({ code: 0, output: 'No breaking changes since HEAD.\n' });
  });

  test('lists breaking and dangerous changes, and fails', () => {
    edit('schema/schema.graphql', '  totalCount: Int!', '  total: Int!');
    edit('schema/schema.graphql', '  TITLE\n', '  TITLE\n\n  BODY\n');
    expect(npm('schema:check', 'HEAD')).toEqual({
      code: 1,
      output: [
        'breaking   ArticleConnection.totalCount was removed.',
        'dangerous  BODY was added to enum type ArticleOrderField.\n',
      ].join('\n'),
    });
    expect(JSON.parse(npm('schema:check', 'HEAD', '--json').output)).toEqual({
      revision: 'HEAD',
      compared: true,
      breaking: [{ type: 'FIELD_REMOVED', description: 'ArticleConnection.totalCount was removed.' }],
      dangerous: [{ type: 'VALUE_ADDED_TO_ENUM', description: 'BODY was added to enum type ArticleOrderField.' }],
    });
  });

  test('reports an input that becomes @oneOf', () => {
    edit('schema/schema.graphql', 'input ArticleFilter {', 'input ArticleFilter @oneOf {');
    expect(npm('schema:check')).toEqual({
      code: 1,
      output: 'breaking   ArticleFilter is now @oneOf.\n',
    });
  });

  test('passes with dangerous changes only', () => {
    edit('schema/schema.graphql', '  TITLE\n', '  TITLE\n\n  BODY\n');
    expect(npm('schema:check').code).toBe(0);
  });

  test('passes for a revision without a schema', () => {
    expect(npm('schema:check', 'before-the-schema')).toEqual({
      code: 0,
      output: 'before-the-schema has no schema/schema.graphql to compare with.\n',
    });
  });

  test.each(['nowhere', '--output=x'])('rejects the unknown revision %s', (revision) => {
    const { code, output } = npm('schema:check', '--', revision);
    expect(code).toBe(2);
    expect(output).toContain(`"${revision}" is not a revision of this repository`);
  });
});

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@conduit.example', ...args], { cwd: project });

function npm(script: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', script, '--', ...args], {
    cwd: project,
    encoding: 'utf8',
  });
  return { code: status, output: stdout + stderr.replace(/^npm warn.*\n/gm, '') };
}

function edit(file: string, from: string, to: string) {
  const path = join(project, file);
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}
