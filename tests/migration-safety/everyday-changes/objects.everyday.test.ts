import { p, Routine } from '@mikro-orm/core';
import { expect, test, vi } from 'vitest';
import { BLOG_ROWS, type BlogChanges, blog, type TableChanges, table } from './blog.ts';
import { type Change, holds, isRefused, type Refusal } from './change.ts';

vi.setConfig({ testTimeout: 240_000 });

const view = (expression: string, properties: Record<string, unknown> = {}, changes: TableChanges = {}) =>
  table('Headline', 'headlines', {
    view: true,
    expression,
    ...changes,
    properties: { id: p.integer().primary(), title: p.text(), ...properties },
  });
const withView =
  (expression: string, changes: BlogChanges = {}, properties = {}, options = {}) =>
  () =>
    blog({ ...changes, others: () => [view(expression, properties, options)] });
const plainView = withView('select id, title from articles');
const materialized = { view: { materialized: true } };
const materializedView = withView('select id, title from articles', {}, {}, materialized);

const twoViews = (properties: Record<string, unknown>, where: string) => {
  const both = (name: string, options: object) =>
    table(name, `${name.toLowerCase()}s`, {
      expression: `select id, title from articles where ${where}`,
      ...options,
      properties: { id: p.integer().primary(), title: p.text() },
    });
  return blog({
    articles: { properties },
    others: () => [both('Headline', { view: true }), both('Teaser', materialized)],
  });
};

const trigger = (body: string, changes: object = {}) => ({
  name: 'articles_stamp',
  timing: 'before',
  events: ['insert', 'update'],
  body,
  ...changes,
});
const withTrigger =
  (body: string, properties = {}, changes = {}) =>
  () =>
    blog({ articles: { properties, triggers: [trigger(body, changes)] } });
const plainTrigger = withTrigger('new.title = trim(new.title); return new;');

const policy = (using: string, changes = {}) => ({ name: 'own', command: 'select', using, ...changes });
const withPolicy =
  (using: string, changes = {}, properties = {}) =>
  () =>
    blog({ articles: { properties, policies: [policy(using, changes)] } });
const plainPolicy = withPolicy("slug <> ''");

const routine = (body: string, changes = {}) =>
  new Routine({
    name: 'headline',
    type: 'function',
    params: { title: { type: 'text' } },
    returns: { runtimeType: 'string', columnType: 'text' },
    body,
    ...changes,
  } as never);
const withRoutine =
  (body: string, changes = {}) =>
  () => [...blog(), routine(body, changes)];
const plainRoutine = withRoutine('return upper(title);', { language: 'plpgsql' });

const comments =
  (changes: TableChanges = {}) =>
  () =>
    blog({
      others: ({ Article, Author }) => [
        table('Comment', 'comments', {
          ...changes,
          properties: {
            id: p.integer().primary(),
            body: p.text(),
            article: () => p.manyToOne(Article),
            author: () => p.manyToOne(Author).nullable(),
          },
        }),
      ],
    });
const withComments = comments();
const COMMENTS = [
  ...BLOG_ROWS,
  "insert into comments (body, article_id, author_id) values ('Good', 1, 2), ('Bad', 1, null)",
];

const tags = () => {
  const Tag = table('Tag', 'tags', { properties: { id: p.integer().primary(), name: p.string().unique() } });
  return blog({
    articles: { properties: { tags: () => p.manyToMany(Tag).pivotTable('articles_tags') } },
    others: () => [Tag],
  });
};

