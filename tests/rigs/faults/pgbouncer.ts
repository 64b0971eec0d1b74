import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import type { Cluster } from './cluster.ts';
import { query, until } from './rig.ts';

/** A PgBouncer in transaction mode, with few connections to a cluster. */
export class PgBouncer {
  private constructor(
    private readonly folder: string,
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  /** `prepared` is the number of prepared statements that it keeps track of. Those before 1.21 keep track of none. */
  static async start(cluster: Cluster, { connections, prepared }: { connections: number; prepared: number }) {
    const folder = mkdtempSync(join(tmpdir(), 'faults-pgbouncer-'));
    chmodSync(folder, 0o755);
    const port = await freePort();
    const settings = {
      listen_addr: '127.0.0.1',
      listen_port: port,
      unix_socket_dir: '',
      auth_type: 'trust',
      auth_file: join(folder, 'users'),
      pool_mode: 'transaction',
      default_pool_size: connections,
      max_client_conn: 200,
      // As docs/operations.md says.
      ignore_startup_parameters: 'statement_timeout,lock_timeout,idle_in_transaction_session_timeout,options',
      ...(tracksPreparedStatements() && { max_prepared_statements: prepared }),
    };
    writeFileSync(join(folder, 'users'), '"postgres" ""\n');
    writeFileSync(
      join(folder, 'ini'),
      [`[databases]\n* = host=127.0.0.1 port=${cluster.port}\n[pgbouncer]`]
        .concat(Object.entries(settings).map(([name, value]) => `${name} = ${value}`))
        .join('\n'),
    );
    const asUser = process.getuid?.() === 0 ? ['--user=postgres'] : []; // it refuses to run as root
    const child = spawn(PROGRAM, [...asUser, '--quiet', join(folder, 'ini')], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const pooler = new PgBouncer(folder, child, port);
    try {
      const answers = () =>
        query(cluster.urlOn(port), 'select 1').then(
          () => true,
          () => false,
        );
      await until('PgBouncer answers', answers, 10_000);
      return pooler;
    } catch (error) {
      await pooler.remove();
      throw error;
    }
  }

  async remove(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await once(this.child, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const PROGRAM = process.env.PGBOUNCER || '/usr/sbin/pgbouncer';

/** Such as 1.18.0. Throws if it is not installed. */
export function pgBouncerVersion(): string {
  try {
    const [, version = ''] = /PgBouncer (\S+)/.exec(execFileSync(PROGRAM, ['--version'], { encoding: 'utf8' })) ?? [];
    return version;
  } catch (error) {
    throw new Error(
      `PgBouncer is not at ${PROGRAM}. Install it (Debian: apt-get install pgbouncer), or set PGBOUNCER.`,
      {
        cause: error,
      },
    );
  }
}

export function tracksPreparedStatements(): boolean {
  const [major = 0, minor = 0] = pgBouncerVersion().split('.').map(Number);
  return major > 1 || minor >= 21;
}
