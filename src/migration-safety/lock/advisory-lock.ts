import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { Client, type ClientConfig } from 'pg';
import { MigrationProblem, sqlState } from '../problems.ts';
import { quote } from '../sql/quote.ts';
import { type LockWait, lockLostError, type MigrationLock, pollDelay, seconds } from './lock.ts';

/** 'migr' and 'work' in ASCII: the two families of advisory locks used here, one key per database name in each. */
const migratorFamily = 0x6d696772;
const workFamily = 0x776f726b;

/** The key of a database: advisory locks are numbers. Signed, because PostgreSQL's int4 is. */
const keyOf = (database: string) => crc32(database) | 0;

/**
 * SQL for the connection that does the work: it holds a shared lock for as long as its statement runs. When a
 * migrator is killed, its last statement may live on in the server for a while; whoever comes next waits for it.
 */
export const acquireWorkLockSql = (database: string, scope: 'transaction' | 'session') =>
  scope === 'transaction'
    ? `select pg_advisory_xact_lock_shared(${workFamily}, ${keyOf(database)})`
    : `select pg_advisory_lock_shared(${workFamily}, ${keyOf(database)})`;

export const releaseWorkLockSql = (database: string) =>
  `select pg_advisory_unlock_shared(${workFamily}, ${keyOf(database)})`;

/**
 * A session-level advisory lock on a connection of its own, polled.
 *
 * Never `pg_advisory_lock`: a blocked waiter holds a snapshot, `create index concurrently` waits for snapshots, and
 * the two wait for each other for ever without PostgreSQL calling it a deadlock. The server lets go of the lock when
 * the connection ends, so there is no stale lock after kill -9.
 */
export class AdvisoryLock implements MigrationLock {
  readonly #connection: ClientConfig;
  readonly #managementDatabase: string;
  readonly #waiting: LockWait;
  readonly #key: number;
  #client: Client | undefined;

  constructor(connection: ClientConfig, managementDatabase: string, waiting: LockWait) {
    this.#connection = connection;
    this.#managementDatabase = managementDatabase;
    this.#waiting = waiting;
    this.#key = keyOf(connection.database ?? '');
  }

  async acquire(): Promise<void> {
    const deadline = this.#waiting.timeout === 0 ? Infinity : Date.now() + this.#waiting.timeout;
    this.#client = (await this.#connect()) ?? (await this.#createDatabase(deadline));
    await this.#take(this.#client, migratorFamily, 'Another migrator holds the lock', deadline);
    await this.#take(this.#client, workFamily, 'A statement of a killed migrator still runs', deadline);
    await this.#client.query('select pg_advisory_unlock($1, $2)', [workFamily, this.#key]);
  }

  async release(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end();
  }

  async verify(): Promise<void> {
    await this.#client?.query('select 1').catch(() => Promise.reject(lockLostError()));
  }

  /** A connection to the database; undefined when the database does not exist yet. */
  async #connect(database = this.#connection.database): Promise<Client | undefined> {
    const name = `migrator ${process.pid}@${hostname()}`.slice(0, 63);
    const client = new Client({ ...this.#connection, database, application_name: name, keepAlive: true });
    // Without a listener a dropped connection would end the process; the next query tells anyway.
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

  /** Advisory locks live in one database, so who creates it is settled in the management database. */
  async #createDatabase(deadline: number): Promise<Client> {
    const management = await this.#connect(this.#managementDatabase);
    if (!management) throw new Error(`The management database ${this.#managementDatabase} does not exist.`);
    try {
      await this.#take(management, migratorFamily, 'Another migrator is creating the database', deadline);
      const client = await this.#connect();
      if (client) return client;
      await management.query(`create database ${quote(this.#connection.database ?? '')}`);
    } finally {
      await management.end();
    }
    const client = await this.#connect();
    if (!client) throw new Error(`The database ${this.#connection.database} vanished right after it was created.`);
    return client;
  }

  async #take(client: Client, family: number, obstacle: string, deadline: number): Promise<void> {
    const started = Date.now();
    for (let nextWord = started + 300; ; ) {
      const { rows } = await client.query('select pg_try_advisory_lock($1, $2) as taken', [family, this.#key]);
      if (rows[0]?.taken) return;
      if (Date.now() >= deadline) {
        throw new MigrationProblem(
          'lock-timeout',
          `${obstacle}, and did not let go within ${seconds(this.#waiting.timeout)} (MIGRATION_LOCK_TIMEOUT).\n  held by ${await this.#holder(client, family)}\nNothing was changed. Wait for it, or end it with: select pg_terminate_backend(<pid>);`,
        );
      }
      if (Date.now() >= nextWord) {
        this.#waiting.tell(
          `${obstacle} (${await this.#holder(client, family)}); waiting for ${seconds(Date.now() - started)}`,
        );
        nextWord = Date.now() + 10_000;
      }
      await sleep(Math.min(pollDelay(), Math.max(1, deadline - Date.now())));
    }
  }

  async #holder(client: Client, family: number): Promise<string> {
    const { rows } = await client.query(
      `select a.pid, a.application_name, a.usename, coalesce(host(a.client_addr), 'local') as address,
              extract(epoch from now() - a.backend_start)::int as age
         from pg_locks l join pg_stat_activity a using (pid)
        where l.locktype = 'advisory' and l.granted and l.classid::bigint = $1 and l.objid::bigint = $2
          and l.database = (select oid from pg_database where datname = current_database())
          and a.pid <> pg_backend_pid()`,
      [family, this.#key >>> 0],
    );
    const who = rows.map(
      (r) => `"${r.application_name}" of ${r.usename}, server pid ${r.pid}, ${r.address}, since ${r.age} s`,
    );
    return who.join('; ') || 'somebody who has just let go';
  }
}
