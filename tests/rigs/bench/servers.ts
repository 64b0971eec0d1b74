import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { START } from '../../support/start-command.ts';
import { blogWay } from './blog-way.ts';
import { SECRET_KEY } from './database.ts';
import { postgraphileWay } from './postgraphile-way.ts';
import { restWay } from './rest-way.ts';
import type { Asked, Way, WorkName } from './works.ts';

/** Ours and its peers, each in its production mode, with ten connections to the database. */
export const SERVERS = {
  ours: { title: 'Conduit GraphQL', way: blogWay, command: ['node', ...START] },
  floor: { title: 'floor: node:http + pg', way: restWay, command: ['node', 'tests/rigs/bench/peers/floor.mjs'] },
  postgraphile: {
    title: 'PostGraphile 5',
    way: postgraphileWay,
    command: ['node', 'tests/rigs/bench/peers/postgraphile.mjs'],
  },
  stock: {
    title: 'TypeGraphQL + MikroORM dataloaders',
    way: blogWay,
    command: ['node', '--import', '@oxc-node/core/register', 'tests/rigs/bench/peers/stock/server.ts'],
  },
  fastapi: {
    title: 'FastAPI + SQLAlchemy',
    way: restWay,
    command: ['/usr/bin/python3', 'tests/rigs/bench/peers/fastapi_server.py'],
    works: ['feed'],
  },
} as const satisfies Record<
  string,
  { title: string; way: Way; command: readonly string[]; works?: readonly WorkName[] }
>;

export type ServerName = keyof typeof SERVERS;

export const does = (server: ServerName, work: WorkName): boolean => {
  const { works } = SERVERS[server] as { works?: readonly WorkName[] };
  return works?.includes(work) ?? true;
};

/** Installs the peers where they are not, and answers which servers there are; says which are left out, and why. */
export function availableServers(say: (line: string) => void): ServerName[] {
  if (!existsSync(`${PEERS}/node_modules`)) {
    say('Installing the peers into tests/rigs/bench/peers/node_modules.');
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    execFileSync('npm', ['ci', ...options], { cwd: PEERS, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const [python] = SERVERS.fastapi.command;
  const hasFastApi = spawnSync(python, ['-c', 'import fastapi, sqlalchemy, uvicorn, psycopg2']).status === 0;
  if (!hasFastApi) say('FastAPI is left out: python3 does not find fastapi, sqlalchemy, uvicorn and psycopg2.');
  return (Object.keys(SERVERS) as ServerName[]).filter((name) => name !== 'fastapi' || hasFastApi);
}

/** The versions of what is measured. */
export function versions(available: readonly ServerName[]): Record<string, string> {
  const peer = (name: string) => JSON.parse(readFileSync(`${PEERS}/node_modules/${name}/package.json`, 'utf8')).version;
  const ofPython = `import fastapi, sqlalchemy; print(fastapi.__version__, sqlalchemy.__version__)`;
  return {
    node: process.version,
    postgraphile: peer('postgraphile'),
    'type-graphql': peer('type-graphql'),
    '@mikro-orm/core': peer('@mikro-orm/core'),
    pg: peer('pg'),
    ...(available.includes('fastapi') && {
      'fastapi, sqlalchemy': execFileSync(SERVERS.fastapi.command[0], ['-c', ofPython], { encoding: 'utf8' }).trim(),
    }),
  };
}

/** A server that runs, and answers. */
export class Running {
  private constructor(
    readonly name: ServerName,
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  static async start(name: ServerName, databaseUrl: string, more: Record<string, string> = {}): Promise<Running> {
    const port = await freePort();
    const [command, ...args] = SERVERS[name].command;
    const { DATABASE_URL: _, ...environment } = process.env;
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...environment,
        DATABASE_URL: databaseUrl,
        HOST: '127.0.0.1',
        PORT: String(port),
        NODE_ENV: 'production',
        GRAPHILE_ENV: 'production',
        SECRET_KEY,
        ...more,
      },
    });
    const running = new Running(name, `http://127.0.0.1:${port}`, child);
    for (const until = Date.now() + 30_000; ; await sleep(5)) {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode} instead of answering.`);
      if (await running.isUp()) break;
      if (Date.now() > until) throw new Error(`${name} does not answer.`);
    }
    return running;
  }

  async ask({ path, ...request }: Asked): Promise<unknown> {
    const response = await fetch(this.url + path, request);
    const text = await response.text();
    return response.ok ? JSON.parse(text) : { status: response.status, text };
  }

  /** GraphQL has to answer; of the others, which have no such path, any answer will do. */
  private async isUp(): Promise<boolean> {
    const probe = { method: 'POST', path: '/graphql', headers: JSON_TYPE, body: PROBE } as const;
    const answer = await this.ask(probe).catch(() => null);
    return answer !== null && (SERVERS[this.name].way === restWay || 'data' in (answer as object));
  }

  /** Megabytes of memory that its process, and those it started, have in use. */
  memory(): number {
    return this.processes().reduce((sum, { kilobytes }) => sum + kilobytes, 0) / 1024;
  }

  /** The processes that answer: its workers, where it has some. */
  serving(): number[] {
    const pids = this.processes().map(({ pid }) => pid);
    return pids.length > 1 ? pids.filter((pid) => pid !== this.process.pid) : pids;
  }

  private processes(): { pid: number; kilobytes: number }[] {
    const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,rss='], { encoding: 'utf8' }).trim().split('\n');
    const processes = rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number, number]);
    const own = processes.filter(([pid, parent]) => [pid, parent].includes(this.process.pid ?? 0));
    return own.map(([pid, , kilobytes]) => ({ pid, kilobytes }));
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    const killed = setTimeout(() => this.process.kill('SIGKILL'), 5000);
    await gone;
    clearTimeout(killed);
  }
}

const PEERS = `${import.meta.dirname}/peers`;
const JSON_TYPE = { 'content-type': 'application/json' };
const PROBE = JSON.stringify({ query: '{ __typename }' });

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
