import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineEntity, p } from '@mikro-orm/core';
import { expect, test, vi } from 'vitest';
import { type Application, anApplication, type Model } from './in-process.ts';
import { aProject } from './project.ts';

vi.setConfig({ testTimeout: 240_000 });

const GREET = 'Migration20260105000000_greet_the_authors';

/** Adds a migration with this code. Its entities are named, since those of a test are made anew for each version. */
function addCode(application: Application, name: string, up: string, members = ''): void {
  writeFileSync(
    join(application.migrations, `${name}.ts`),
    `import { Migration } from '@mikro-orm/migrations';

export class ${name} extends Migration {
${members}
  override async up(): Promise<void> {
    ${up}
  }
}
`,
  );
}

const addSql = (application: Application, name: string, ...statements: string[]) =>
  addCode(application, name, statements.map((sql) => `this.addSql(${JSON.stringify(sql)});`).join('\n    '), SAFE);

const SAFE = `  safeBecause = { ${['change-type', 'set-not-null', 'drop-column', 'rename-table', 'rename-column'].map((code) => `'${code}': 'The application is stopped while this runs.'`).join(', ')} };`;

const BLOG = [
  'create table authors (id serial primary key, name varchar(255) not null, email varchar(255) not null unique)',
  `create table articles (id serial primary key, title varchar(255) not null, body text not null, slug varchar(255),
    author_id int not null constraint articles_author_id_foreign references authors)`,
  `insert into authors (name, email) values ('Editor', 'editor@example.com')`,
];

/** A blog with an editor. */
async function aBlog(): Promise<Application> {
  const application = await anApplication();
  addSql(application, 'Migration20260101000000_create_blog', ...BLOG);
  return application;
}

/** Authors gained columns, one of them set by the class, and have another name and table; articles lost a column. */
const laterBlog: Model = () => {
  const AuthorSchema = defineEntity({
    name: 'Author',
    tableName: 'writers',
    properties: {
      id: p.integer().primary(),
      displayName: p.string(),
      email: p.string().unique('authors_email_key'),
      joinedAt: p.datetime().defaultRaw('now()'),
      nickname: p.string().default('none'),
      editor: () => p.manyToOne(Author).nullable(),
      articles: () => p.oneToMany(Article).mappedBy('author'),
    },
  });
  class Author extends AuthorSchema.class {
    override nickname = 'new';
  }
  AuthorSchema.setClass(Author);
  const Article = defineEntity({
    name: 'Article',
    tableName: 'articles',
    properties: {
      id: p.integer().primary(),
      title: p.string(),
      body: p.text(),
      author: () => p.manyToOne(Author),
      tags: () => p.manyToMany(Tag),
    },
  });
  const Tag = defineEntity({ name: 'Tag', properties: { id: p.integer().primary(), name: p.string() } });
  return [Author, Article, Tag];
};

test('a migration with entities is replayed after they gained, lost and renamed columns and tables', async () => {
  const blog = await aBlog();
  addCode(
    blog,
    GREET,
    `const em = this.getEntityManager();
    const [editor] = await em.find('Author', { name: 'Editor' });
    editor.email = 'greeted@example.com';
    const guest = em.create('Author', { name: 'Guest', email: 'guest@example.com' });
    em.create('Article', { title: 'Hello', body: 'World', slug: 'hello', author: guest });
    await em.flush();
    const [article] = await em.find('Article', { author: { name: 'Guest' } }, { populate: ['author'] });
    article.body = 'Written by ' + article.author.name;
    await em.flush();`,
  );
  const renames = 'authors=writers,writers.name=display_name,articles.slug=';
  await blog.become(laterBlog, { renames });
  await blog.assure(await blog.create(), ['drop-column', 'rename-table', 'rename-column']);
  expect(await blog.create()).toEqual([]);
  expect(await blog.roundTripFaults()).toEqual([]);
  // A fresh clone: all of history on an empty database.
  await blog.up();
  expect(await blog.faults()).toEqual([]);
  expect(
    await blog.query(
      'select display_name, email, nickname, body from writers w left join articles a on a.author_id = w.id order by w.id',
    ),
  ).toEqual([
    { display_name: 'Editor', email: 'greeted@example.com', nickname: 'none', body: null },
    { display_name: 'Guest', email: 'guest@example.com', nickname: 'none', body: 'Written by Guest' },
  ]);
  expect(blog.logged.join()).toContain('Author.nickname is not written: its column comes later in history.');
});

