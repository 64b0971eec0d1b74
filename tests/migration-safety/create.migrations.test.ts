import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { nameFor, toIdentifier } from '../../src/migration-safety/create/migration-names.ts';
import { aMigratedProject, aProject, onServer, type Project } from './project.ts';

vi.setConfig({ testTimeout: 180_000 });

const change = (project: Project) =>
  project.edit('entities.ts', (text) =>
    text
      .replace(
        'slug: p.string().nullable()',
        'slug: p.string().nullable().unique(),\n    readCount: p.integer().default(0).index(),\n    reviewer: () => p.manyToOne(Author).nullable()',
      )
      .replace('email: p.string()', 'nick: p.string(),\n    email: p.string()'),
  );

test('migration:create writes online DDL, named for what it does, with the same final schema as the stock form, and then finds no difference', async () => {
  const project = change(aProject());
  project.edit('entities.ts', (text) => text.replace('nick: p.string()', "nick: p.string().default('')"));
  await project.run('migration:up');
  expect(await project.run('migration:create')).toMatchObject({ code: 0 });
  expect(
    project
      .migrations()
      .slice(4)
      .map((name) => name.replace(/^Migration\d+_/, '')),
  ).toEqual(
    [
      'add_articles_read_count_and_reviewer_id.ts',
      'add_authors_nick.ts',
      'build_articles_slug_unique.ts',
      'build_articles_read_count_index.ts',
      'validate_articles_reviewer_id_foreign.ts',
    ].sort(
      (a, b) =>
        project.migrations().findIndex((n) => n.endsWith(a)) - project.migrations().findIndex((n) => n.endsWith(b)),
    ),
  );
  const code = project
    .migrations()
    .map((name) => project.read(`migrations/${name}`))
    .join('\n');
  expect(code).toContain('create index concurrently if not exists articles_read_count_index');
  expect(code).toContain('foreign key (reviewer_id) references authors(id) on delete set null not valid');
  expect(code).toContain('unique using index "articles_slug_unique"');
  expect((await project.extra('migration:lint')).out).toContain('No findings.');
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.run('migration:check')).toMatchObject({ code: 0 });
  expect((await project.run('migration:create')).out).toContain('No changes required');
  expect(await project.extra('migration:test')).toMatchObject({ code: 0 });

  const naive = change(aProject()).with({ MIGRATION_NAIVE: '1' });
  naive.edit('entities.ts', (text) => text.replace('nick: p.string()', "nick: p.string().default('')"));
  expect(await naive.run('migration:create', '--name', 'naive')).toMatchObject({ code: 0 });
  expect(naive.migrations()).toHaveLength(5);
  expect(await naive.run('migration:up')).toMatchObject({ code: 0 });
  const schema = async (each: Project) =>
    (await each.dump())
      .split('\n')
      .filter((line) => !/read_count|nick/.test(line))
      .sort();
  expect(await schema(naive)).toEqual(await schema(project));
});

test('a given name is converted for the file and the class', async () => {
  const project = aProject();
  const created = await project.run('migration:create', '--blank', '--name', '../say "why"; §1');
  expect(created).toMatchObject({ code: 0 });
  expect(project.migrations().at(-1)).toMatch(/^Migration\d+_say_why_1\.ts$/);
  expect(await project.extra('migration:lint')).toMatchObject({ code: 0 });
});

test.each([
  ['Über die Straße', 'Über_die_Straße'],
  ['日本語', '日本語'],
  ['../a "b"; $(c)', 'a_b_c'],
])('a name keeps letters of any language: %s', (text, name) => expect(toIdentifier(text)).toBe(name));

test('a required column without a default is refused until its fill has a value for existing rows', async () => {
  const project = aProject();
  project.edit('entities.ts', (text) => text.replace('email: p.string()', 'nick: p.string(),\n    email: p.string()'));
  await project.run('migration:up');
  expect(await project.run('migration:create')).toMatchObject({ code: 0 });
  const stopped = await project.run('migration:up');
  expect(stopped.code).toBe(37);
  expect(stopped.out).toContain('error placeholder-fill');
  expect(stopped.out).toContain('for the existing rows of authors: set nick = …');
  expect(await project.query("select 1 from information_schema.columns where column_name = 'nick'")).toEqual([]);

  const filled = aProject();
  filled.edit('entities.ts', (text) => text.replace('email: p.string()', 'nick: p.string(),\n    email: p.string()'));
  await filled.run('migration:create');
  const fill = filled.migrations().find((name) => name.includes('fill_authors_nick'));
  filled.edit(`migrations/${fill}`, (text) => text.replace(/\/\*.*\*\/ null/, 'lower(name)'));
  expect(await filled.run('migration:up')).toMatchObject({ code: 0 });
  expect(await filled.query('select nick from authors')).toEqual([{ nick: 'editor' }]);
  expect(await filled.run('migration:check')).toMatchObject({ code: 0 });
});

