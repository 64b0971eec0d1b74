import { execFileSync } from 'node:child_process';
import { Client } from 'pg';
import { WRONG_COUNTERS } from '../../support/counters.ts';
import { send } from './client.ts';
import { Cluster } from './cluster.ts';
import { PASSWORD, SECRET_KEY, ServerProcess } from './server-process.ts';

/** What a rig gets: a migrated blog on a cluster of its own, someone who is signed in, and how much to do. */
export interface Rig {
  readonly short: boolean;
  readonly cluster: Cluster;
  readonly token: string;
  /** Says how far it is. */
  readonly note: (line: string) => void;
  /** Starts a server; it is ended with the rig. `through` names the port by which it reaches the database. */
  server(variables?: Record<string, string>, through?: number): Promise<ServerProcess>;
}

/** What a rig measured, for the record; a promise that was broken is thrown. */
export type Figures = Record<string, number | string>;

export async function withBlog(run: (rig: Omit<Rig, 'short' | 'note'>) => Promise<Figures>): Promise<Figures> {
  execFileSync('tsc', ['--project', 'tsconfig.build.json'], { stdio: 'inherit' }); // as `npm start` does
  const cluster = await Cluster.start();
  const servers: ServerProcess[] = [];
  const server = async (variables = {}, through = cluster.port) => {
    const started = await ServerProcess.start({ DATABASE_URL: cluster.urlOn(through), ...variables });
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
    assertEqual('servers that ended by themselves', servers.filter(({ hasCrashed }) => hasCrashed).length, 0);
    const told = servers.map(({ output }) => output).join('\n');
    assertEqual(
      'secrets in the log',
      [PASSWORD, SECRET_KEY, token].filter((secret) => told.includes(secret)).length,
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

/** Compares what was acknowledged with what is there; throws when anything is lost or half there. */
export async function checkArticles(cluster: Cluster, acknowledged: readonly string[]): Promise<void> {
  const rows = <T>(sql: string) => query<T>(cluster.url, sql);
  const there = new Set((await rows<{ slug: string }>('select slug from articles')).map(({ slug }) => slug));
  assertEqual('acknowledged articles that are lost', acknowledged.filter((slug) => !there.has(slug)).length, 0);
  const half =
    'select a.id from articles a left join article_tags t on t.article_id = a.id group by a.id having count(t) <> 2';
  assertEqual('articles without their tags', (await rows(half)).length, 0);
  assertEqual('counters that are wrong', (await rows(WRONG_COUNTERS)).length, 0);
}

export async function query<T>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

export function assertEqual(what: string, is: unknown, wanted: unknown): void {
  if (is !== wanted) throw new Error(`${what}: ${String(is)}, wanted ${String(wanted)}`);
}

/** A promise about time, which only a machine with nothing else to do can keep: the short form just reports it. */
export function assertAtMost({ short }: Pick<Rig, 'short'>, what: string, is: number, most: number): void {
  if (!short && !(is <= most)) throw new Error(`${what}: ${is}, at most ${most} wanted`);
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Waits for it; throws when it does not come. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, within = 30_000): Promise<void> {
  for (const end = Date.now() + within; !(await holds()); await pause(10)) {
    if (Date.now() > end) throw new Error(`${what}: not within ${within} ms`);
  }
}

export function percentile(figures: readonly number[], part: number): number {
  const sorted = figures.toSorted((one, other) => one - other);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
}
