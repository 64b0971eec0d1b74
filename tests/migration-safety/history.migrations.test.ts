import { expect, test, vi } from 'vitest';
import { lineDifference } from '../../src/migration-safety/verify/repair.ts';
import { aMigratedProject, aProject } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

const FIRST = 'migrations/Migration20260101000000_create_authors_and_articles.ts';
const SECOND = 'migrations/Migration20260102000000_add_articles_slug.ts';

test('layout, comments, line endings and keyword case do not change the checksum', async () => {
  const project = await aMigratedProject();
  project.edit(FIRST, (text) =>
    text.replaceAll('\n', '\r\n').replace('create table', '-- about people\n CREATE   TABLE'),
  );
  project.edit('migrations/Migration20260103000000_invite_the_editor.ts', (text) =>
    text.replaceAll('    ', '\t\t').replace('this.execute(', 'this.execute(\n'),
  );
  project.migration('Migration20260105000000_one_more', ['select 1']);
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
});

test('a compiled migration has the checksum of its source', async () => {
  const project = await aMigratedProject();
  const { transformSync } = await import('vite').then((vite) => ({ transformSync: vite.transformWithOxc }));
  for (const name of project.migrations()) {
    const { code } = await transformSync(project.read(`migrations/${name}`), name);
    project.remove(`migrations/${name}`).write(`migrations/${name.replace('.ts', '.js')}`, code);
  }
  project.migration('Migration20260105000000_one_more', ['select 1']);
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
});

test('an edit of one token stops up and down, and repair shows the edit before accepting it', async () => {
  const project = aProject();
  await project.run('migration:up', '--to', '+2');
  project.edit(SECOND, (text) => text.replace('varchar(255)', 'varchar(254)'));
  for (const command of ['migration:up', 'migration:down']) {
    const { code, out } = await project.run(command);
    expect(code).toBe(32);
    expect(out).toContain('Migration20260102000000_add_articles_slug was edited after it was applied');
  }
  expect(await project.applied()).toHaveLength(2);
  const shown = await project.extra('migration:repair');
  expect(shown.code).toBe(22);
  expect(shown.out).toContain('- alter table "articles" add column "slug" varchar(255) null;');
  expect(shown.out).toContain('+ alter table "articles" add column "slug" varchar(254) null;');
  expect(await project.extra('migration:repair', '--yes')).toMatchObject({ code: 0 });
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
});

test('the checksum of a migration that queries the database is that of its code', async () => {
  const project = await aMigratedProject();
  project.edit('migrations/Migration20260103000000_invite_the_editor.ts', (text) => text.replace('editor-', 'boss-'));
  project.migration('Migration20260105000000_one_more', ['select 1']);
  expect((await project.run('migration:up')).code).toBe(32);
});

test('a missing file, a duplicate row and an out-of-order migration are reported by name', async () => {
  const project = aProject();
  await project.run('migration:up', '--to', '+2');
  const text = project.read(FIRST);
  project.remove(FIRST);
  const missing = await project.run('migration:up');
  expect(missing.code).toBe(33);
  expect(missing.out).toContain('create_authors_and_articles was applied, but its file is missing');
  expect(await project.run('migration:down', '--to', 'base')).toMatchObject({ code: 33 });

  project.write(FIRST, text).migration('Migration20260101500000_late', ['create table late (id int)']);
  const outOfOrder = await project.run('migration:up');
  expect(outOfOrder.code).toBe(34);
  expect(outOfOrder.out).toContain('Migration20260101500000_late is older than migrations that are already applied');
  expect(await project.applied()).toHaveLength(2);
  expect(await project.with({ MIGRATION_OUT_OF_ORDER: 'allow' }).run('migration:up', '--only', 'late')).toMatchObject({
    code: 0,
  });

  await project.query(
    'drop index mikro_orm_migrations_name_unique; insert into mikro_orm_migrations (name) select name from mikro_orm_migrations limit 1',
  );
  const duplicate = await project.run('migration:up');
  expect(duplicate.code).toBe(35);
});

