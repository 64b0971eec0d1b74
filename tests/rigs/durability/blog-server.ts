import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { Broken } from './rig.ts';

const PROGRAM = new URL('../../../dist/src/main.js', import.meta.url).pathname;

/** The product as it is built and started, on a data folder. */
export class BlogServer {
  /** Milliseconds from the start of the process to its first answer. */
  readyAfter = 0;
  private address = '';
  /** What it has logged. */
  private readonly said: string[] = [];
  private readonly folder: string;
  readonly process: ChildProcess;

  private constructor(folder: string, variables: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.process = spawn(process.execPath, [PROGRAM], {
      env: {
        ...process.env,
        DATABASE_URL: '',
        DB_HOST: '',
        DATA_FOLDER: folder,
        HOST: '127.0.0.1',
        PORT: '0',
        LOG_LEVEL: 'info',
        ACCESS_TOKEN_EXPIRE_MINUTES: '1440',
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Starts it, and waits for its first answer. */
  static async start(folder: string, variables: NodeJS.ProcessEnv = {}): Promise<BlogServer> {
    const started = performance.now();
    const server = new BlogServer(folder, variables);
    server.address = await server.heardAddress();
    await server.ask('{ articles { totalCount } }');
    server.readyAfter = performance.now() - started;
    return server;
  }

  get pid(): number {
    return this.process.pid as number;
  }

  /** The data of an answer without errors; what came in its place is thrown. */
  async ask<T>(query: string, variables: object = {}, token?: string): Promise<T> {
    const response = await fetch(`${this.address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Token ${token}` }) },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: T; errors?: Fault[] };
    if (errors === undefined) return data;
    const [{ extensions }] = errors as [Fault];
    if (extensions.code === 'SERVICE_UNAVAILABLE') throw new Unavailable();
    const logged = this.said.filter((line) => line.includes(extensions.requestId ?? 'no request'));
    throw new Broken(`Answered with ${JSON.stringify(errors)} ${logged.join('\n')}`);
  }

  async status(path: string): Promise<number> {
    const response = await fetch(this.address + path);
    await response.arrayBuffer();
    return response.status;
  }

  /** A connection past the server, as `psql` has it. */
  async connected<T>(work: (client: pg.Client) => Promise<T>, options: pg.ClientConfig = {}): Promise<T> {
    const { host, port } = JSON.parse(readFileSync(`${this.folder}/postgres.run/owner.json`, 'utf8'));
    const client = new pg.Client({ host, port, user: 'postgres', database: 'postgres', ...options });
    client.on('error', () => {}); // its queries say so
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => {});
    }
  }

  async kill(): Promise<void> {
    if (this.isOver) return;
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }

  async stop(): Promise<void> {
    if (this.isOver) return;
    this.process.kill('SIGTERM');
    await once(this.process, 'exit');
  }

  /** Megabytes it has in memory now, and had at most. */
  memory(): { now: number; most: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const of = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1000);
    return { now: of('VmRSS'), most: of('VmHWM') };
  }

  private get isOver(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  private async heardAddress(): Promise<string> {
    const address = Promise.withResolvers<string>();
    this.process.stderr?.on('data', (text) => this.said.push(`${text}`));
    createInterface({ input: this.process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.said.push(line);
      const [, heard] = /Server listening at (http:[^"\s]+)/.exec(line) ?? [];
      if (heard !== undefined) address.resolve(heard);
    });
    this.process.once('exit', () => address.reject(new Broken(`The server did not start: ${this.said.join('\n')}`)));
    return await address.promise;
  }
}

interface Fault {
  extensions: { code: string; requestId?: string };
}

/** The server answered that it can not serve just now. */
export class Unavailable extends Error {}
