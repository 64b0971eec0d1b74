import { expect, test, vi } from 'vitest';
import { aMigratedProject, aProject, type Project } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

const slug = 'migrations/Migration20260102000000_add_articles_slug.ts';

/** Each kind of fault: its cause and its report. */
const faults: { kind: string; code: number; says: string; when: (project: Project) => unknown }[] = [
  {
    kind: 'changed',
    code: 30,
    says: 'changed: The entities are ahead of the migrations.',
    when: (project) =>
      project.edit('entities.ts', (text) => text.replace('slug: p', 'readCount: p.integer().default(0),\n    slug: p')),
  },
  {
    kind: 'pending',
    code: 31,
    says: 'pending: 1 migration is not applied to this database.',
    when: (project) => project.migration('Migration20260105000000_one_more', ['select 1']),
  },
  {
    kind: 'edited',
    code: 32,
    says: 'edited: Migration20260102000000_add_articles_slug was edited after it was applied.',
    when: (project) => project.edit(slug, (text) => text.replace('null;', 'null ;select 1;')),
  },
  {
    kind: 'missing',
    code: 33,
    says: 'missing: Migration20260103000000_invite_the_editor was applied, but its file is missing.',
    when: (project) => project.remove('migrations/Migration20260103000000_invite_the_editor.ts'),
  },
  {
    kind: 'out-of-order',
    code: 34,
    says: 'out-of-order: Migration20260102500000_late is older than migrations that are already applied.',
    when: (project) => project.migration('Migration20260102500000_late', ['select 1']),
  },
  {
    kind: 'duplicate',
    code: 35,
    says: 'duplicate: Migration20260102000000_add_articles_slug exists twice.',
    when: (project) =>
      project.write(
        slug.replace('.ts', '.js'),
        project.read(slug).replace('(): void', '()').replace('(): void', '()').replaceAll('override ', ''),
      ),
  },
  {
    kind: 'unknown',
    code: 36,
    says: 'unknown: Migration20260104000000_index_articles_title was applied by a newer version of the code than this one.',
    when: (project) =>
      project
        .remove('migrations/Migration20260104000000_index_articles_title.ts')
        .edit('entities.ts', (text) => text.replace(".index('articles_title_index')", '')),
  },
  {
    kind: 'stale-snapshot',
    code: 38,
    says: 'stale-snapshot: The snapshot does not name what the entities declare',
    when: (project) => project.write('migrations/.snapshot.json', JSON.stringify({ declared: [] })),
  },
  {
    kind: 'drift',
    code: 39,
    says: 'drift: The database is not what its migrations made: 1 difference.\n  table articles, column slug: only history has it',
    when: (project) => project.query('alter table articles drop column slug'),
  },
];

test.each(faults)('$kind exits with $code and a reason', async ({ kind, code, says, when }) => {
  const project = await aMigratedProject();
  await when(project);
  const ended = await project.run('migration:check');
  expect(ended.out).toContain(says);
  expect(ended.code).toBe(code);
  if (kind === 'drift') {
    const report = JSON.parse((await project.extra('migration:check', '--json')).out);
    expect(report).toMatchObject({ ok: false, faults: [{ kind: 'drift', exitCode: 39 }] });
  }
});

test('a change that create cannot write is no fault of the history: check and test name what create would say', async () => {
  const project = (await aMigratedProject()).edit('entities.ts', (text) =>
    text.replace('slug: p', "readCount: p.integer().defaultRaw('no_such_function()'),\n    slug: p"),
  );
  const checked = await project.run('migration:check');
  expect(checked.out).toContain('changed: The entities are ahead of the migrations, and migration:create refuses:');
  expect(checked.out).toContain('function no_such_function() does not exist');
  expect(checked.out).not.toContain('replayed');
  expect(checked.code).toBe(30);
  const tested = await project.extra('migration:test');
  expect(tested.out).toContain('The entities are ahead of the migrations, and migration:create refuses:');
  expect(tested.code).toBe(50);
});

test('a stale snapshot is rewritten by repair and does not mislead migration:create', async () => {
  const project = await aMigratedProject();
  project.edit('entities.ts', (text) => text.replace('slug: p', 'readCount: p.integer().default(0),\n    slug: p'));
  await project.run('migration:create');
  project.remove(`migrations/${project.migrations().at(-1)}`);
  expect(await project.run('migration:create')).toMatchObject({ code: 0 });
  expect(project.migrations().at(-1)).toContain('add_articles_read_count');
  await project.run('migration:up');
  project.edit('migrations/.snapshot.json', (text) => text.replaceAll('read_count', 'reads'));
  expect((await project.run('migration:check')).code).toBe(38);
  expect(await project.extra('migration:repair', '--yes')).toMatchObject({ code: 0 });
  expect(await project.run('migration:check')).toMatchObject({ code: 0 });
});

test.each([
  ['half a file', '{ "tables": ['],
  ['another document', '[]'],
  ['nothing', ''],
])(
  'a snapshot that is %s counts as stale: migration:create refuses, other commands still work, and repair rewrites it',
  async (_, text) => {
    const project = (await aMigratedProject()).write('migrations/.snapshot.json', text);
    const checked = await project.run('migration:check');
    expect(checked.out).toContain('stale-snapshot: The snapshot cannot be read');
    expect(checked.code).toBe(38);
    expect(await project.extra('migration:test')).toMatchObject({ code: 0 });
    expect(await project.run('migration:create')).toMatchObject({ code: 38 });
    expect(await project.extra('migration:repair', '--yes')).toMatchObject({ code: 0 });
    expect(await project.run('migration:check')).toMatchObject({ code: 0 });
  },
);

test('check exits with 0 if everything agrees', async () => {
  const project = await aMigratedProject();
  expect(await project.run('migration:check')).toMatchObject({ code: 0 });
  expect(JSON.parse((await project.extra('migration:check', '--json')).out)).toEqual({
    ok: true,
    faults: [],
    byHand: [],
  });
});

test('check lists what a migration made and no entity declares as made by hand', async () => {
  const project = (await aMigratedProject()).migration(
    'Migration20260105000000_by_hand',
    ['create view titles as select title from articles'],
    ['drop view titles'],
  );
  await project.run('migration:up');
  const ended = await project.extra('migration:check');
  expect(ended.out).toContain('by hand: view titles');
  expect(ended.code).toBe(0);
  expect(JSON.parse((await project.extra('migration:check', '--json')).stdout)).toMatchObject({
    byHand: ['view titles'],
  });
});

test('check --offline needs no server', async () => {
  const project = aProject().with({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nowhere' });
  expect((await project.run('migration:check')).code).toBe(40);
  expect(await project.extra('migration:check', '--offline')).toMatchObject({ code: 0 });
});
