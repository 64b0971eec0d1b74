import type { Transaction } from '@mikro-orm/core';
import { type Migration, MigrationRunner, type Query } from '@mikro-orm/migrations';
import { type Method, type MigrationFile, sqlOf } from '../history/migration-file.ts';
import { acquireWorkLockSql, releaseWorkLockSql } from '../lock/advisory-lock.ts';
import { isPglite } from '../lock/choose-lock.ts';
import type { RenameAnswers } from '../renames/renames.ts';
import type { Execute } from '../sql/execute.ts';
import { literal, quote } from '../sql/quote.ts';
import {
  canShareTransaction,
  isConcurrent,
  onlyOutsideTransaction,
  parseStatements,
  type Statement,
} from '../sql/statements.ts';
import { invalidIndexLeftBy, resumeIndexBuild } from './invalid-indexes.ts';
import { MigrationEntities } from './past-entities.ts';
import { withRetries } from './retries.ts';
import { codeFailed, notInATransaction, StatementFailed, statementFailed } from './statement-failed.ts';

/** How to run one migration. */
export interface MigrationRun {
  migration: MigrationFile;
  tableLockTimeout: number;
  concurrentLockTimeout: number;
  statementTimeout: number;
  attempts: number;
  /** The database whose advisory lock marks the connection as working, or undefined if it has no advisory locks. */
  workLockDatabase: string | undefined;
  log: (text: string) => void;
  /** The statements that migrations run from here on, this one included: entities have the names that these give. */
  later: readonly Statement[];
  /** The renames that no migration makes yet. */
  renames: RenameAnswers;
  /** Inspects statements that are known only now, before the first is sent; throws to refuse them. */
  inspect: (statements: Statement[], on: Session) => Promise<void>;
  /** Looks at the rows that a statement meets, right before it is sent; throws to refuse it. */
  inspectRows: (statement: Statement, on: Session) => Promise<void>;
}

/** Where a migration runs: its transaction, or the connection of one that has none. */
export interface Session {
  execute: Execute;
  isTransaction: boolean;
}

/** Statements that change rows at most. */
const KEEPS_TABLES = /^(Select|Insert|Update|Delete|Merge|Copy|VariableSet)Stmt$/;

type Setting = [name: string, value: string];

/** Runs one migration, statement by statement, with a lock timeout and a statement timeout. */
export class Runner extends MigrationRunner {
  /** Set by the migrator before each migration. */
  current: MigrationRun | undefined;
  private masterTransaction: Transaction | undefined;
  private schema: string | undefined;

  override setMasterMigration(tx: Transaction): void {
    super.setMasterMigration(tx);
    this.masterTransaction = tx;
  }

  override unsetMasterMigration(): void {
    super.unsetMasterMigration();
    this.masterTransaction = undefined;
  }

  override setRunSchema(schema?: string): void {
    super.setRunSchema(schema);
    this.schema = this.driver.getPlatform().getSchemaHelper()?.resolveMigrationSchema(schema);
  }

  override unsetRunSchema(): void {
    super.unsetRunSchema();
    this.schema = undefined;
  }

  override async run(
    migration: Migration,
    method: Method,
    afterRun?: (tx?: Transaction) => Promise<void>,
  ): Promise<void> {
    if (!this.current) throw new Error('Runner.current is not set: migrations are run by the migrator.');
    migration.reset();
    if (this.options.transactional && migration.isTransactional()) {
      await this.inTransaction(this.current, migration, method, afterRun);
    } else {
      await this.onOneConnection(this.current, migration, method, afterRun);
    }
  }

  private async inTransaction(
    run: MigrationRun,
    migration: Migration,
    method: Method,
    afterRun?: (tx?: Transaction) => Promise<void>,
  ) {
    await this.driver.getConnection().transactional(
      async (tx) => {
        migration.setTransactionContext(tx);
        await this.applySettings(this.timeouts(run, run.tableLockTimeout), true, tx);
        if (run.workLockDatabase) await this.send(acquireWorkLockSql(run.workLockDatabase, 'transaction'), tx);
        if (this.schema) await this.applySettings([['search_path', quote(this.schema)]], true, tx);
        const statements = await this.collectStatements(run, migration, method, tx, true);
        const misplaced = statements.find((statement) => onlyOutsideTransaction(statement));
        if (misplaced) throw notInATransaction(run.migration.name, misplaced);
        for (const [index, statement] of statements.entries()) {
          await run.inspectRows(statement, { execute: (sql) => this.send(sql, tx), isTransaction: true });
          await this.execute(run, method, statements, index, tx, () => this.send(statement.sql, tx));
        }
        await afterRun?.(tx);
      },
      this.masterTransaction ? { ctx: this.masterTransaction } : {},
    );
  }

