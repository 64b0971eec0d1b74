import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { Client, type ClientConfig } from 'pg';
import { MigrationProblem, sqlState } from '../problems.ts';
import { quote } from '../sql/quote.ts';
import { assertCreatesUtf8 } from '../verify/encoding.ts';
import { type LockWait, lockLostError, type MigrationLock, pollDelay, seconds } from './lock.ts';

/**
 * A session-level advisory lock on a connection of its own, polled.
 *
 * Never `pg_advisory_lock`: a blocked waiter holds a snapshot, `create index concurrently` waits for snapshots, and
 * PostgreSQL does not detect that deadlock. The server releases the lock when the connection ends, so kill -9 leaves
 * no stale lock.
 */
export class AdvisoryLock implements MigrationLock {
  private readonly key: number;
  private client: Client | undefined;

  constructor(
    private readonly connection: ClientConfig,
    private readonly managementDatabase: string,
    private readonly wait: LockWait,
  ) {
    this.key = keyOf(connection.database ?? '');
  }

  async acquire(): Promise<void> {
    const deadline = this.wait.timeout === 0 ? Infinity : Date.now() + this.wait.timeout;
    this.client = (await this.connect()) ?? (await this.createDatabase(deadline));
    await this.poll(this.client, MIGRATOR_CLASS, 'Another migrator holds the lock', deadline);
    await this.poll(this.client, WORK_CLASS, 'A statement of a killed migrator is still running', deadline);
    await this.client.query('select pg_advisory_unlock($1, $2)', [WORK_CLASS, this.key]);
  }

  async release(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    await client?.end();
  }

  async verify(): Promise<void> {
    await this.client?.query('select 1').catch(() => Promise.reject(lockLostError()));
  }

  /** A connection to the database; undefined when the database does not exist yet. */
  private async connect(database = this.connection.database): Promise<Client | undefined> {
    const name = `migrator ${process.pid}@${hostname()}`.slice(0, 63);
    const options = [NO_TIMEOUTS, this.connection.options].filter(Boolean).join(' ');
    const client = new Client({ ...this.connection, database, options, application_name: name, keepAlive: true });
    // Without a listener a dropped connection ends the process; the next query fails anyway.
    client.on('error', () => {});
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      if (sqlState(error) === '3D000') return undefined;
      throw error;
    }
  }

  /** An advisory lock belongs to one database, so the lock on creating it is taken in the management database. */
  private async createDatabase(deadline: number): Promise<Client> {
    const management = await this.connect(this.managementDatabase);
    if (!management) throw new Error(`The management database ${this.managementDatabase} does not exist.`);
    try {
      await this.poll(management, MIGRATOR_CLASS, 'Another migrator is creating the database', deadline);
      const client = await this.connect();
      if (client) return client;
      const { database = '' } = this.connection;
      await assertCreatesUtf8(management, database);
      await management.query(`create database ${quote(database)}`);
    } finally {
      await management.end();
    }
    const client = await this.connect();
    if (!client) throw new Error(`The database ${this.connection.database} disappeared right after it was created.`);
    return client;
  }

  private async poll(client: Client, classKey: number, obstacle: string, deadline: number): Promise<void> {
    const started = Date.now();
    for (let nextLog = started + 300; ; ) {
      const { rows } = await client.query('select pg_try_advisory_lock($1, $2) as taken', [classKey, this.key]);
      if (rows[0]?.taken) return;
      if (Date.now() >= deadline) {
        throw new MigrationProblem(
          'lock-timeout',
          `${obstacle}. Gave up after ${seconds(this.wait.timeout)} (MIGRATION_LOCK_TIMEOUT).\n  held by ${await this.holder(client, classKey)}\nNothing was changed. Wait for it, or end it with: select pg_terminate_backend(<pid>);`,
        );
      }
      if (Date.now() >= nextLog) {
        this.wait.log(
          `${obstacle} (${await this.holder(client, classKey)}); waiting for ${seconds(Date.now() - started)}`,
        );
        nextLog = Date.now() + 10_000;
      }
      await sleep(Math.min(pollDelay(), Math.max(1, deadline - Date.now())));
    }
  }

  private async holder(client: Client, classKey: number): Promise<string> {
    const { rows } = await client.query(
      `select a.pid, a.application_name, a.usename, coalesce(host(a.client_addr), 'local') as address,
              extract(epoch from now() - a.backend_start)::int as age
         from pg_locks l join pg_stat_activity a using (pid)
        where l.locktype = 'advisory' and l.granted and l.classid::bigint = $1 and l.objid::bigint = $2
          and l.database = (select oid from pg_database where datname = current_database())
          and a.pid <> pg_backend_pid()`,
      [classKey, this.key >>> 0],
    );
    const holders = rows.map(
      (r) => `"${r.application_name}" of ${r.usename}, server pid ${r.pid}, ${r.address}, since ${r.age} s`,
    );
    return holders.join('; ') || 'a session that has just released it';
  }
}

/**
 * SQL for the connection that runs the migration: a shared lock for as long as its statement runs. The last statement
 * of a killed migrator may keep running in the server for a while; the next migrator waits for it.
 */
export const acquireWorkLockSql = (database: string, scope: 'transaction' | 'session') =>
  scope === 'transaction'
    ? `select pg_advisory_xact_lock_shared(${WORK_CLASS}, ${keyOf(database)})`
    : `select pg_advisory_lock_shared(${WORK_CLASS}, ${keyOf(database)})`;

export const releaseWorkLockSql = (database: string) =>
  `select pg_advisory_unlock_shared(${WORK_CLASS}, ${keyOf(database)})`;

/** 'migr' and 'work' in ASCII: the first key of the advisory locks. The second is that of the database. */
const MIGRATOR_CLASS = 0x6d696772;
const WORK_CLASS = 0x776f726b;

/** The connection of the lock is idle while migrations run, whatever the database allows. */
const NO_TIMEOUTS = '-c statement_timeout=0 -c idle_session_timeout=0';

/** Signed, because PostgreSQL's int4 is. */
const keyOf = (database: string) => crc32(database) | 0;
