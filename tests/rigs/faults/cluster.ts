import { execFile } from 'node:child_process';
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../support/free-port.ts';

export const BINARIES = process.env.POSTGRES_BINARIES || '/usr/lib/postgresql/15/bin';

/** A disposable PostgreSQL cluster in a temporary folder. */
export class Cluster {
  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async start({ encoding = 'UTF8' } = {}): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'faults-'));
    chmodSync(folder, 0o777); // PostgreSQL refuses to run as root, and must own its data folder
    const cluster = new Cluster(folder, await freePort());
    const options = ['-A', 'trust', '-U', 'postgres', '--no-instructions', '-E', encoding, '--locale', 'C'];
    await asPostgres('initdb', '-D', cluster.data, ...options);
    await cluster.control('start');
    return cluster;
  }

  /** A standby that streams from this cluster, and is removed by itself. */
  async addStandby(): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'faults-'));
    chmodSync(folder, 0o777);
    const standby = new Cluster(folder, await freePort());
    await asPostgres(
      'pg_basebackup',
      '-D',
      standby.data,
      '-h',
      '127.0.0.1',
      '-p',
      `${this.port}`,
      '-U',
      'postgres',
      '-c',
      'fast',
      '-R',
    );
    await standby.control('start');
    return standby;
  }

  async promote(): Promise<void> {
    await this.control('promote');
  }

  async stop(): Promise<void> {
    await this.control('stop', '-m', 'fast');
  }

  /** Starts again, as a standby of the cluster that was promoted. */
  async startAsStandbyOf({ port }: Cluster): Promise<void> {
    appendFileSync(
      join(this.data, 'postgresql.auto.conf'),
      `primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres'\n`,
    );
    writeFileSync(join(this.data, 'standby.signal'), '', { mode: 0o644 });
    await this.control('start');
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

  private async control(action: 'start' | 'stop' | 'promote', ...more: string[]): Promise<void> {
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
