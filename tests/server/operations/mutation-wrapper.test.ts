import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { FavoriteArticleDocument } from '../../../schema/generated/graphql.ts';
import { Favorite } from '../../../src/articles/favorite.entity.ts';
import { anArticle, aUser, type Person } from '../../support/test-data.ts';
import { executeGraphql, orm } from '../../support/test-server.ts';

let ann: Person;
let article: { slug: string };
beforeEach(async () => {
  ann = await aUser('ann');
  article = { slug: (await anArticle()).slug };
});

const favorite = () => executeGraphql(FavoriteArticleDocument, { as: ann, input: { article } });
const favorites = () => orm.em.fork().count(Favorite);

test.each([
  ['deadlock', '40P01'],
  ['serialization failure', '40001'],
])('a mutation is tried again after a %s, up to four times', async (_, code) => {
  const attempts = await failFirst(3, code);
  expect(await favorite()).toSucceed();
  expect(await attempts()).toBe(4);
  expect(await favorites()).toBe(1);
});

test('a mutation whose fourth attempt fails too is SERVICE_UNAVAILABLE, and has written nothing', async () => {
  const attempts = await failFirst(4, '40001');
  const response = await favorite();
  expect(response).toFailWith('SERVICE_UNAVAILABLE');
  expect(response.errors?.[0]?.extensions.retryable).toBe(true);
  expect(await attempts()).toBe(4);
  expect(await favorites()).toBe(0);
});

test.each([
  ['a full disk', '53100', 'SERVICE_UNAVAILABLE'],
  ['a lost connection', '08006', 'SERVICE_UNAVAILABLE'],
  ['a standby', '25006', 'SERVICE_UNAVAILABLE'],
  ['a violated check', '23514', 'INTERNAL_SERVER_ERROR'],
])('a mutation that fails because of %s is tried once', async (_, code, shown) => {
  const attempts = await failFirst(1, code);
  expect(await favorite()).toFailWith(shown);
  expect(await attempts()).toBe(1);
  expect(await favorites()).toBe(0);
});

/** Fails the first statements that mark a favourite. Counts in a sequence, which no rollback resets. */
async function failFirst(count: number, code: string): Promise<() => Promise<number | undefined>> {
  const em = orm.em.fork();
  await em.execute(`
    create sequence attempts;
    create function fail_first() returns trigger language plpgsql as $$ begin
      if nextval('attempts') <= ${count} then raise exception 'made to fail' using errcode = '${code}'; end if;
      return new;
    end $$;
    create trigger fail_first before insert on favorites for each row execute function fail_first()`);
  onTestFinished(async () => {
    await em.execute('drop trigger fail_first on favorites; drop function fail_first; drop sequence attempts');
  });
  return async () => (await em.execute<{ n: number }[]>('select last_value::int as n from attempts'))[0]?.n;
}