test('a statement of the entities that PostgreSQL cannot read is shown where it is wrong', async () => {
  const project = aProject();
  project.edit('entities.ts', (text) =>
    text.replace('email: p.string()', `nick: p.string().default("it's"),\n    email: p.string()`),
  );
  const refused = await project.run('migration:create');
  expect(refused.code).toBe(51);
  expect(refused.out).toMatch(/The schema that the entities declare is not valid:\n.*default 'it's'.*\n *\| +\^\n/);
});

test('a renamed table and a renamed column keep their rows, and down restores the old names', async () => {
  const project = await aMigratedProject();
  await project.query(`insert into articles (title, body, author_id) select 'Hello', 'World', id from authors`);
  const before = await project.dump();
  project.edit('entities.ts', (text) =>
    text
      .replace("tableName: 'articles'", "tableName: 'posts'")
      .replace('body: p.text()', 'text: p.text()')
      .replace("'articles_title_index'", "'posts_title_index'"),
  );
  expect(
    await project.with({ MIGRATION_RENAMES: 'articles=posts,posts.body=text' }).run('migration:create'),
  ).toMatchObject({ code: 0 });
  const code = project
    .migrations()
    .slice(4)
    .map((name) => project.read(`migrations/${name}`))
    .join('\n');
  expect(code).not.toMatch(/drop (table|column)/);
  const up = await project.run('migration:up');
  expect(up).toMatchObject({ code: 0 });
  expect(await project.query('select title, text from posts')).toEqual([{ title: 'Hello', text: 'World' }]);
  expect((await project.run('migration:create')).out).toContain('No changes required');
  expect(await project.run('migration:down', '--to', 'index_articles_title')).toMatchObject({ code: 0 });
  expect(await project.dump()).toBe(before);
  expect(await project.query('select title, body from articles')).toEqual([{ title: 'Hello', body: 'World' }]);
});

test('renamedFrom in the decorators of an entity declares a rename', async () => {
  const project = await aMigratedProject();
  project
    .write(
      'tsconfig.json',
      '{ "compilerOptions": { "experimentalDecorators": true, "useDefineForClassFields": false } }',
    )
    .write('entities.ts', decorated);
  const created = await project.run('migration:create');
  expect(created).toMatchObject({ code: 0 });
  expect(created.out).toContain('Renamed: table articles is now posts');
  expect(created.out).toContain('Renamed: column posts.slug is now posts.path');
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect((await project.run('migration:create')).out).toContain('No changes required');
  expect(await project.query('select path from posts')).toEqual([]);
});

const decorated = `
import { Entity, Index, ManyToOne, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { renamedFrom } from '${join(import.meta.dirname, '../../src/migration-safety/index.ts')}';

@Entity({ tableName: 'authors' })
export class Author {
  @PrimaryKey({ type: 'integer' }) id!: number;
  @Property({ type: 'string' }) name!: string;
  @Property({ type: 'string' }) @Unique() email!: string;
}

@Entity({ tableName: 'posts', ...renamedFrom('articles') })
export class Article {
  @PrimaryKey({ type: 'integer' }) id!: number;
  @Property({ type: 'string' }) @Index({ name: 'articles_title_index' }) title!: string;
  @Property({ type: 'text' }) body!: string;
  @Property({ type: 'string', nullable: true, ...renamedFrom('slug') }) path?: string;
  @ManyToOne(() => Author) author!: Author;
}

export const entities = [Author, Article];
`;

const renamedSlug = (project: Project) =>
  project.edit('entities.ts', (text) =>
    text.replace('slug: p.string().nullable()', 'path: p.string().nullable(),\n    handle: p.string().nullable()'),
  );

test('at a terminal, an ambiguous rename is resolved by a question', async () => {
  const project = renamedSlug(await aMigratedProject());
  await project.query(`insert into articles (title, body, slug, author_id) select 'A', 'B', 'a', id from authors`);
  const { code, out } = await project.atTerminal('2\n', 'migration:create');
  expect(out).toContain('The column articles.slug is gone.');
  expect(out).toContain('1  renamed to articles.path');
  expect(out).toContain('2  renamed to articles.handle');
  expect(out).toContain('d  dropped, with everything in it');
  expect(code).toBe(0);
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.query('select handle, path from articles')).toEqual([{ handle: 'a', path: null }]);
});

