import { describe, expect, test } from 'vitest';
import { Article } from '../../src/articles/article.entity.ts';
import { globalId } from '../../src/graphql/node.ts';
import { Visible, visibilityOf } from '../../src/reading/read-plan.ts';
import { introspectSchema } from '../support/schema.ts';
import { aComment, anArticle, aUser, type Person } from '../support/test-data.ts';
import { deleteAllRows, executeGraphql, orm } from '../support/test-server.ts';
import { EveryPath } from './every-path.ts';

/**
 * Nothing shows a guest or another user that an author has drafts. Every way through the schema answers as it does when the
 * drafts do not exist. It takes a minute, and does not depend on the engine, so it runs on PostgreSQL alone.
 */

const schema = await introspectSchema();
const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {});

// The ids are those of `aBlog`.
const everyPath = new EveryPath(schema, {
  ID: ['Article:3', 'Article:1', 'Comment:2', 'Tag:3', 'User:1'].map((id) => {
    const [type = '', row] = id.split(':');
    return JSON.stringify(globalId(type, Number(row)));
  }),
  String: ['Notes', 'once--public', 'bobs', 'ann', 'bob', 'secret', 'shared'].map((text) => JSON.stringify(text)),
  Int: ['2', '1'],
  Boolean: ['true', 'false'],
  DateTime: ['"2020-01-01T00:00:00.000Z"'],
});

test('no query answers otherwise than without the drafts', { timeout: 300_000 }, async () => {
  const { ann, bob } = await aBlog();
  await addDrafts(ann, bob);
  const queries = everyPath.queries(3, await leadingNowhere(ann));
  const [asGuest, asBob, asAnn] = [
    await answers(queries, null),
    await answers(queries, bob),
    await answers(queries, ann),
  ];
  await deleteDrafts();
  expect(await answers(queries, null)).toEqual(asGuest);
  expect(await answers(queries, bob)).toEqual(asBob);
  // The author sees them in all ways that lead to one article, and in the list of drafts.
  const seen = rootsOf(changes(asAnn, await answers(queries, ann)));
  expect(seen).toEqual(['article', 'node', 'nodes', 'tag', 'viewer']);
});

test('the queries would show drafts if the entity did not say who sees them', { timeout: 300_000 }, async () => {
  const rule = visibilityOf(Article as never);
  const { ann, bob } = await aBlog();
  await addDrafts(ann, bob);
  const queries = everyPath.queries(2);
  Visible<Article>({ listed: () => true, found: () => true })(Article);
  try {
    const asGuest = await answers(queries, null);
    await deleteDrafts();
    const leaks = rootsOf(changes(asGuest, await answers(queries, null)));
    // The lists of a tag do not depend on it alone: the link of a draft and a tag has no date to be listed by.
    expect(leaks).toEqual(['article', 'articles', 'node', 'nodes', 'search', 'user']);
  } finally {
    Visible(rule as never)(Article);
  }
});

describe('no mutation answers otherwise than without the drafts, or changes them', () => {
  test.each(mutations)('%s', { timeout: 300_000 }, async (name) => {
    const documents = everyPath.mutations(name);
    expect(await mutationAnswers(documents, true)).toEqual(await mutationAnswers(documents, false));
  });
});

/** Runs each mutation as bob, on a new blog after one that changed it. */
async function mutationAnswers(documents: readonly string[], hasDrafts: boolean): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  let bob: Person | null = null;
  for (const document of documents) {
    if (!bob) {
      await deleteAllRows();
      const people = await aBlog();
      if (hasDrafts) await addDrafts(people.ann, people.bob);
      bob = people.bob;
    }
    const before = await draftRows();
    const answer = await executeGraphql<Record<string, { errors?: unknown[] }>, object>(document, { as: bob });
    expect(await draftRows(), document).toEqual(before);
    all[document] = JSON.stringify(answer, withoutChance);
    if (Object.values(answer.data ?? {}).some((payload) => payload && !payload.errors?.length)) bob = null;
  }
  expectToBeExecuted(all);
  return all;
}

