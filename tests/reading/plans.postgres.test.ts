import { Client, escapeLiteral } from 'pg';
import { expect, inject, test } from 'vitest';
import type { Statement } from '../../src/database/batch/statement-pipeline.ts';
import { databaseOn } from '../support/migrated-template.ts';
import { statementsDuring } from '../support/statements.ts';
import { aUser, type Person } from '../support/test-data.ts';
import { executeGraphql } from '../support/test-server.ts';
import { documentFor, execute, type List, lists, readPage } from './lists.ts';

/**
 * Checks PostgreSQL's plans for the statements of every list over 100,000 articles: the custom plan for the given values, and
 * the generic plan, which it uses for a prepared statement after a few executions.
 */
const PAGE = 21; // with the row that shows whether more follow

/** Up to this number of links, the first page of each is sorted. */
const FEW_LINKS = 500;

let client: Client;

test('no list scans a large table, or sorts more than a page', { timeout: 600_000 }, async () => {
  await aUser('ann');
  const bob = await aUser('bob');
  const busy = await aUser('busy');
  await aLargeBlog();
  client = new Client(await databaseOfThisTest());
  await client.connect();
  try {
    for (const list of lists) {
      const { pageInfo } = await readPage(list, bob, 'first: 20');
      const pagings = ['first: 20', 'last: 20', `first: 20, after: "${pageInfo.endCursor}"`, 'first: 20, offset: 40'];
      for (const paging of pagings) await expectToBeCheap(list, paging, bob);
    }
    const listOf = (name: string) => lists.find((list) => list.name === name) as List;
    for (const paging of ['first: 20', 'last: 20']) await expectToBeCheap(listOf('Viewer.feed'), paging, busy);
    for (const tag of ['rare', 'none']) {
      const tagged = listOf('Query.articles tag');
      await expectToBeCheap({ ...tagged, ask: tagged.ask.replace('red', tag) }, 'first: 20', bob);
    }
    const named = listOf('Query.search');
    for (const query of ['u', 'x4321']) {
      for (const paging of ['first: 20', 'last: 20']) {
        await expectToBeCheap(
          { ...named, name: `query for users like ${query}`, ask: `query: "${query}", kinds: [USER]` },
          paging,
          bob,
        );
      }
    }
    const searched = listOf('Query.articles query');
    const wordOfAll = { ...searched, ask: searched.ask.replace('Title', 'd') };
    for (const paging of ['first: 20', 'last: 20', 'first: 20, offset: 40'])
      await expectToBeCheap(wordOfAll, paging, bob);
    for (const name of ['Query.articles tagsAll', 'Viewer.feed']) await expectCountToJoin(listOf(name), busy);
  } finally {
    await client.end();
  }
});

async function databaseOfThisTest() {
  const [{ name } = { name: '' }] = await execute<{ name: string }>('select current_database() as name');
  const template = inject('template');
  if (template.kind === 'embedded') throw new Error('Plans are checked on a PostgreSQL server only: --mode postgres');
  return { connectionString: databaseOn(template.server, name) };
}

async function expectToBeCheap(list: List, paging: string, viewer: Person): Promise<void> {
  const document = documentFor(list, paging).replace('totalCount', '');
  const statement = (await statementsDuring(() => executeGraphql(document, { as: viewer }))).at(-1) as Statement;
  for (const mode of ['force_custom_plan', 'force_generic_plan']) {
    const nodes = nodesOf(await planOf(statement, mode));
    const shown = `${list.name}(${paging}), ${mode}`;
    const scanned = nodes.filter((node) => node['Node Type'] === 'Seq Scan' && node['Actual Loops'] > 0);
    expect.soft(scanned.map((node) => node['Relation Name']).filter(isLarge), shown).toEqual([]);
    const sorted = nodes.filter((node) => /Sort$/.test(node['Node Type'])).map((node) => rowsInto(node));
    const most =
      list.field === 'Viewer.feed' || /favoritedBy|tag|updated|query/i.test(list.name) ? FEW_LINKS * PAGE : PAGE;
    expect.soft(Math.max(0, ...sorted), shown).toBeLessThanOrEqual(most);
    // Whatever the plan node: the number of rows it touches shows whether it reads a page or a table.
    expect.soft(Math.max(...nodes.map(touched)), shown).toBeLessThanOrEqual(FEW_LINKS * PAGE);
  }
}

