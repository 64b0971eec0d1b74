import { execFileSync } from 'node:child_process';
import { Client } from 'pg';
import { WRONG_COUNTERS } from '../../support/counters.ts';
import { send } from './client.ts';
import { Cluster } from './cluster.ts';
import { PASSWORD, SECRET_KEY, ServerProcess } from './server-process.ts';

/** What a rig gets: a migrated blog on a cluster of its own, the token of a user, and which form to run. */
export interface Rig {
  readonly short: boolean;
  readonly cluster: Cluster;
  readonly token: string;
  /** Reports progress. */
  readonly note: (line: string) => void;
  /** Starts a server, which is killed with the rig. `through` is the port by which it reaches the database. */
  server(variables?: Record<string, string>, through?: number, options?: { isReady?: boolean }): Promise<ServerProcess>;
}

/** What a rig measured. A broken guarantee is thrown. */
export type Figures = Record<string, number | string>;

export async function withBlog(run: (rig: Omit<Rig, 'short' | 'note'>) => Promise<Figures>): Promise<Figures> {
  execFileSync('tsc', ['--project', 'tsconfig.build.json'], { stdio: 'inherit' }); // as `npm start` does
  const cluster = await Cluster.start();
  const servers: ServerProcess[] = [];
  const server = async (variables = {}, through = cluster.port, options = {}) => {
    const started = await ServerProcess.start({ DATABASE_URL: cluster.urlOn(through), ...variables }, options);
    servers.push(started);
    return started;
  };
  const clean = async () => {
    for (const one of servers) await one.kill();
    await cluster.remove();
  };
  const interrupted = () => void clean().finally(() => process.exit(1));
  for (const signal of SIGNALS) process.once(signal, interrupted);
  try {
    const first = await server({ MIGRATE_ON_START: 'up' });
    const token = await signedUp(first.url);
    await first.stop();
    const figures = await run({ cluster, server, token });
    assertEqual('servers that crashed', servers.filter(({ hasCrashed }) => hasCrashed).length, 0);
    const output = servers.map(({ output }) => output).join('\n');
    assertEqual(
      'secrets in the log',
      [PASSWORD, SECRET_KEY, token].filter((secret) => output.includes(secret)).length,
      0,
    );
    return { ...figures, 'secrets in the log': 0 };
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupted);
    await clean();
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

async function signedUp(url: string): Promise<string> {
  const input = `{ username: "writer", email: "writer@example.com", password: "${PASSWORD}" }`;
  const { body } = await send(url, { query: `mutation { register(input: ${input}) { token errors { message } } }` });
  const { token } = (body as { data: { register: { token: string } } }).data.register;
  return token;
}

/** Compares the acknowledged articles with the database; throws if one is lost or incomplete. */
export async function checkArticles(cluster: Cluster, acknowledged: readonly string[]): Promise<void> {
  const rows = <T>(sql: string) => query<T>(cluster.url, sql);
  const stored = new Set((await rows<{ slug: string }>('select slug from articles')).map(({ slug }) => slug));
  assertEqual('acknowledged articles that are lost', acknowledged.filter((slug) => !stored.has(slug)).length, 0);
  const half =
    'select a.id from articles a left join article_tags t on t.article_id = a.id group by a.id having count(t) <> 2';
  assertEqual('articles without their tags', (await rows(half)).length, 0);
  assertEqual('counters that are wrong', (await rows(WRONG_COUNTERS)).length, 0);
}

export async function query<T>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000, application_name: 'rig' });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

export function assertEqual(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, expected ${String(expected)}`);
}

/** A guarantee about time, which holds only on an otherwise idle machine: the short form just reports it. */
export function assertAtMost({ short }: Pick<Rig, 'short'>, what: string, actual: number, most: number): void {
  if (!short && !(actual <= most)) throw new Error(`${what}: ${actual}, expected at most ${most}`);
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Polls until the condition holds; throws after the time limit. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, within = 120_000): Promise<void> {
  for (const end = Date.now() + within; !(await holds()); await pause(10)) {
    if (Date.now() > end) throw new Error(`${what}: not within ${within} ms`);
  }
}

export function percentile(figures: readonly number[], part: number): number {
  const sorted = figures.toSorted((one, other) => one - other);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
}
