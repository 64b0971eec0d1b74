import { expect, test } from 'vitest';
import {
  AddCommentDocument,
  CreateArticleDocument,
  DeleteArticleDocument,
  FavoriteArticleDocument,
  UnfavoriteArticleDocument,
  UpdateArticleDocument,
} from '../../schema/generated/graphql.ts';
import { globalId } from '../../src/graphql/node.ts';
import { WRONG_COUNTERS } from '../support/counters.ts';
import { errorsOf } from '../support/matchers.ts';
import { aUser } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

/** A long run: INTERLEAVINGS=10000 npx vitest run --mode postgres tests/articles/counters.postgres.test.ts */
const CHANGES = Number(process.env.INTERLEAVINGS || 600);
const WRITERS = 8;

test('counters equal the rows after writers at once publish, take back, tag, favourite, comment and delete', {
  timeout: 3_600_000,
}, async () => {
  const [ann, bob] = [await aUser('ann'), await aUser('bob')];
  const ids: number[] = [];
  const results: Record<string, number> = {};
  const anyId = () => ({ article: { id: globalId('Article', ids[below(ids.length)] ?? 1) } });
  const tags = () => ['a', 'b', 'c', 'd', 'e'].filter(() => below(2) === 0).toSorted(() => below(3) - 1);
  const status = () => (below(2) === 0 ? ('DRAFT' as const) : ('PUBLISHED' as const));

  const changes = {
    create: async () => {
      const input = { title: 'Same', description: 'd', body: 'b', tagList: tags(), status: status() };
      const response = await executeGraphql(CreateArticleDocument, { as: ann, input });
      const [row] = await orm.em.fork().execute<{ id: number }[]>('select max(id) as id from articles');
      if (row) ids.push(row.id);
      return response;
    },
    publish: () =>
      executeGraphql(UpdateArticleDocument, { as: ann, input: { ...anyId(), status: 'PUBLISHED' as const } }),
    'take back': () =>
      executeGraphql(UpdateArticleDocument, { as: ann, input: { ...anyId(), status: 'DRAFT' as const } }),
    tag: () => executeGraphql(UpdateArticleDocument, { as: ann, input: { ...anyId(), tagList: tags() } }),
    'tag and set': () =>
      executeGraphql(UpdateArticleDocument, { as: ann, input: { ...anyId(), tagList: tags(), status: status() } }),
    favorite: () => executeGraphql(FavoriteArticleDocument, { as: below(2) ? ann : bob, input: anyId() }),
    unfavorite: () => executeGraphql(UnfavoriteArticleDocument, { as: below(2) ? ann : bob, input: anyId() }),
    comment: () => executeGraphql(AddCommentDocument, { as: bob, input: { ...anyId(), body: 'c' } }),
    delete: () => executeGraphql(DeleteArticleDocument, { as: ann, input: anyId() }),
  };
  const names = Object.keys(changes) as (keyof typeof changes)[];
  for (let article = 0; article < 5; article += 1) await changes.create();

  const write = async () => {
    for (let change = 0; change < CHANGES / WRITERS; change += 1) {
      const name = names[below(names.length)] ?? 'create';
      const [error = 'done'] = errorsOf(await changes[name]());
      results[`${name}: ${error}`] = (results[`${name}: ${error}`] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));

  // Only what is gone, before the change or before its answer, or a draft of ann that bob reaches for, is refused.
  const outcomes = new Set(Object.keys(results).map((result) => result.split(': ')[1]));
  outcomes.delete('NOT_FOUND');
  expect([...outcomes].toSorted(), JSON.stringify(results)).toEqual(['NOT_FOUND input article', 'done']);
  for (const name of names) expect(results[`${name}: done`], name).toBeGreaterThan(0);
  expect(await orm.em.fork().execute(WRONG_COUNTERS)).toEqual([]);
});

const below = (limit: number) => Math.floor(Math.random() * limit);
