import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { GuaranteeBroken } from './rig.ts';

const PROGRAM = new URL('../../../dist/src/main.js', import.meta.url).pathname;

/** The built server, running on a data folder. */
export class BlogServer {
  /** Milliseconds from starting the process to its first response. */
  readyAfter = 0;
  private address = '';
  private readonly output: string[] = [];
  readonly process: ChildProcess;

  private constructor(
    private readonly folder: string,
    variables: NodeJS.ProcessEnv,
  ) {
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

  /** Starts the server and waits for its first response. */
  static async start(folder: string, variables: NodeJS.ProcessEnv = {}): Promise<BlogServer> {
    const started = performance.now();
    const server = new BlogServer(folder, variables);
    server.address = await server.listeningAddress();
    await server.query('{ articles { totalCount } }');
    server.readyAfter = performance.now() - started;
    return server;
  }

  get pid(): number {
    return this.process.pid as number;
  }

  /** The data of a response; errors are thrown. */
  async query<T>(query: string, variables: object = {}, token?: string): Promise<T> {
    const response = await fetch(`${this.address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Token ${token}` }) },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: T; errors?: GraphqlError[] };
    if (errors === undefined) return data;
    const [{ extensions }] = errors as [GraphqlError];
    if (extensions.code === 'SERVICE_UNAVAILABLE') throw new Unavailable();
    const logged = this.output.filter((line) => line.includes(extensions.requestId ?? 'no request'));
    throw new GuaranteeBroken(`Unexpected errors: ${JSON.stringify(errors)} ${logged.join('\n')}`);
  }

  async status(path: string): Promise<number> {
    const response = await fetch(this.address + path);
    await response.arrayBuffer();
    return response.status;
  }

  /** Connects directly to the database, as `psql` does. */
  async withClient<T>(work: (client: pg.Client) => Promise<T>, options: pg.ClientConfig = {}): Promise<T> {
    const { host, port } = JSON.parse(readFileSync(`${this.folder}/postgres.run/owner.json`, 'utf8'));
    const client = new pg.Client({ host, port, user: 'postgres', database: 'postgres', ...options });
    client.on('error', () => {}); // queries report it
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => {});
    }
  }

  async kill(): Promise<void> {
    if (this.hasExited) return;
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }

  async stop(): Promise<void> {
    if (this.hasExited) return;
    this.process.kill('SIGTERM');
    await once(this.process, 'exit');
  }

  /** Resident memory in megabytes, now and at its peak. */
  memory(): { now: number; peak: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const of = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1000);
    return { now: of('VmRSS'), peak: of('VmHWM') };
  }

  private get hasExited(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  private async listeningAddress(): Promise<string> {
    const address = Promise.withResolvers<string>();
    this.process.stderr?.on('data', (text) => this.output.push(`${text}`));
    createInterface({ input: this.process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.output.push(line);
      const [, found] = /Server listening at (http:[^"\s]+)/.exec(line) ?? [];
      if (found !== undefined) address.resolve(found);
    });
    this.process.once('exit', () =>
      address.reject(new GuaranteeBroken(`The server did not start: ${this.output.join('\n')}`)),
    );
    return await address.promise;
  }
}

interface GraphqlError {
  extensions: { code: string; requestId?: string };
}

/** The server responded with SERVICE_UNAVAILABLE. */
export class Unavailable extends Error {}
