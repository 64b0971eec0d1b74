import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const BINARIES = process.env.POSTGRES_BINARIES || '/usr/lib/postgresql/15/bin';

/** A disposable PostgreSQL cluster in a temporary folder. */
export class Cluster {
  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async start(): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'faults-'));
    chmodSync(folder, 0o777); // PostgreSQL refuses to run as root, and must own its data folder
    const cluster = new Cluster(folder, await freePort());
    await asPostgres('initdb', '-D', cluster.data, '-A', 'trust', '-U', 'postgres', '--no-instructions', '-E', 'UTF8');
    await cluster.control('start');
    return cluster;
  }

  get url(): string {
    return this.urlOn(this.port);
  }

  /** The same database through another port of this machine. */
  urlOn(port: number): string {
    return `postgresql://postgres@127.0.0.1:${port}/postgres`;
  }

  /** Of the postmaster. */
  get pid(): number {
    return Number(readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  }

  /** What PostgreSQL has logged. */
  get log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  async restart(mode: 'fast' | 'immediate'): Promise<void> {
    await this.control('stop', '-m', mode);
    await this.control('start');
  }

  async remove(): Promise<void> {
    await this.control('stop', '-m', 'immediate').catch(() => {});
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private async control(action: 'start' | 'stop', ...more: string[]): Promise<void> {
    const options = `-p ${this.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=60`;
    const start = action === 'start' ? ['-o', options, '-l', join(this.folder, 'log')] : [];
    await asPostgres('pg_ctl', action, '-D', this.data, '-w', ...start, ...more);
  }
}

const run = promisify(execFile);

async function asPostgres(program: string, ...args: string[]): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  const command = [...(isRoot ? ['runuser', '-u', 'postgres', '--'] : []), join(BINARIES, program), ...args];
  await run(command[0] as string, command.slice(1), { cwd: tmpdir() });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}
