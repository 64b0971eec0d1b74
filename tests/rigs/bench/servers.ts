import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/free-port.ts';
import { START } from '../../support/start-command.ts';
import { cpuTimeOf } from './cpu-time.ts';
import { SECRET_KEY } from './database.ts';
import { graphqlClient } from './graphql-client.ts';
import { postgraphileClient } from './postgraphile-client.ts';
import { restClient } from './rest-client.ts';
import type { BenchRequest, Client, WorkloadName } from './workloads.ts';

/** The server and its peers, each in production mode with ten connections to the database. */
export const SERVERS = {
  ours: { title: 'Conduit GraphQL', client: graphqlClient, command: ['node', ...START] },
  floor: { title: 'floor: node:http + pg', client: restClient, command: ['node', 'tests/rigs/bench/peers/floor.mjs'] },
  postgraphile: {
    title: 'PostGraphile 5',
    client: postgraphileClient,
    command: ['node', 'tests/rigs/bench/peers/postgraphile.mjs'],
  },
  stock: {
    title: 'TypeGraphQL + MikroORM dataloaders',
    client: graphqlClient,
    command: ['node', '--import', '@oxc-node/core/register', 'tests/rigs/bench/peers/stock/server.ts'],
  },
  fastapi: {
    title: 'FastAPI + SQLAlchemy',
    client: restClient,
    command: ['/usr/bin/python3', 'tests/rigs/bench/peers/fastapi_server.py'],
    workloads: ['feed'],
  },
} as const satisfies Record<
  string,
  { title: string; client: Client; command: readonly string[]; workloads?: readonly WorkloadName[] }
>;

export type ServerName = keyof typeof SERVERS;

export const supports = (server: ServerName, workload: WorkloadName): boolean => {
  const { workloads } = SERVERS[server] as { workloads?: readonly WorkloadName[] };
  return workloads?.includes(workload) ?? true;
};

/** Installs the peers if they are missing, and returns the servers that can run here; reports those that cannot. */
export function availableServers(say: (line: string) => void): ServerName[] {
  if (!existsSync(`${PEERS}/node_modules`)) {
    say('Installing the peers into tests/rigs/bench/peers/node_modules.');
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    execFileSync('npm', ['ci', ...options], { cwd: PEERS, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const [python] = SERVERS.fastapi.command;
  const hasFastApi = spawnSync(python, ['-c', 'import fastapi, sqlalchemy, uvicorn, psycopg2']).status === 0;
  if (!hasFastApi) say('FastAPI is skipped: python3 does not find fastapi, sqlalchemy, uvicorn and psycopg2.');
  return (Object.keys(SERVERS) as ServerName[]).filter((name) => name !== 'fastapi' || hasFastApi);
}

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

/** A server process that responds to requests. */
export class RunningServer {
  private constructor(
    readonly name: ServerName,
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  static async start(name: ServerName, databaseUrl: string, more: Record<string, string> = {}): Promise<RunningServer> {
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
    const running = new RunningServer(name, `http://127.0.0.1:${port}`, child);
    for (const until = Date.now() + 30_000; ; await sleep(5)) {
      if (child.exitCode !== null) throw new Error(`${name} exited with ${child.exitCode} before it responded.`);
      if (await running.isUp()) break;
      if (Date.now() > until) throw new Error(`${name} does not respond.`);
    }
    return running;
  }

  async ask({ path, ...request }: BenchRequest): Promise<unknown> {
    const response = await fetch(this.url + path, request);
    const text = await response.text();
    return response.ok ? JSON.parse(text) : { status: response.status, text };
  }

  /** The servers without GraphQL are up when they respond at all, since they have no such path. */
  private async isUp(): Promise<boolean> {
    const probe = { method: 'POST', path: '/graphql', headers: JSON_TYPE, body: PROBE } as const;
    const response = await this.ask(probe).catch(() => null);
    return response !== null && (SERVERS[this.name].client === restClient || 'data' in (response as object));
  }

  /** The resident memory of its process and child processes, in megabytes. */
  memory(): number {
    return this.processes().reduce((sum, { kilobytes }) => sum + kilobytes, 0) / 1024;
  }

  /** The CPU time that its processes have used, in microseconds. */
  cpuTime(): number {
    return cpuTimeOf(this.processes().map(({ pid }) => pid));
  }

  /** The processes that serve requests: its workers, if there are any. */
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
