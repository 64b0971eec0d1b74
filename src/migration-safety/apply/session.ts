import type { Transaction } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { acquireWorkLockSql, releaseWorkLockSql } from '../lock/advisory-lock.ts';
import type { Execute } from '../sql/execute.ts';
import { literal } from '../sql/quote.ts';

export interface SessionSettings {
  tableLockTimeout: number;
  statementTimeout: number;
  /** The database whose advisory lock marks the connection as working, or undefined if it has no advisory locks. */
  workLockDatabase: string | undefined;
}

type Setting = [name: string, value: string];

/** Where a migration runs: its transaction, or the connection of one that has none. It has its own timeouts. */
export class Session {
  constructor(
    private readonly driver: AbstractSqlDriver,
    private readonly settings: SessionSettings,
    readonly transaction: Transaction | undefined,
    readonly isTransaction: boolean,
  ) {}

  readonly execute: Execute = async (sql) =>
    this.driver.getConnection().execute(sql, [], 'all', this.transaction) as Promise<Record<string, unknown>[]>;

  async open(): Promise<void> {
    await this.set(...this.timeouts());
    const { workLockDatabase } = this.settings;
    if (!workLockDatabase) return;
    await this.execute(acquireWorkLockSql(workLockDatabase, this.isTransaction ? 'transaction' : 'session'));
  }

  /** Until the end of the transaction, if this is one. */
  async set(...settings: Setting[]): Promise<void> {
    // Joined with pg_settings: setting a name that the server does not know would abort the transaction.
    const values = settings.map(([name, value]) => `(${literal(name)}, ${literal(value)})`).join(', ');
    await this.execute(
      `select set_config(s.name, v.value, ${this.isTransaction}) from (values ${values}) v (name, value) join pg_settings s using (name)`,
    );
  }

  /**
   * Makes the next statement wait for locks at most half as long as PostgreSQL waits before it looks for a deadlock: to
   * resolve one, it would cancel a write of the application as soon as the migration, which can be tried again.
   */
  async giveWay(): Promise<void> {
    await this.execute(
      `select set_config('lock_timeout', least(nullif(${this.settings.tableLockTimeout}, 0), setting::int / 2)::text, ${this.isTransaction})
         from pg_settings where name = 'deadlock_timeout'`,
    );
  }

  /** Runs the work in a transaction on this connection. */
  async atomically(work: () => Promise<void>): Promise<void> {
    await this.execute('begin');
    try {
      await work();
      await this.execute('commit');
    } catch (error) {
      await this.execute('rollback').catch(() => {});
      throw error;
    }
  }

  /** The connection goes back to the pool or, in the embedded database, is the only one. */
  async close(): Promise<void> {
    for (const [name] of this.timeouts()) await this.execute(`reset ${name}`).catch(() => {});
    const { workLockDatabase } = this.settings;
    if (workLockDatabase) await this.execute(releaseWorkLockSql(workLockDatabase)).catch(() => {});
  }

  private timeouts(): Setting[] {
    const { tableLockTimeout, statementTimeout, workLockDatabase } = this.settings;
    return [
      ['lock_timeout', String(tableLockTimeout)],
      ['statement_timeout', String(statementTimeout)],
      // Makes the server end the statement of a killed migrator within a second.
      ...(workLockDatabase ? [['client_connection_check_interval', '1000'] as Setting] : []),
    ];
  }
}
