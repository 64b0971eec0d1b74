import { type EntitySchema, p } from '@mikro-orm/core';
import { test, vi } from 'vitest';
import { BLOG_ROWS, type BlogChanges, blog, table } from './blog.ts';
import { type Change, holds } from './change.ts';

vi.setConfig({ testTimeout: 240_000 });

const articles = (changes: BlogChanges['articles'] & object) => () => blog({ articles: changes });
const check = (expression: string) => articles({ checks: [{ name: 'articles_check', expression }] });
const unique = (...uniques: object[]) => articles({ uniques });

/** Articles with a reference to another author. */
const withEditor = (rules: { deleteRule?: string; updateRule?: string; deferMode?: string; nullable?: boolean } = {}) =>
  articles((of) => {
    let editor = p.manyToOne(of.Author).nullable();
    if (rules.deleteRule) editor = editor.deleteRule(rules.deleteRule) as typeof editor;
    if (rules.updateRule) editor = editor.updateRule(rules.updateRule) as typeof editor;
    if (rules.deferMode) editor = editor.deferMode(rules.deferMode as 'deferred') as typeof editor;
    return { properties: { editor: () => editor } };
  });
const withPlainEditor = withEditor();
const withCascadingEditor = withEditor({ deleteRule: 'cascade', updateRule: 'cascade' });
const withDeferredEditor = withEditor({ deferMode: 'deferred' });
const EDITED = ['update articles set editor_id = 2 where id = 1'];

const withParent = articles((of) => ({ properties: { parent: () => p.manyToOne(of.Article).nullable() } }));

const CHANGES: Record<string, Change> = {
  'adds a check': { to: check('read_count >= 0') },
  'adds checks with between, case and in': {
    to: articles({
      checks: [
        { name: 'a_range', expression: 'read_count between 0 and 1000000' },
        { name: 'a_case', expression: "case when slug is null then title <> '' else length(slug) > 0 end" },
        { name: 'a_list', expression: "lower(title) not in ('admin', 'root')" },
        { name: 'a_pattern', expression: "slug is null or slug ~ '^[a-z{1,3}]+$'" },
        { name: 'a_date', expression: "published_at > timestamptz '2000-01-01 00:00+00' - interval '1 year'" },
      ],
    }),
  },
  'changes a check': { from: check('read_count >= 0'), to: check("read_count > -1 and title <> ''") },
  'removes a check': { from: check('read_count >= 0'), to: () => blog() },
  'renames a check': {
    from: check('read_count >= 0'),
    to: articles({ checks: [{ name: 'articles_read_count_positive', expression: 'read_count >= 0' }] }),
  },
  'adds a column with a check': {
    to: articles({ properties: { stars: p.integer().nullable().check('stars between 1 and 5') } }),
  },
  'adds a check of two columns, of which one is new': {
    to: articles({
      properties: { reviewedAt: p.datetime().nullable() },
      checks: [{ name: 'reviewed_after', expression: 'reviewed_at is null or reviewed_at >= published_at' }],
    }),
  },
  'adds a reference': {
    to: withPlainEditor,
    afterwards: async (application) => void (await application.query(EDITED[0] as string)),
  },
  'adds a required reference with a default': {
    to: articles((of) => ({ properties: { owner: () => p.manyToOne(of.Author).default(1) } })),
  },
  'removes a reference, not its column': {
    from: withPlainEditor,
    andRows: EDITED,
    to: articles({ properties: { editor: p.integer().fieldName('editor_id').nullable().index() } }),
  },
  'makes a plain column a reference': {
    from: articles({ properties: { editor: p.integer().fieldName('editor_id').nullable() } }),
    andRows: EDITED,
    to: withPlainEditor,
  },
  'makes a reference cascade': { from: withPlainEditor, andRows: EDITED, to: withCascadingEditor },
  'makes a cascading reference a plain one': { from: withCascadingEditor, andRows: EDITED, to: withPlainEditor },
  'requires a reference, which changes its rule': {
    from: withPlainEditor,
    andRows: ['update articles set editor_id = 2'],
    to: articles((of) => ({ properties: { editor: () => p.manyToOne(of.Author) } })),
  },
  'drops required references that are unique, alone and together with another column': {
    from: articles((of) => ({
      properties: { editor: () => p.oneToOne(of.Author), owner: () => p.manyToOne(of.Author) },
      uniques: [{ properties: ['owner', 'readCount'] }],
    })),
    rows: [
      BLOG_ROWS[0] as string,
      "insert into articles (title, body, author_id, editor_id, owner_id) values ('One', '', 1, 2, 2), ('Two', '', 1, 1, 1)",
      "insert into authors (name, email) values ('Cy', 'cy@example.com')",
      "insert into articles (title, body, author_id, editor_id, owner_id) values ('Three', '', 1, 3, 3)",
    ],
    to: () => blog(),
    assures: ['drop-column', 'drop-unique'],
    loses: ['articles.editor_id', 'articles.owner_id'],
  },
  'makes a reference deferrable': { from: withPlainEditor, andRows: EDITED, to: withDeferredEditor },
  'makes a deferrable reference a plain one': { from: withDeferredEditor, andRows: EDITED, to: withPlainEditor },
  'adds a reference to itself': { to: withParent },
  'removes a reference to itself': {
    from: withParent,
    andRows: ['update articles set parent_id = 1 where id = 2'],
    to: () => blog(),
    assures: ['drop-column'],
    loses: ['articles.parent_id'],
  },
  'adds an entity with a reference to itself': {
    to: () => {
      const Topic: EntitySchema = table('Topic', 'topics', {
        properties: { id: p.integer().primary(), parent: () => p.manyToOne(Topic).nullable() },
      });
      return blog({ others: () => [Topic] });
    },
  },
  'adds entities that refer to each other': { to: () => circle() },
  'drops entities that refer to each other': {
    from: () => circle(),
    rows: [
      ...BLOG_ROWS,
      'insert into lefts default values',
      'insert into rights (left_id) values (1)',
      'update lefts set right_id = 1',
    ],
    to: () => blog(),
    assures: ['drop-table', 'drop-column', 'drop-cascade'],
    loses: ['lefts', 'rights'],
  },
  'makes two tables refer to each other': {
    to: () => blog({ authors: (of) => ({ properties: { best: () => p.manyToOne(of.Article).nullable() } }) }),
  },
  'adds a unique column pair': { to: unique({ properties: ['author', 'title'] }) },
  'makes a column unique': { to: articles({ properties: { slug: p.string().nullable().unique() } }) },
  'adds a deferrable unique constraint': {
    to: unique({ name: 'articles_place', properties: ['author', 'title'], deferMode: 'deferred' }),
  },
};

for (const [change, what] of Object.entries(CHANGES)) test(change, () => holds(what));

function circle() {
  const Left: EntitySchema = table('Left', 'lefts', {
    properties: { id: p.integer().primary(), right: () => p.manyToOne(Right).nullable() },
  });
  const Right: EntitySchema = table('Right', 'rights', {
    properties: { id: p.integer().primary(), left: () => p.manyToOne(Left) },
  });
  return blog({ others: () => [Left, Right] });
}