const CHANGES: Record<string, Change> = {
  'adds an entity with references': { to: withComments },
  'drops an entity with references': {
    from: withComments,
    rows: COMMENTS,
    to: () => blog(),
    assures: ['drop-table'],
    loses: ['comments'],
  },
  'drops an entity that others refer to': {
    from: withComments,
    rows: COMMENTS,
    to: () =>
      blog({
        articles: null,
        others: ({ Author }) => [
          table('Comment', 'comments', {
            properties: { id: p.integer().primary(), body: p.text(), author: () => p.manyToOne(Author).nullable() },
          }),
        ],
      }),
    // Its down adds a required reference again.
    andRows: ['delete from comments'],
    assures: ['drop-table', 'drop-column', 'drop-cascade'],
    loses: ['articles', 'comments.article_id'],
  },
  'adds tags with a join table': { to: tags },
  'drops tags with their join table': {
    from: tags,
    rows: [
      ...BLOG_ROWS,
      "insert into tags (name) values ('a'), ('b')",
      'insert into articles_tags values (1, 1), (1, 2)',
    ],
    to: () => blog(),
    assures: ['drop-table'],
    loses: ['tags', 'articles_tags'],
  },
  'adds an entity in a schema of its own': { to: comments({ schema: 'talk' }) },
  'drops the last entity of a schema': {
    from: comments({ schema: 'talk' }),
    to: () => blog(),
    assures: ['drop-table', 'drop-schema'],
  },
  'adds a view': { to: plainView },
  'adds a view that reads a new column': {
    to: withView('select id, title from articles where language is not null', {
      articles: { properties: { language: p.string().nullable() } },
    }),
  },
  'changes what a view and a materialized view read, and the type of a column of both': {
    from: () => twoViews({ title: p.string().length(50) }, 'read_count > 0'),
    to: () => twoViews({ title: p.text(), stars: p.integer().default(0) }, 'read_count between 0 and 9 and stars >= 0'),
    assures: ['change-type', 'drop-view'],
    loses: ['articles.stars'],
  },
  'drops a view': { from: plainView, to: () => blog(), assures: ['drop-view'] },
  'adds a materialized view': { to: materializedView },
  'adds a trigger': { to: plainTrigger },
  'adds a trigger that reads a new column': {
    to: withTrigger('new.edits = new.edits + 1; return new;', { edits: p.integer().default(0) }),
    afterwards: async (application) => {
      await application.query("update articles set body = body || '' where id = 1");
      expect(await application.query('select edits from articles where id = 1')).toEqual([{ edits: 1 }]);
    },
    loses: ['articles.edits'],
  },
  'makes a trigger read a new column': {
    from: plainTrigger,
    to: withTrigger('new.edits = new.edits + 1; return new;', { edits: p.integer().default(0) }),
  },
  'changes the body of a trigger': { from: plainTrigger, to: withTrigger('new.title = upper(new.title); return new;') },
  'changes the events of a trigger': {
    from: plainTrigger,
    to: withTrigger(
      'new.title = trim(new.title); return new;',
      {},
      { events: ['update'], when: 'old.title is distinct from new.title' },
    ),
  },
  'changes the type of a column that a trigger assigns': {
    from: withTrigger('new.read_count = new.read_count + 1; return new;'),
    to: withTrigger('new.read_count = new.read_count + 1; return new;', { readCount: p.bigint().default(0) }),
    assures: ['change-type'],
  },
  'drops a trigger': { from: plainTrigger, to: () => blog() },
  'drops a trigger with the column that it changes': {
    from: withTrigger("new.slug = coalesce(new.slug, 'none'); return new;"),
    to: () => blog({ articles: { properties: { slug: null } } }),
    assures: ['drop-column'],
    loses: ['articles.slug'],
  },
  'adds a policy': { to: plainPolicy },
  'adds a policy that reads a new column': { to: withPolicy('is_public', {}, { isPublic: p.boolean().default(true) }) },
  'changes a policy': {
    from: plainPolicy,
    to: withPolicy('read_count > 0 or slug is null', { command: 'all', check: 'read_count >= 0' }),
    assures: ['drop-policy'],
  },
  'drops a policy': { from: plainPolicy, to: () => blog(), assures: ['drop-policy', 'disable-row-security'] },
  'adds a routine': { to: plainRoutine },
  'changes a routine': { from: plainRoutine, to: withRoutine('return lower(title);', { language: 'plpgsql' }) },
  'drops a routine': { from: plainRoutine, to: () => blog() },
};

for (const [change, what] of Object.entries(CHANGES)) test(change, () => holds(what));

const REFUSALS: Record<string, Refusal> = {
  'an entity that moves to another schema, until it is said': {
    from: withComments,
    rows: COMMENTS,
    to: comments({ schema: 'talk' }),
    by: 'migration:create',
    message: /comments[\s\S]*talk\.comments/,
  },
  'the drop of a table with rows without a reason': {
    from: withComments,
    rows: COMMENTS,
    to: () => blog(),
    by: 'migration:up',
    message: /comments[\s\S]*2 rows/,
  },
};

for (const [change, what] of Object.entries(REFUSALS)) test(`refuses ${change}`, () => isRefused(what));
