import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { compareDatabases } from '../../src/migration-safety/verify/drift.ts';
import { aProject, onServer, type Project, repository } from './project.ts';

vi.setConfig({ testTimeout: 240_000 });

const SETTINGS = "safety: { schemaFile: 'schema/database.sql', tablesFile: 'docs/database.md' }";

const withSchemaFiles = (project: Project) =>
  project
    .edit('mikro-orm.config.ts', (text) =>
      text.replace("pathTs: 'migrations' }", `pathTs: 'migrations', ${SETTINGS} }`),
    )
    .edit('entities.ts', (text) =>
      text.replace(
        'body: p.text(),',
        "body: p.text(),\n    summary: p.string().nullable().comment('What | it is about'),",
      ),
    );

/** How a database into which this script was loaded differs from one that was migrated. */
async function differences(script: string, migratedUrl: string): Promise<string[]> {
  const name = `migsafe_test_${randomBytes(6).toString('hex')}`;
  const url = new URL(migratedUrl);
  const admin = new URL('/postgres', url).href;
  onTestFinished(() => onServer(admin, (client) => client.query(`drop database "${name}"`)).then(() => {}));
  await onServer(admin, (client) => client.query(`create database "${name}"`));
  return onServer(new URL(`/${name}`, url).href, async (loaded) => {
    await loaded.query(script);
    return onServer(migratedUrl, (migrated) =>
      compareDatabases(
        async (sql) => (await loaded.query(sql)).rows,
        async (sql) => (await migrated.query(sql)).rows,
        'mikro_orm_migrations',
      ),
    );
  });
}

test('create writes the schema as SQL and the tables as Markdown, and the SQL makes what the migrations make', async () => {
  const project = withSchemaFiles(aProject());
  expect(await project.run('migration:create')).toMatchObject({ code: 0 });
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  const script = project.read('schema/database.sql');
  expect(script).toContain('\n  "summary" varchar(255),');
  expect(await differences(script, project.url)).toEqual([]);
  const tables = project.read('docs/database.md');
  expect(tables).toMatch(/\| `summary` +\| varchar\(255\), optional +\| +\| What \\\| it is about +\|/);
  expect(tables).toMatch(/\| `author_id` .*refers to authors/);
  expect(await project.extra('migration:check')).toMatchObject({ code: 0 });
});

test('check says which file is stale with a code of its own, and repair rewrites it', async () => {
  const project = withSchemaFiles(aProject());
  await project.run('migration:create');
  const written = project.read('schema/database.sql');
  project.edit('schema/database.sql', (text) => text.replaceAll('\n', '\r\n'));
  expect(await project.extra('migration:check', '--offline')).toMatchObject({ code: 0 });
  project.edit('schema/database.sql', (text) => text.replace('varchar', 'text'));
  const { code, out } = await project.extra('migration:check', '--offline');
  expect(code).toBe(42);
  expect(out).toContain('schema/database.sql does not show the schema');
  expect(out).not.toContain('docs/database.md');
  expect(await project.extra('migration:repair', '--yes')).toMatchObject({ code: 0 });
  expect(project.read('schema/database.sql')).toBe(written);
  expect(await project.extra('migration:check', '--offline')).toMatchObject({ code: 0 });
});

test('a dry run leaves the files as they are', async () => {
  const project = withSchemaFiles(aProject());
  expect(await project.extra('migration:create', '--dry-run')).toMatchObject({ code: 30 });
  expect(() => project.read('schema/database.sql')).toThrow('ENOENT');
});

test('schema/database.sql of this project makes what its migrations make', async () => {
  const project = aProject();
  const config = ['--config', join(repository, 'mikro-orm.config.ts')];
  expect(await project.run('migration:up', ...config)).toMatchObject({ code: 0 });
  const script = readFileSync(join(repository, 'schema/database.sql'), 'utf8');
  expect(await differences(script, project.url)).toEqual([]);
});