const Author = defineEntity({
  name: 'Author',
  tableName: 'authors',
  properties: { id: p.integer().primary(), name: p.string(), email: p.string(), motto: p.string().nullable() },
});

test('what a migration writes into a column that comes later is refused, and the message says what to write', async () => {
  const blog = await (await aBlog()).become(() => [Author]);
  addCode(
    blog,
    GREET,
    `const em = this.getEntityManager();
    const [editor] = await em.find('Author', {});
    editor.motto = 'Hello';
    await em.flush();`,
  );
  addSql(blog, 'Migration20260106000000_later', 'alter table authors add column motto varchar(255) null');
  const failed = await blog.up().catch((error: Error) => error.message);
  expect(failed).toContain(`${GREET} (up) failed: column "motto" of relation "authors" does not exist (42703)`);
  expect(failed).toContain("write the statement in SQL: await this.execute('…'), or this.addSql('…').");
});

test('a migration sees what it has just changed in a table itself', async () => {
  const blog = await (await aBlog()).become(() => [Author]);
  addCode(
    blog,
    GREET,
    `await this.getEntityManager().find('Author', {});
    await this.execute('alter table authors add column motto varchar(255) null');
    const em = this.getEntityManager();
    for (const author of await em.find('Author', {})) author.motto = author.name + '!';
    await em.flush();`,
  );
  await blog.up();
  expect(await blog.query('select motto from authors')).toEqual([{ motto: 'Editor!' }]);
});

test('types, required values and relations are those of then, also outside a transaction', async () => {
  const blog = await (await aBlog()).become(() => [
    defineEntity({
      name: 'Author',
      tableName: 'authors',
      properties: { id: p.integer().primary(), name: p.array().columnType('text[]'), email: p.string() },
    }),
    defineEntity({
      name: 'Article',
      tableName: 'articles',
      properties: { id: p.integer().primary(), title: p.string(), body: p.text(), slug: p.string() },
    }),
  ]);
  addCode(
    blog,
    GREET,
    `const em = this.getEntityManager();
    const guest = em.create('Author', { name: 'Guest', email: 'guest@example.com' });
    em.create('Article', { title: 'Hello', body: 'World', author: guest });
    await em.transactional(async () => em.flush());`,
    '  override isTransactional(): boolean {\n    return false;\n  }\n',
  );
  addSql(
    blog,
    'Migration20260106000000_later',
    'alter table authors alter column name type text[] using array[name]',
    `update articles set slug = 'none' where slug is null`,
    'alter table articles alter column slug set not null',
    'alter table articles drop column author_id',
  );
  // Its shadow database has one connection.
  expect((await blog.roundTripFaults()).join()).not.toContain(GREET);
  await blog.up();
  expect(await blog.query('select name from authors order by id')).toEqual([{ name: ['Editor'] }, { name: ['Guest'] }]);
  expect(await blog.query('select slug from articles')).toEqual([{ slug: 'none' }]);
});

const importing = (name: string) => `import { Migration } from '@mikro-orm/migrations';
import { ${name} } from '../entities.ts';

export class ${GREET} extends Migration {
  override async up(): Promise<void> {
    const em = this.getEntityManager();
    em.create(${name}, { name: 'Guest', email: 'guest@example.com' });
    await em.flush();
  }
}
`;

test('a server that starts behind a pooler applies a migration with entities', async () => {
  const project = aProject().write(`migrations/${GREET}.ts`, importing('Author'));
  project.with({
    MIGRATE_ON_START: 'up',
    MIGRATION_DATABASE_URL: project.url,
    DATABASE_URL: `${project.url}?x=pooler`,
  });
  const started = await project.start(['--import', '@oxc-node/core/register', 'server.ts']);
  expect(started.out).toContain('applied 5\nready');
  expect(await project.query('select name from authors order by id')).toEqual([{ name: 'Editor' }, { name: 'Guest' }]);
});

test('a migration whose entity is gone is named, and the message says what to write', async () => {
  const project = aProject().write(`migrations/${GREET}.ts`, importing('Visitor'));
  const ended = await project.run('migration:up');
  expect(ended.out).toContain(`${GREET} cannot be read`);
  expect(ended.out).toContain('If it uses an entity that is gone, write its statements in SQL');
  expect(ended.code).toBe(16);
});
