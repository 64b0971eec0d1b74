import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { issueToken } from '../../../src/auth/token.ts';
import { parentOf } from './cpu-time.ts';
import type { Subjects, Workload } from './workloads.ts';

export const SECRET_KEY = 'nothing but the bench is signed with this key';

/** A copy of the seeded blog, with what every server needs. */
export class BenchDatabase {
  private constructor(
    readonly url: string,
    readonly version: string,
    private readonly server: string,
  ) {}

  static async make(articles: number): Promise<BenchDatabase> {
    const server = databaseServer();
    const template = new URL(await seeded(articles)).pathname.slice(1);
    const copy = `${template}_run_${process.pid}`;
    await on(server, `create database ${copy} template ${template}`);
    const url = named(server, copy);
    await on(url, readFileSync(`${import.meta.dirname}/peers/postgraphile.sql`, 'utf8'));
    await on(url, 'vacuum analyze');
    // For every server alike. PostgreSQL's defaults assume long queries and a rotating disk.
    await on(server, `alter database ${copy} set jit = off`);
    await on(server, `alter database ${copy} set max_parallel_workers_per_gather = 0`);
    await on(server, `alter database ${copy} set random_page_cost = 1.1`);
    const { rows } = await on(url, `select split_part(version(), ' ', 2) as version`);
    return new BenchDatabase(url, rows[0].version, server);
  }

  async subjects(): Promise<Subjects> {
    const { rows } = await on(
      this.url,
      `with readers as (
         select follower_id as id from follows group by 1 having count(*) >= 5 order by md5(follower_id::text) limit 47
       ),
       opened as (
         insert into sessions (user_id, refresh_token_hash, expires_at)
         select id, 'none', now() + interval '1 day' from readers returning user_id, id
       )
       select (select json_agg(opened) from opened) as sessions,
         array(select slug from articles where comments_count >= 20 order by md5(slug) limit 50) as discussed,
         array(
           select username from users
           where (select count(*) from articles where author_id = users.id) >= 10
             and (select count(*) from favorites where user_id = users.id) >= 10
           order by md5(username) limit 50
         ) as usernames,
         array(
           select slug from articles
           where not exists (select from favorites where article_id = articles.id and user_id in (select id from readers))
           order by md5(slug) limit 4999
         ) as unmarked,
         array(select name from tags where articles_count > 0 order by name) as tags`,
    );
    const [{ sessions, ...subjects }] = rows;
    const issuedAt = Math.floor(Date.now() / 1000);
    const viewers = sessions.map(({ user_id, id }: { user_id: number; id: string }) => ({
      id: user_id,
      token: issueToken({ userId: user_id, sessionId: id, generation: 1, issuedAt }, SECRET_KEY, 600).token,
    }));
    return { ...subjects, viewers };
  }

  async rowsOf(table: NonNullable<Workload['writes']>): Promise<number> {
    const { rows } = await on(this.url, `select count(*)::int as count from ${table}`);
    return rows[0].count;
  }

  /** The process id of PostgreSQL; null unless it runs on this machine. */
  async postmaster(): Promise<number | null> {
    const { rows } = await on(this.url, `select pid from pg_stat_activity where backend_type = 'checkpointer'`);
    return parentOf(rows[0].pid);
  }

  async drop(): Promise<void> {
    const name = new URL(this.url).pathname.slice(1);
    await on(this.server, `drop database if exists ${name} with (force)`);
  }
}

/** Creates and seeds the blog of this size if it is missing, and returns its URL. */
export async function seeded(articles: number): Promise<string> {
  const server = databaseServer();
  const name = `conduit_bench_${articles}`;
  const { rowCount } = await on(server, 'select from pg_database where datname = $1', [name]);
  if (!rowCount) await on(server, `create database ${name}`);
  const url = named(server, name);
  await run(['npx', 'mikro-orm', 'migration:up'], url);
  await run(['npm', 'run', '--silent', 'seed', '--', '--articles', String(articles)], url);
  return url;
}

const databaseServer = () => process.env.DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres';

/** Runs a command on the database, with its output on stderr. */
async function run([command = '', ...args]: string[], url: string): Promise<void> {
  const environment = { ...process.env, DATABASE_URL: url, NODE_ENV: 'development' };
  const child = spawn(command, args, { env: environment, stdio: ['ignore', process.stderr, process.stderr] });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} exited with ${code}.`);
}

export async function on(url: string, statement: string, values?: unknown[]) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(statement, values);
  } finally {
    await client.end();
  }
}

function named(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = database;
  return url.href;
}
