import type { Transaction } from '@mikro-orm/core';
import { type Migration, MigrationRunner, type Query } from '@mikro-orm/migrations';
import { type Method, type MigrationFile, sqlOf } from '../history/migration-file.ts';
import { isPglite } from '../lock/choose-lock.ts';
import type { RenameAnswers } from '../renames/renames.ts';
import { quote } from '../sql/quote.ts';
import {
  canShareTransaction,
  isConcurrent,
  onlyOutsideTransaction,
  parseStatements,
  type Statement,
} from '../sql/statements.ts';
import { mayLockSeveral } from '../sql/table-locks.ts';
import { invalidIndexLeftBy, resumeIndexBuild } from './invalid-indexes.ts';
import { MigrationEntities } from './past-entities.ts';
import { withRetries } from './retries.ts';
import { Session, type SessionSettings } from './session.ts';
import { codeFailed, notInATransaction, StatementFailed, statementFailed } from './statement-failed.ts';

/** How to run one migration. */
export interface MigrationRun extends SessionSettings {
  migration: MigrationFile;
  concurrentLockTimeout: number;
  attempts: number;
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

/** Statements that change rows at most. */
const KEEPS_TABLES = /^(Select|Insert|Update|Delete|Merge|Copy|VariableSet)Stmt$/;

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
        const session = new Session(this.driver, run, tx, true);
        await session.open();
        if (this.schema) await session.set(['search_path', quote(this.schema)]);
        const statements = await this.collectStatements(run, migration, method, session);
        const misplaced = statements.find((statement) => onlyOutsideTransaction(statement));
        if (misplaced) throw notInATransaction(run.migration.name, misplaced);
        for (const [index, statement] of statements.entries()) {
          await run.inspectRows(statement, session);
          if (index === 1 || mayLockSeveral(statement)) await session.giveWay();
          await explained(run, method, statements, index, session, () => session.execute(statement.sql));
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
    await this.onConnection(async (connection) => {
      const session = new Session(this.driver, run, connection, false);
      // So that this.execute() has the timeouts too; a transaction that the migration opens gets another connection.
      migration.execute = async (query, params) => this.driver.execute(query as string, params, 'all', connection);
      try {
        await session.open();
        const statements = await this.collectStatements(run, migration, method, session);
        for (const [index, statement] of statements.entries()) {
          const lockTimeout = isConcurrent(statement) ? run.concurrentLockTimeout : run.tableLockTimeout;
          await session.set(['lock_timeout', String(lockTimeout)]);
          if (mayLockSeveral(statement)) await session.giveWay();
          await run.inspectRows(statement, session);
          const isLast = index === statements.length - 1;
          // The statements before it stay applied, so only this one is retried.
          await withRetries(run.attempts, logRetry(run), () =>
            explained(run, method, statements, index, session, async () => {
              if (isLast && afterRun && canShareTransaction(statement)) {
                // So that a killed migrator leaves both or neither.
                await session.atomically(async () => {
                  await session.execute(statement.sql);
                  await afterRun(connection);
                });
                recorded = true;
              } else if (!(await resumeIndexBuild(statement, session.execute, run.log))) {
                await session.execute(statement.sql);
              }
            }),
          );
        }
      } finally {
        await session.close();
      }
    });
    if (!recorded) await afterRun?.();
  }

  /** On a connection of the pool. An engine inside the process has one: an entity manager would wait for it forever. */
  private async onConnection(work: (connection: Transaction | undefined) => Promise<void>) {
    if (isPglite(this.driver)) return work(undefined);
    const connection = this.driver.getConnection();
    await connection.ensureConnection();
    return connection
      .getClient()
      .connection()
      .execute((client) => work(client as unknown as Transaction));
  }

  private async collectStatements(
    run: MigrationRun,
    migration: Migration,
    method: Method,
    session: Session,
  ): Promise<Statement[]> {
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
}

/** Sends a statement; an error says which one it was, and what it leaves. */
async function explained(
  run: MigrationRun,
  method: Method,
  all: Statement[],
  index: number,
  session: Session,
  send: () => Promise<unknown>,
) {
  try {
    await send();
  } catch (error) {
    const statement = all[index] as Statement;
    const left = isConcurrent(statement)
      ? await invalidIndexLeftBy(statement, session.execute).catch(() => undefined)
      : undefined;
    throw statementFailed(run.migration, method, all, index, error, left);
  }
}

export const logRetry =
  (run: Pick<MigrationRun, 'log' | 'attempts' | 'migration'>) => (error: unknown, attempt: number, pause: number) => {
    const where = error instanceof StatementFailed ? error.where : run.migration.name;
    run.log(
      `${where}: the table is busy; attempt ${attempt} of ${run.attempts}, again in ${(pause / 1000).toFixed(1)} s`,
    );
  };
