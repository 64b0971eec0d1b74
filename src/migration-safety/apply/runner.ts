import type { Transaction } from '@mikro-orm/core';
import { type Migration, MigrationRunner } from '@mikro-orm/migrations';
import { type Method, type MigrationFile, sqlOf } from '../history/migration-file.ts';
import { acquireWorkLockSql, releaseWorkLockSql } from '../lock/advisory-lock.ts';
import type { Execute } from '../sql/execute.ts';
import { literal, quote } from '../sql/quote.ts';
import {
  canShareTransaction,
  isConcurrent,
  onlyOutsideTransaction,
  parseStatements,
  type Statement,
} from '../sql/statements.ts';
import { clearTheWay } from './invalid-indexes.ts';
import { withRetries } from './retries.ts';
import { StatementFailed } from './statement-failed.ts';

/** What the migrator says about the migration it is about to run. */
export interface Run {
  migration: MigrationFile;
  tableLockTimeout: number;
  concurrentLockTimeout: number;
  statementTimeout: number;
  attempts: number;
  /** The database whose advisory locks mark the connection as working; undefined where there are none. */
  markIn: string | undefined;
  tell: (text: string) => void;
  /** Looks at the statements once they are known, before the first is sent. Throws to refuse. */
  inspect: (statements: Statement[], execute: Execute) => Promise<void>;
}

type Setting = [name: string, value: string];

/** Runs one migration, statement by statement, with a bound on how long each may wait and run. */
export class Runner extends MigrationRunner {
  /** Set by the migrator before each migration. */
  current: Run | undefined;
  #master: Transaction | undefined;
  #schema: string | undefined;

  override setMasterMigration(tx: Transaction): void {
    super.setMasterMigration(tx);
    this.#master = tx;
  }

  override unsetMasterMigration(): void {
    super.unsetMasterMigration();
    this.#master = undefined;
  }

  override setRunSchema(schema?: string): void {
    super.setRunSchema(schema);
    this.#schema = this.driver.getPlatform().getSchemaHelper()?.resolveMigrationSchema(schema);
  }

  override unsetRunSchema(): void {
    super.unsetRunSchema();
    this.#schema = undefined;
  }

  override async run(
    migration: Migration,
    method: Method,
    afterRun?: (tx?: Transaction) => Promise<void>,
  ): Promise<void> {
    if (!this.current) throw new Error('A migration is run by the migrator, which says how.');
    migration.reset();
    if (this.options.transactional && migration.isTransactional()) {
      await this.#inTransaction(this.current, migration, method, afterRun);
    } else {
      await this.#onOneConnection(this.current, migration, method, afterRun);
    }
  }

  async #inTransaction(run: Run, migration: Migration, method: Method, afterRun?: (tx?: Transaction) => Promise<void>) {
    await this.driver.getConnection().transactional(
      async (tx) => {
        migration.setTransactionContext(tx);
        await this.#set(this.#settings(run, run.tableLockTimeout), true, tx);
        if (run.markIn) await this.#send(acquireWorkLockSql(run.markIn, 'transaction'), tx);
        if (this.#schema) await this.#set([['search_path', quote(this.#schema)]], true, tx);
        const statements = await this.#statements(run, migration, method, tx);
        await this.#refuseOutsiders(run, statements);
        for (const [index, statement] of statements.entries()) {
          await this.#execute(run, method, statements, index, () => this.#send(statement.sql, tx));
        }
        await afterRun?.(tx);
      },
      this.#master ? { ctx: this.#master } : {},
    );
  }

