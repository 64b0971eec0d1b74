import { readFileSync } from 'node:fs';
import { issueToken } from '../../../src/auth/token.ts';
import { RENDERER_VERSION } from '../../../src/markdown/render.ts';
import { on, SECRET_KEY, seeded } from './database.ts';
import { type GrowthSubjects, RARE } from './growth-lists.ts';

/** A seeded blog, which gets a rare word and PostGraphile's search, and whose texts count as rendered, and then is only read; `signOut` deletes its readers' sessions. */
export class GrowthDatabase {
  private constructor(
    readonly url: string,
    readonly version: string,
  ) {}

  static async make(articles: number): Promise<GrowthDatabase> {
    const url = await seeded(articles);
    await on(url, readFileSync(`${import.meta.dirname}/peers/postgraphile-search.sql`, 'utf8'));
    await markRendered(url);
    await addRareWord(url);
    const { rows } = await on(url, `select split_part(version(), ' ', 2) as version`);
    return new GrowthDatabase(url, rows[0].version);
  }

  async subjects(): Promise<Omit<GrowthSubjects, 'page999'>> {
    const { rows } = await on(
      this.url,
      `with authors as (
         select username from users join articles on author_id = users.id
         group by users.id order by count(*) desc, users.id offset 10 limit 10
       ),
       fans as (
         select user_id, count(*) as favorites, avg(count(*)) over () as average from favorites group by user_id
       ),
       followers as (
         select follower_id as id, count(*) as follows, avg(count(*)) over () as average from follows group by 1
       ),
       opened as (
         insert into sessions (user_id, refresh_token_hash, expires_at)
         select id, '${MARK}', now() + interval '1 day' from followers order by abs(follows - average), id limit 10
         returning user_id, id
       ),
       used as (select name, articles_count as count from tags where articles_count > 0)
       select array(select username from authors) as authors,
         array(
           select username from fans join users on id = user_id order by abs(favorites - average), id limit 10
         ) as fans,
         array(select distinct left(name, 2) as prefix from used order by prefix limit 10) as prefixes,
         (select name from used order by count desc, name limit 1) as "mostUsedTag",
         (select name from used order by count, name limit 1) as "leastUsedTag",
         (select json_agg(opened) from opened) as sessions`,
    );
    const [{ sessions, ...subjects }] = rows;
    const issuedAt = Math.floor(Date.now() / 1000);
    const tokens = sessions.map(
      ({ user_id, id }: { user_id: number; id: string }) =>
        issueToken({ userId: user_id, sessionId: id, generation: 1, issuedAt }, SECRET_KEY, 86_400).token,
    );
    return { ...subjects, tokens };
  }

  async signOut(): Promise<void> {
    await on(this.url, 'delete from sessions where refresh_token_hash = $1', [MARK]);
  }
}

/** As on a blog that has been served for hours. Otherwise the server would render the seeded texts beside the measurement. */
async function markRendered(url: string): Promise<void> {
  const isStale = `renderer_version < ${RENDERER_VERSION}`;
  for (const table of ['articles', 'comments']) {
    const { rowCount } = await on(url, `select from ${table} where ${isStale} limit 1`);
    if (!rowCount) continue;
    say(`Marking the ${table} as rendered.`);
    await on(
      url,
      `set session_replication_role = replica; update ${table} set renderer_version = ${RENDERER_VERSION} where ${isStale}`,
    );
    await on(url, `vacuum analyze ${table}`);
  }
}

/** Once, to twenty articles. */
async function addRareWord(url: string): Promise<void> {
  const { rowCount } = await on(url, `select from articles where description like '% ${RARE}' limit 1`);
  if (rowCount) return;
  await on(
    url,
    `update articles set description = description || ' ${RARE}'
     where id in (select id from articles where status = 'PUBLISHED' order by md5(id::text) limit 20)`,
  );
  await on(url, 'vacuum analyze articles');
}

const say = (line: string) => process.stderr.write(`${line}\n`);

const MARK = 'the growth bench';