test.each([
  ['an invalid answer', '7\n'],
  ['Ctrl-C', '\x03'],
])('at a terminal, %s writes no file', async (_, typed) => {
  const project = renamedSlug(await aMigratedProject());
  const files = project.migrations();
  const { code, out } = await project.atTerminal(typed, 'migration:create');
  expect(code).toBe(23);
  expect(out).toContain('No file was written.');
  expect(project.migrations()).toEqual(files);
});

test('without a terminal, an ambiguous rename is an error that lists the choices and writes no file', async () => {
  const project = await aMigratedProject();
  const files = project.migrations();
  renamedSlug(project);
  const { code, out } = await project.run('migration:create');
  expect(code).toBe(23);
  expect(out).toContain('MIGRATION_RENAMES=articles.slug=path');
  expect(out).toContain('MIGRATION_RENAMES=articles.slug=handle');
  expect(out).toContain('dropped, its rows gone:      MIGRATION_RENAMES=articles.slug= ');
  expect(project.migrations()).toEqual(files);
  expect(await project.with({ MIGRATION_RENAMES: 'articles.slug=' }).run('migration:create')).toMatchObject({
    code: 0,
  });
});

test.each([
  [['alter table "articles" add column "read_count" int not null default 0'], 'add_articles_read_count'],
  [['create table "tags" (id int)', 'alter table "tags" add constraint x unique (id)'], 'create_tags'],
  [['alter table "a" add column "b" int, add column "c" int'], 'add_a_b_and_c'],
  [['alter table "a" add column "b" int, add column "b_c" int, add column "d" int'], 'add_a_b_b_c_and_d'],
  [['alter table "a" add "b" int, add "c" int, add "d" int, add "e" int'], 'add_a_columns'],
  [['alter table "a" add "b" int, add "c" int', 'alter table "b" add "b" int, add "c" int'], 'add_columns'],
  [['a', 'b', 'c', 'd'].map((name) => `create table ${name} (id int)`), 'create_tables'],
  [['create index concurrently a_b on a (b)', 'create index concurrently a_c on a (c)'], 'build_a_b_and_c'],
  [['create index concurrently i_new on a (b)', 'drop index i', 'alter index i_new rename to i'], 'replace_i'],
  [['create view v as select 1', 'create view w as select 1'], 'create_view_v_and_w'],
  [['drop table "tags"'], 'drop_tags'],
  [['alter table "a" rename to "b"'], 'rename_a_to_b'],
  [['create index concurrently "i" on "a" ("b")'], 'build_i'],
  [['alter table "a" validate constraint "f"'], 'validate_f'],
  [['alter table "größen" add column "Höhe" int'], 'add_größen_höhe'],
  [['select 1'], 'change_schema'],
])('%j is named %s', (sql, name) => expect(nameFor(sql)).toBe(name));

test('the first migration is proved too, and can be reverted', async () => {
  const project = aProject({ history: false });
  await onServer(project.url.replace(/[^/]+$/, 'postgres'), (client) =>
    client.query(`create database "${project.database}"`),
  );
  const created = await project.run('migration:create', '--initial');
  expect(created.out).toMatch(/Migration\d+_initial\.ts successfully created/);
  const [file = ''] = project.migrations();
  expect(project.read(`migrations/${file}`)).toContain('override down()');
  expect(JSON.parse(project.read('migrations/.snapshot.json')).declared).toContain('table authors');
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  project.remove(`migrations/${file}`);
  await project.query('drop table mikro_orm_migrations');
  // The database has the tables already, so it counts as applied.
  expect(await project.run('migration:create', '--initial')).toMatchObject({ code: 0 });
  expect(await project.run('migration:check')).toMatchObject({ code: 0 });
  const again = await project.run('migration:create', '--initial');
  expect(again.out).toContain('some migrations already exist');
  expect(again.code).toBe(51);
});