test('a file that is renamed after it was applied is recognized by its checksum, and its row follows', async () => {
  const project = await aMigratedProject();
  const rename = (from: string, to: string) =>
    project.write(to, project.read(from).replaceAll('20260102000000', '20260108000000')).remove(from);
  rename(SECOND, SECOND.replace('20260102', '20260108'));
  const before = await project.dump();
  expect((await project.run('migration:pending')).out).not.toContain('add_articles_slug');
  expect((await project.extra('migration:status')).out).toContain('applied  Migration20260108000000_add_articles_slug');
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(0);
  expect(out).toContain(
    'Migration20260102000000_add_articles_slug is applied already; its file is now Migration20260108000000_add_articles_slug',
  );
  expect(await project.dump()).toBe(before);
  expect(await project.query(`select name from mikro_orm_migrations where name like '%slug%'`)).toEqual([
    { name: 'Migration20260108000000_add_articles_slug' },
  ]);
  expect(await project.extra('migration:repair')).toMatchObject({ code: 0 });
  // Edited as well, it is another migration.
  rename(FIRST, FIRST.replace('20260101', '20260109')).edit(FIRST.replace('20260101', '20260109'), (text) =>
    text.replace('serial primary', 'bigserial primary'),
  );
  expect(await project.run('migration:up')).toMatchObject({ code: 33 });
});

test('an empty migrations folder is an error, not an older version of the code', async () => {
  const project = await aMigratedProject();
  for (const name of project.migrations()) project.remove(`migrations/${name}`);
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(33);
  expect(out).toContain('Migration20260104000000_index_articles_title was applied, but its file is missing');
});

test('a database that is ahead of the code does not stop migration:up, as in a rolling deployment', async () => {
  const project = await aMigratedProject();
  project.remove('migrations/Migration20260104000000_index_articles_title.ts');
  const up = await project.run('migration:up');
  expect(up).toMatchObject({ code: 0 });
  expect(up.out).toContain('was applied by a newer version of the code');
});

test('a tracking table of the stock migrator is adopted', async () => {
  const project = aProject();
  await project.query('select 1').catch(() => {});
  await project.run('migration:up');
  await project.query(
    'alter table mikro_orm_migrations drop column checksum, drop column duration_ms, drop column executed_by, drop column app_version, drop column source; drop index mikro_orm_migrations_name_unique',
  );
  project.migration('Migration20260105000000_one_more', ['select 1']);
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.extra('migration:repair', '--yes')).toMatchObject({ code: 0 });
  project.edit(SECOND, (text) => text.replace('varchar(255)', 'varchar(254)'));
  expect((await project.run('migration:up')).code).toBe(32);
});

test('the tracking table records the user, the time, the duration and the version', async () => {
  const project = aProject();
  await project.run('migration:up', '--to', '+2');
  const status = JSON.parse((await project.extra('migration:status', '--json')).out);
  expect(status.map(({ state }: { state: string }) => state)).toEqual(['applied', 'applied', 'pending', 'pending']);
  expect(status[0]).toMatchObject({
    appVersion: '1.2.3',
    durationMs: expect.any(Number),
    executedBy: expect.stringContaining('@'),
  });
  expect((await project.extra('migration:current')).out.trim()).toBe('Migration20260102000000_add_articles_slug');
  expect((await project.extra('migration:history')).out.trim().split('\n')).toHaveLength(2);
});

test('reading commands create nothing, not even the database', async () => {
  const project = aProject();
  for (const command of ['migration:list', 'migration:pending'])
    expect(await project.run(command)).toMatchObject({ code: 0 });
  expect(await project.extra('migration:status')).toMatchObject({ code: 0 });
  await expect(project.query('select 1')).rejects.toThrow('does not exist');
});

test('a line difference shows the removed and the added lines only', () => {
  expect(lineDifference('a\nb\nc', 'a\nx\nc\nd')).toEqual(['- b', '+ x', '+ d']);
});