/** A count reads many rows, but with a join: a lookup for each of 100,000 rows takes ten times as long. */
async function expectCountToJoin(list: List, viewer: Person): Promise<void> {
  const document = documentFor(list, 'first: 1').replace(/nodes .*(?=totalCount)/s, '');
  const statement = (await statementsDuring(() => executeGraphql(document, { as: viewer }))).at(-1) as Statement;
  for (const mode of ['force_custom_plan', 'force_generic_plan']) {
    const loops = nodesOf(await planOf(statement, mode)).map((node) => node['Actual Loops']);
    expect.soft(Math.max(...loops), `the count of ${list.name}, ${mode}`).toBeLessThan(50_000);
  }
}

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Plan[];
}

async function planOf({ text, values }: Statement, mode: string): Promise<Plan> {
  await client.query(`set plan_cache_mode = ${mode}`);
  await client.query(`prepare explained as ${text}`);
  const given = values.length > 0 ? `(${values.map(literal).join()})` : '';
  const { rows } = await client.query(`explain (analyze, timing off, format json) execute explained${given}`);
  await client.query('deallocate explained');
  return rows[0]['QUERY PLAN'][0].Plan;
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return escapeLiteral(`{${value.map((item) => JSON.stringify(item)).join()}}`);
  return escapeLiteral(value instanceof Date ? value.toISOString() : String(value));
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
const rowsInto = ({ Plans = [] }: Plan): number => Math.max(0, ...Plans.map((plan) => plan['Actual Rows']));
const touched = (plan: Plan): number =>
  (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'];
const isLarge = (table: string | undefined) => table !== undefined && table !== 'tags';

/** Bob follows and favourites some of the thousands of authors; busy follows every second one. */
async function aLargeBlog(): Promise<void> {
  await execute(`
    insert into users (username, username_key, email, email_key, password_hash)
      select 'u' || n, 'u' || n, n || '@e', n || '@e', '-' from generate_series(1, 5000) n;
    insert into sessions (user_id, refresh_token_hash, expires_at)
      select id, '-', now() + interval '1 day' from users;
    insert into follows (follower_id, followed_id, created_at)
      select 1, id, now() - id * interval '1 s' from users where id > 1
      union all select id, 1, now() - id * interval '1 s' from users where id > 1
      union all select 2, id, now() - id * interval '1 s' from users where id > 2 and id < 250
      union all select 3, id, now() - id * interval '1 s' from users where id > 3 and id % 2 = 0;
    insert into articles (slug, title, description, body, author_id, published_at, updated_at, favorites_count, comments_count, read_count)
      select 'article-' || n, md5(n::text), 'd', repeat('b', 100), case when n % 20 = 0 then 1 else 1 + n % 5000 end,
        timestamptz '2026-03-01Z' - n * interval '1 min', now() - n % 9777 * interval '1 min', n % 97, n % 89, n % 83
      from generate_series(1, 100000) n;
    insert into tags (name, articles_count) select 'tag' || md5(n::text), n % 50 + 1 from generate_series(1, 2000) n;
    insert into tags (name) values ('red'), ('blue'), ('green'), ('rare'), ('none');
    alter table article_tags disable trigger all;
    insert into article_tags (article_id, tag_id, published_at)
      select articles.id, tags.id, published_at from articles join tags on name = 'red' and articles.id % 2 = 0
        or name = 'blue' and articles.id % 3 = 0 or name = 'green' and articles.id % 5 = 0
        or name = 'rare' and articles.id % 10000 = 0 or tags.id = articles.id % 2000;
    alter table article_tags enable trigger all;
    update tags set articles_count = carried from (select tag_id, count(*) as carried from article_tags group by 1) as links
      where id = tag_id;
    alter table favorites disable trigger all;
    insert into favorites (user_id, article_id, created_at)
      select 2, id, now() - id * interval '1 s' from articles where id % 20 = 0
      union all select 4 + id % 4000, id, now() from articles;
    alter table favorites enable trigger all;
    alter table comments disable trigger all;
    insert into comments (body, article_id, author_id, created_at)
      select 'c', case when n % 2 = 0 then 1 else n end, 2, now() - n * interval '1 s' from generate_series(1, 50000) n;
    alter table comments enable trigger all;
    vacuum analyze users;
    vacuum analyze articles;
    vacuum analyze article_tags;
    vacuum analyze favorites;
    vacuum analyze follows;
    vacuum analyze comments;
    analyze;
  `);
}
