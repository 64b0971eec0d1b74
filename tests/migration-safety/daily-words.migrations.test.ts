import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { aMigratedProject, anEmbeddedProject, aProject, type Project } from './project.ts';

vi.setConfig({ testTimeout: 240_000 });

const [CREATE, SLUG, INVITE, INDEX] = [
  'Migration20260101000000_create_authors_and_articles',
  'Migration20260102000000_add_articles_slug',
  'Migration20260103000000_invite_the_editor',
  'Migration20260104000000_index_articles_title',
];

/** The files of the migrations folder, hidden ones too, with their text. */
const filesOf = (project: Project) =>
  readdirSync(join(project.folder, 'migrations'))
    .sort()
    .map((name) => [name, project.read(`migrations/${name}`)]);

const addSummary = (project: Project) =>
  project.edit('entities.ts', (text) =>
    text.replace('body: p.text(),', 'body: p.text(),\n    summary: p.string().nullable(),'),
  );

test('stamp head records a whole history at once on a database that has its schema, and runs nothing', async () => {
  const project = await aMigratedProject();
  await project.query('delete from mikro_orm_migrations');
  const before = await project.dump();
  const { code, stdout } = await project.extra('migration:stamp', 'head', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ recorded: [CREATE, SLUG, INVITE, INDEX], forgotten: [] });
  expect(await project.dump()).toBe(before);
  expect(await project.extra('migration:check')).toMatchObject({ code: 0 });
  expect((await project.extra('migration:stamp', 'head')).out).toContain('at head already; nothing to do');
});

test('stamp refuses a database with another schema and names the differences, unless a sentence says why it is right', async () => {
  const project = await aMigratedProject();
  await project.query('delete from mikro_orm_migrations');
  await project.query('alter table articles drop column slug');
  const refused = await project.extra('migration:stamp', 'head');
  expect(refused.code).toBe(39);
  expect(refused.out).toContain('table articles, column slug: only history has it');
  expect(await project.applied()).toEqual([]);
  expect(await project.extra('migration:stamp', 'head', '--because', 'yes')).toMatchObject({ code: 24 });
  expect(await project.applied()).toEqual([]);
  const because = ['--because', 'The column is added by hand tonight.'];
  expect(await project.extra('migration:stamp', 'head', ...because)).toMatchObject({ code: 0 });
  expect(await project.applied()).toHaveLength(4);
});

test('stamp to an earlier target forgets the later migrations without reverting them', async () => {
  const project = await aMigratedProject();
  const before = await project.dump();
  expect(await project.extra('migration:stamp', 'base')).toMatchObject({ code: 39 });
  expect(await project.applied()).toHaveLength(4);
  // The third only inserts rows, so that the schema of the second is that of the third.
  await project.run('migration:log', '--name', 'index_articles_title');
  const because = ['--because', 'The index is built again on purpose.'];
  const { code, stdout } = await project.extra('migration:stamp', 'add_articles_slug', '--json', ...because);
  expect([code, JSON.parse(stdout)]).toEqual([0, { recorded: [], forgotten: [INVITE, INDEX] }]);
  expect(await project.applied()).toEqual(['create_authors_and_articles', 'add_articles_slug']);
  expect(await project.dump()).toBe(before);
});

test('stamp creates no database, refuses an unknown target, and works on the embedded database', async () => {
  const missing = aProject();
  expect(await missing.extra('migration:stamp', 'head')).toMatchObject({ code: 40 });
  expect(await missing.extra('migration:status')).toMatchObject({ code: 0 });
  const project = anEmbeddedProject();
  expect(await project.extra('migration:stamp', 'head')).toMatchObject({ code: 40 });
  await project.run('migration:up', '--to', '+2');
  expect(await project.extra('migration:stamp', 'add_articles_slgu')).toMatchObject({ code: 10 });
  expect((await project.extra('migration:stamp', 'head')).out).toContain('index articles_title_index');
  const { code, out } = await project.extra('migration:stamp', 'invite_the_editor');
  expect([code, out.trim()]).toEqual([0, `Recorded as applied, without running:\n  ${INVITE}`]);
});