  /** On one connection, even without a transaction: timeouts are session settings. */
  private async onOneConnection(
    run: MigrationRun,
    migration: Migration,
    method: Method,
    afterRun?: (tx?: Transaction) => Promise<void>,
  ) {
    let recorded = false;
    if (this.schema) {
      throw new Error('A migration outside a transaction cannot be given a schema at run time (--schema).');
    }
    await this.onConnection(async (session) => {
      // So that this.execute() has the timeouts too; a transaction that the migration opens gets another connection.
      migration.execute = async (query, params) => this.driver.execute(query as string, params, 'all', session);
      try {
        await this.applySettings(this.timeouts(run, run.tableLockTimeout), false, session);
        if (run.workLockDatabase) await this.send(acquireWorkLockSql(run.workLockDatabase, 'session'), session);
        const statements = await this.collectStatements(run, migration, method, session, false);
        for (const [index, statement] of statements.entries()) {
          const lockTimeout = isConcurrent(statement) ? run.concurrentLockTimeout : run.tableLockTimeout;
          await this.applySettings([['lock_timeout', String(lockTimeout)]], false, session);
          await run.inspectRows(statement, { execute: (sql) => this.send(sql, session), isTransaction: false });
          const isLast = index === statements.length - 1;
          // The statements before it stay applied, so only this one is retried.
          await withRetries(run.attempts, logRetry(run), () =>
            this.execute(run, method, statements, index, session, async () => {
              if (isLast && afterRun && canShareTransaction(statement)) {
                await this.executeAndRecord(session, statement, () => afterRun(session));
                recorded = true;
              } else if (!(await resumeIndexBuild(statement, (sql) => this.send(sql, session), run.log))) {
                await this.send(statement.sql, session);
              }
            }),
          );
        }
      } finally {
        await this.resetSettings(run, session);
      }
    });
    if (!recorded) await afterRun?.();
  }

  /** On a connection of the pool. An engine inside the process has one: an entity manager would wait for it forever. */
  private async onConnection(work: (session: Transaction | undefined) => Promise<void>) {
    if (isPglite(this.driver)) return work(undefined);
    const connection = this.driver.getConnection();
    await connection.ensureConnection();
    return connection
      .getClient()
      .connection()
      .execute((client) => work(client as unknown as Transaction));
  }

  /** The last statement and the tracking row in one transaction, so that a killed migrator leaves both or neither. */
  private async executeAndRecord(session: Transaction | undefined, statement: Statement, record: () => Promise<void>) {
    await this.send('begin', session);
    try {
      await this.send(statement.sql, session);
      await record();
      await this.send('commit', session);
    } catch (error) {
      await this.send('rollback', session).catch(() => {});
      throw error;
    }
  }

  private async collectStatements(
    run: MigrationRun,
    migration: Migration,
    method: Method,
    on: Transaction | undefined,
    isTransaction: boolean,
  ): Promise<Statement[]> {
    const session = { execute: (sql: string) => this.send(sql, on), isTransaction };
    const execute = migration.execute.bind(migration);
    const failed: { sql?: string; error?: unknown } = {};
    const entities = new MigrationEntities(this.driver, this.config, migration, run);
    migration.execute = async (query, params) => {
      const sql = sqlOf(query as Query, this.driver);
      const statements = parseStatements(sql);
      if (method === 'down') await run.inspect(statements, session);
      try {
        const rows = await execute(query, params);
        if (!statements.every(({ kind }) => KEEPS_TABLES.test(kind))) await entities.readTables(session.execute);
        return rows;
      } catch (error) {
        Object.assign(failed, { sql, error });
        throw error;
      }
    };
    try {
      if (run.migration.dynamic[method]) await entities.readTables(session.execute);
      await migration[method]();
    } catch (error) {
      const sql = failed.error === error ? failed.sql : undefined;
      throw codeFailed(run.migration, method, error, { sql, usesEntities: entities.areUsed });
    } finally {
      migration.execute = execute;
      entities.release();
    }
    const statements = migration.getQueries().flatMap((query) => parseStatements(sqlOf(query, this.driver)));
    await run.inspect(statements, session);
    return statements;
  }

  private async execute(
    run: MigrationRun,
    method: Method,
    all: Statement[],
    index: number,
    on: Transaction | undefined,
    send: () => Promise<unknown>,
  ) {
    try {
      await send();
    } catch (error) {
      const statement = all[index] as Statement;
      const left = isConcurrent(statement)
        ? await invalidIndexLeftBy(statement, (sql) => this.send(sql, on)).catch(() => undefined)
        : undefined;
      throw statementFailed(run.migration, method, all, index, error, left);
    }
  }

  private timeouts(run: MigrationRun, lockTimeout: number): Setting[] {
    const settings: Setting[] = [
      ['lock_timeout', String(lockTimeout)],
      ['statement_timeout', String(run.statementTimeout)],
    ];
    // Makes the server end the statement of a killed migrator within a second.
    if (run.workLockDatabase) settings.push(['client_connection_check_interval', '1000']);
    return settings;
  }

  private async applySettings(settings: Setting[], local: boolean, on: Transaction | undefined) {
    // Joined with pg_settings: setting a name that the server does not know would abort the transaction.
    const values = settings.map(([name, value]) => `(${literal(name)}, ${literal(value)})`).join(', ');
    await this.send(
      `select set_config(s.name, v.value, ${local}) from (values ${values}) v (name, value) join pg_settings s using (name)`,
      on,
    );
  }

  /** The connection goes back to the pool or, in the embedded database, is the only one. */
  private async resetSettings(run: MigrationRun, session: Transaction | undefined) {
    const names = this.timeouts(run, 0).map(([name]) => name);
    for (const name of names) await this.send(`reset ${name}`, session).catch(() => {});
    if (run.workLockDatabase) await this.send(releaseWorkLockSql(run.workLockDatabase), session).catch(() => {});
  }

  private async send(sql: string, on: Transaction | undefined): Promise<Record<string, unknown>[]> {
    return this.driver.getConnection().execute(sql, [], 'all', on);
  }
}

export const logRetry =
  (run: Pick<MigrationRun, 'log' | 'attempts' | 'migration'>) => (error: unknown, attempt: number, pause: number) => {
    const where = error instanceof StatementFailed ? error.where : run.migration.name;
    run.log(
      `${where}: the table is busy; attempt ${attempt} of ${run.attempts}, again in ${(pause / 1000).toFixed(1)} s`,
    );
  };