  /** Not in a transaction, but on one connection all the same: timeouts are settings of a session. */
  async #onOneConnection(
    run: Run,
    migration: Migration,
    method: Method,
    afterRun?: (tx?: Transaction) => Promise<void>,
  ) {
    let recorded = false;
    if (this.#schema) {
      throw new Error('A migration outside a transaction can not be given a schema at run time (--schema).');
    }
    const connection = this.driver.getConnection();
    await connection.ensureConnection();
    await connection
      .getClient()
      .connection()
      .execute(async (client) => {
        const session = client as unknown as Transaction;
        // So that this.execute() has the timeouts too; transactions of the migration's own still get a connection each.
        migration.execute = async (query, params) => this.driver.execute(query as string, params, 'all', session);
        try {
          await this.#set(this.#settings(run, run.tableLockTimeout), false, session);
          if (run.markIn) await this.#send(acquireWorkLockSql(run.markIn, 'session'), session);
          const statements = await this.#statements(run, migration, method, session);
          for (const [index, statement] of statements.entries()) {
            const patience = isConcurrent(statement) ? run.concurrentLockTimeout : run.tableLockTimeout;
            await this.#set([['lock_timeout', String(patience)]], false, session);
            const isLast = index === statements.length - 1;
            // What was done before it stays done, so only this statement is tried again.
            await withRetries(run.attempts, tellRetry(run), () =>
              this.#execute(run, method, statements, index, async () => {
                if (isLast && afterRun && canShareTransaction(statement)) {
                  await this.#together(session, statement, () => afterRun(session));
                  recorded = true;
                } else if (!(await clearTheWay(statement, (sql) => this.#send(sql, session), run.tell))) {
                  await this.#send(statement.sql, session);
                }
              }),
            );
          }
        } finally {
          await this.#restore(run, session);
        }
      });
    if (!recorded) await afterRun?.();
  }

  /** The last statement with the log row: a migrator that is killed here has done both, or neither. */
  async #together(session: Transaction, statement: Statement, record: () => Promise<void>) {
    await this.#send('begin', session);
    try {
      await this.#send(statement.sql, session);
      await record();
      await this.#send('commit', session);
    } catch (error) {
      await this.#send('rollback', session).catch(() => {});
      throw error;
    }
  }

  async #statements(run: Run, migration: Migration, method: Method, on: Transaction): Promise<Statement[]> {
    await migration[method]();
    const statements = migration.getQueries().flatMap((query) => parseStatements(sqlOf(query, this.driver)));
    await run.inspect(statements, (sql) => this.#send(sql, on));
    return statements;
  }

  async #refuseOutsiders(run: Run, statements: Statement[]) {
    const outsider = statements.find((statement) => onlyOutsideTransaction(statement));
    if (outsider) throw StatementFailed.outsider(run.migration.name, outsider);
  }

  async #execute(run: Run, method: Method, all: Statement[], index: number, send: () => Promise<unknown>) {
    try {
      await send();
    } catch (error) {
      throw new StatementFailed(run.migration, method, all, index, error);
    }
  }

  #settings(run: Run, lockTimeout: number): Setting[] {
    const settings: Setting[] = [
      ['lock_timeout', String(lockTimeout)],
      ['statement_timeout', String(run.statementTimeout)],
    ];
    // The server notices within a second that a migrator was killed, and ends its statement.
    if (run.markIn) settings.push(['client_connection_check_interval', '1000']);
    return settings;
  }

  async #set(settings: Setting[], local: boolean, on: Transaction) {
    // Asked from pg_settings, because a server that does not know a setting would end the transaction over it.
    const values = settings.map(([name, value]) => `(${literal(name)}, ${literal(value)})`).join(', ');
    await this.#send(
      `select set_config(s.name, v.value, ${local}) from (values ${values}) v (name, value) join pg_settings s using (name)`,
      on,
    );
  }

  /** The connection goes back to a pool, or, embedded, is the only one there is. */
  async #restore(run: Run, session: Transaction) {
    const names = this.#settings(run, 0).map(([name]) => name);
    for (const name of names) await this.#send(`reset ${name}`, session).catch(() => {});
    if (run.markIn) await this.#send(releaseWorkLockSql(run.markIn), session).catch(() => {});
  }

  async #send(sql: string, on: Transaction): Promise<Record<string, unknown>[]> {
    return this.driver.getConnection().execute(sql, [], 'all', on);
  }
}

/** What is said before another attempt. */
export const tellRetry =
  (run: Pick<Run, 'tell' | 'attempts' | 'migration'>) => (error: unknown, attempt: number, pause: number) => {
    const where = error instanceof StatementFailed ? error.where : run.migration.name;
    run.tell(
      `${where}: the table is busy; attempt ${attempt} of ${run.attempts}, again in ${(pause / 1000).toFixed(1)} s`,
    );
  };