test('show names the file, the options, the statements, the lint findings and the state of one migration', async () => {
  const project = aProject();
  await project.run('migration:up', '--to', '+1');
  const text = (await project.extra('migration:show', 'create_authors')).out;
  expect(text).toContain(`${CREATE}\n  file: migrations/${CREATE}.ts\n  state: applied`);
  expect(text).toMatch(/up:\n {2}create table[\s\S]+down:\n {2}drop table[\s\S]+lint: no findings/);
  const json = JSON.parse((await project.extra('migration:show', 'head', '--json')).stdout);
  expect(json).toMatchObject({ name: INDEX, transactional: false, status: { state: 'pending' }, lint: [] });
  project.migration('Migration20260601120000_drop_articles_slug', ['alter table "articles" drop column "slug"']);
  project.environment = { DATABASE_URL: 'postgres://postgres@127.0.0.1:1/nothing' };
  const offline = await project.extra('migration:show', 'head', '--offline');
  expect(offline.code).toBe(0);
  expect(offline.out).toContain('error drop-column');
  expect(offline.out).not.toContain('state:');
  expect(await project.extra('migration:show', 'nothing_like_it')).toMatchObject({ code: 10 });
  expect(await project.extra('migration:show', 'head', '--json')).toMatchObject({ code: 40 });
});

test('history shows a range of what was applied, forwards and backwards', async () => {
  const project = await aMigratedProject();
  const names = async (range: string) =>
    JSON.parse((await project.extra('migration', 'history', range, '--json')).stdout).map(
      ({ name }: { name: string }) => name,
    );
  expect(await names('-2:head')).toEqual([INVITE, INDEX]);
  expect(await names('create_authors:invite')).toEqual([SLUG, INVITE]);
  expect(await names('head:-1')).toEqual([INDEX]);
  expect(await names('head:add_articles_slug')).toEqual([INDEX, INVITE]);
  expect(await project.extra('migration:history', 'a:b:c')).toMatchObject({ code: 10 });
});

test('plan shows the way to a target, down where it lies behind, and changes nothing', async () => {
  const project = aProject();
  await project.run('migration:up', '--to', '+2');
  const plan = async (...target: string[]) => (await project.extra('migration', 'plan', ...target)).out;
  expect(await plan('invite')).toContain(`${INVITE} (one transaction)`);
  expect(await plan('invite')).not.toContain(INDEX);
  expect(await plan('+1')).not.toContain(INDEX);
  const back = await plan('-1');
  expect(back).toContain(`${SLUG} (down, one transaction)\n  alter table "articles" drop column "slug"`);
  expect(back).toContain('-- ACCESS EXCLUSIVE on "articles"');
  expect(back).not.toContain(CREATE);
  const base = JSON.parse((await project.extra('migration', 'plan', 'base', '--json')).stdout);
  expect(base.map(({ name, method }: Record<string, string>) => [name, method])).toEqual([
    [SLUG, 'down'],
    [CREATE, 'down'],
  ]);
  expect(await plan('add_articles_slug')).toContain('The database is at add_articles_slug already.');
  expect(await project.extra('migration', 'plan', 'nothing_like_it')).toMatchObject({ code: 10 });
  expect(await project.applied()).toHaveLength(2);
});

