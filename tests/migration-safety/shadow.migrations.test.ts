import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openMemoryEngine } from '../../src/migration-safety/shadow/memory-engine.ts';
import { createServerDatabase } from '../../src/migration-safety/shadow/server-database.ts';
import { aMigratedProject, type Project } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

const USES_ENTITIES = `import { Migration } from '@mikro-orm/migrations';
import { Author } from '../entities.ts';

export class Migration20260105000000_greet_the_authors extends Migration {
  override async up(): Promise<void> {
    const em = this.getEntityManager();
    const authors = await em.find(Author, { name: 'Editor' });
    for (const author of authors) author.email = 'greeted@example.com';
    em.create(Author, { name: \`One of \${authors.length}\`, email: 'one@example.com' });
    await em.flush();
  }

  override async down(): Promise<void> {
    await this.getEntityManager().nativeDelete(Author, { email: 'one@example.com' });
    this.addSql(\`update "authors" set "email" = 'editor-0@example.com' where "name" = 'Editor'\`);
  }
}
`;

const aProjectThatUsesEntities = async (): Promise<Project> =>
  (await aMigratedProject()).write('migrations/Migration20260105000000_greet_the_authors.ts', USES_ENTITIES);

test('a migration may use entities: it runs in the shadow database as in the real one', async () => {
  const project = await aProjectThatUsesEntities();
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.query('select name, email from authors order by id')).toEqual([
    { name: 'Editor', email: 'greeted@example.com' },
    { name: 'One of 1', email: 'one@example.com' },
  ]);
  expect(await project.run('migration:check')).toMatchObject({ code: 0 });
  expect(await project.extra('migration:test')).toMatchObject({ code: 0 });
  const created = await project.run('migration:create');
  expect(created.out).toContain('No changes required');
  expect(created.code).toBe(0);
});

test('the in-memory engine takes more errors than its stack holds', async () => {
  const engine = await openMemoryEngine();
  onTestFinished(() => engine.close());
  await engine.exec('create table numbers (number int primary key); insert into numbers values (1)');
  const codes = new Set<string>();
  for (let i = 0; i < 4_000; i++)
    await engine.exec('insert into numbers values (1)').catch(({ code }) => codes.add(code));
  expect([...codes]).toEqual(['23505']);
});

const dblink = 'Migration20260105000000_use_dblink';

test('an extension that the in-memory engine lacks is left out with a sentence', async () => {
  const project = (await aMigratedProject()).migration(dblink, ['create extension dblink'], ['drop extension dblink']);
  const ended = await project.run('migration:create');
  expect(ended.out).toContain('The in-memory engine lacks the extension dblink, so the proof leaves it out.');
  expect(ended.code).toBe(0);
});

test('what needs the extension is proved on the server of MIGRATION_SHADOW_URL, which keeps no database', async () => {
  const project = (await aMigratedProject()).migration(
    dblink,
    [
      'create extension dblink',
      'create function names() returns setof text language sql as $$ select dblink_get_connections()::text $$',
    ],
    ['drop function names()', 'drop extension dblink'],
  );
  const without = await project.run('migration:create');
  expect(without.out).toContain('Set MIGRATION_SHADOW_URL to a server that has it');
  expect(without.code).not.toBe(0);
  project.with({ MIGRATION_SHADOW_URL: project.url });
  expect(await project.run('migration:create')).toMatchObject({ code: 0 });
  project.migration('Migration20260106000000_fails', ['select no_such_column']);
  expect((await project.run('migration:create')).code).not.toBe(0);
  expect(await project.query(`select datname from pg_database where datname like 'migration_shadow%'`)).toEqual([]);
});

test('a setting that is no URL, and a server that cannot be reached, are named', async () => {
  const project = (await aMigratedProject()).with({ MIGRATION_SHADOW_URL: 'here' });
  expect(await project.run('migration:create')).toMatchObject({ code: 24 });
  project.with({ MIGRATION_SHADOW_URL: 'postgres://postgres@127.0.0.1:1' });
  const unreachable = await project.run('migration:create');
  expect(unreachable.out).toContain('Cannot use the server 127.0.0.1:1 of MIGRATION_SHADOW_URL');
  expect(unreachable.code).toBe(40);
});

const shadowDatabases = (project: Project) =>
  project.query(`select datname from pg_database where datname ~ '^migration_shadow_' order by 1`);

test('the next command removes the database of one that was killed, and none that is in use', async () => {
  const project = await aMigratedProject();
  project.with({ MIGRATION_SHADOW_URL: project.url });
  const inUse = await createServerDatabase(project.url, (clientUrl) => ({ clientUrl }));
  onTestFinished(() => inUse.drop());
  const killed = project.run('migration:create');
  while ((await shadowDatabases(project)).length < 2) await sleep(20);
  killed.kill('SIGKILL');
  await killed;
  // PostgreSQL notices that the connections are closed.
  const sessions = () => project.query(`select 1 from pg_stat_activity where application_name ~ '^migration_shadow_'`);
  while ((await sessions()).length > 1) await sleep(20);
  expect(await project.run('migration:create')).toMatchObject({ code: 0 });
  expect(await shadowDatabases(project)).toEqual([
    { datname: new URL(inUse.connection.clientUrl ?? '').pathname.slice(1) },
  ]);
});