/** The fields of the root that are null for the author, such as a user with the name of a tag. */
async function leadingNowhere(as: Person): Promise<string[]> {
  const shown = Object.entries(await answers(everyPath.queries(1), as));
  return shown
    .filter(([, answer]) => /^{"data":{"\w+":null}}/.test(answer))
    .map(([query]) => query.slice(2, query.indexOf(') {') + 1));
}

async function answers(queries: readonly string[], as: Person | null): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const query of queries) all[query] = JSON.stringify(await executeGraphql(query, as ? { as } : {}));
  expectToBeExecuted(all);
  return all;
}

/** A document that is refused before it is executed shows nothing: none is invalid, and hardly one costs too much. */
function expectToBeExecuted(all: Record<string, string>): void {
  const refused = Object.entries(all).filter(([, answer]) => /GRAPHQL_|QUERY_TOO_COMPLEX/.test(answer));
  expect(refused.filter(([, answer]) => answer.includes('GRAPHQL_'))).toEqual([]);
  // The arguments of a search do not change what it costs.
  const ways = new Set(refused.map(([query]) => query.replace(/^\{ search\(.*?\)/, '{ search')));
  expect(ways.size).toBeLessThan(Object.keys(all).length / 100);
}

const changes = (one: Record<string, string>, other: Record<string, string>) =>
  Object.keys(one).filter((query) => one[query] !== other[query]);

const rootsOf = (queries: readonly string[]) => [...new Set(queries.map((query) => query.split(/\W+/)[1]))].toSorted();

/** Ann and bob have published, and follow, comment on and favourite each other. */
async function aBlog() {
  const [ann, bob] = [await aUser('ann'), await aUser('bob')];
  const anns = await anArticle({ by: ann, title: 'Anns', tagList: ['shared'] });
  const bobs = await anArticle({ by: bob, title: 'Bobs', tagList: ['shared', 'red'] });
  await aComment({ on: bobs, by: ann });
  await execute('insert into follows (follower_id, followed_id) values (1, 2), (2, 1)');
  await execute(`insert into favorites (user_id, article_id) values (1, ${bobs.id}), (2, ${anns.id})`);
  return { ann, bob };
}

/** A draft that was public, and was commented on and favourited, and one that never was. */
async function addDrafts(ann: Person, bob: Person): Promise<void> {
  const plans = await anArticle({ by: ann, title: 'Plans', tagList: ['secret', 'shared'] });
  const notes = await anArticle({ by: ann, title: 'Notes', tagList: ['secret'] });
  await aComment({ on: plans, by: bob });
  await execute(`insert into favorites (user_id, article_id) values (1, ${plans.id}), (2, ${plans.id})`);
  // No title has this slug: it is known from when the article was public, and titles of others avoid it.
  await execute(`update articles set status = 'DRAFT', slug = 'once--public' where id = ${plans.id}`);
  await execute(
    `update articles set status = 'DRAFT', slug = 'notes-0123456789', published_at = null where id = ${notes.id}`,
  );
  await execute(`delete from article_slugs where slug in ('plans', 'notes')`);
}

async function deleteDrafts(): Promise<void> {
  await execute(`delete from articles where status = 'DRAFT'`);
  await execute('delete from tags where id not in (select tag_id from article_tags)');
}

const draftRows = () => execute(`select * from articles where status = 'DRAFT' and author_id = 1 order by id`);

const execute = (sql: string): Promise<unknown[]> => orm.em.fork().execute(sql);

/** Ids, dates and random texts differ between two runs. */
const withoutChance = (key: string, value: unknown) =>
  /^(id|databaseId|deletedId|.*At|.*[tT]oken|.*[cC]ursor)$/.test(key)
    ? typeof value
    : typeof value === 'string'
      ? value.replace(/-[\da-f]{10}$/, '-random')
      : value;