test('create --dry-run prints what it would write, writes nothing, and says by its exit code whether there is anything', async () => {
  const project = aProject();
  const before = filesOf(project);
  expect(await project.extra('migration:create', '--dry-run')).toMatchObject({ code: 0 });
  addSummary(project);
  const { code, stdout, out } = await project.extra('migration:create', '--dry-run', '--name', 'summaries');
  expect(code).toBe(30);
  expect(stdout).toContain('alter table "articles" add column "summary"');
  expect(out).toMatch(/This is a dry run\. It would write:\n {2}Migration\d+_summaries\.ts/);
  const stock = await project.with({ MIGRATION_DRY_RUN: '1' }).run('migration:create');
  expect([stock.code, stock.out.includes('add column "summary"')]).toEqual([30, true]);
  expect(await project.run('migration:create', '--blank')).toMatchObject({ code: 24 });
  expect(filesOf(project)).toEqual(before);
  expect(await project.with({ MIGRATION_DRY_RUN: '' }).run('migration:create')).toMatchObject({ code: 0 });
  expect(project.migrations()).toHaveLength(5);
});

test('a single transaction applies all pending migrations or none', async () => {
  for (const project of [aProject(), anEmbeddedProject()]) {
    project.remove(`migrations/${INDEX}.ts`);
    project.migration('Migration20260105000000_add_counts', [
      'alter table articles add column n int default 7 not null',
    ]);
    const failing = 'Migration20260106000000_fail';
    project.migration(failing, ['select 1 / (select count(*) from articles where false)']);
    const failed = await project.extra('migration:up', '--single-transaction');
    expect(failed.code).toBe(12);
    expect(failed.out).toContain('which was rolled back: nothing was changed.');
    expect(failed.out).not.toContain('stay applied');
    const pending = JSON.parse((await project.extra('migration:status', '--json')).stdout);
    expect(pending.map(({ state }: { state: string }) => state)).toEqual(Array(5).fill('pending'));
    project.remove(`migrations/${failing}.ts`);
    const applied = await project.extra('migration:up', '--single-transaction');
    expect([applied.code, applied.out]).toEqual([0, expect.stringContaining('Successfully migrated up')]);
    const after = JSON.parse((await project.extra('migration:status', '--json')).stdout);
    expect(after.map(({ state }: { state: string }) => state)).toEqual(Array(4).fill('applied'));
  }
});

test('a single transaction is refused before it starts if a migration runs outside one', async () => {
  const project = aProject().with({ MIGRATION_SINGLE_TRANSACTION: '1' });
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(15);
  expect(out).toContain(`run outside a transaction:\n  ${INDEX}`);
  expect(await project.run('migration:up', '--to', 'invite')).toMatchObject({ code: 0 });
  expect(await project.applied()).toHaveLength(3);
  // The default of executed_at is the start of the transaction.
  const rows = await project.query('select count(distinct executed_at)::int as transactions from mikro_orm_migrations');
  expect(rows).toEqual([{ transactions: 1 }]);
});

test('a command runs after a migration is written, with the paths of the files, and its failure is told', async () => {
  const project = aProject().with({ MIGRATION_AFTER_WRITE: 'sed -i "1s/^/\\/\\/ formatted\\n/"' });
  addSummary(project);
  expect(await project.run('migration:create')).toMatchObject({ code: 0 });
  expect(await project.run('migration:create', '--blank', '--name', 'by hand')).toMatchObject({ code: 0 });
  const written = project.migrations().slice(4);
  expect(written).toHaveLength(2);
  for (const name of written) expect(project.read(`migrations/${name}`)).toMatch(/^\/\/ formatted\nimport /);
  project.with({ MIGRATION_AFTER_WRITE: 'echo "no such formatter"; false' });
  const { code, out } = await project.run('migration:create', '--blank', '--name', 'again');
  expect(code).toBe(52);
  expect(out).toContain('failed with exit code 1:\nno such formatter');
  expect(out).toMatch(/The migration is written\.[^\n]*\n {2}\S*\/migrations\/Migration\d+_again\.ts/);
});

test('the help of a command has its examples', async () => {
  const { code, out } = await aProject().extra('migration:stamp', '--help');
  expect(code).toBe(0);
  expect(out).toMatch(/Examples:\s+npm run migration stamp head/);
});
