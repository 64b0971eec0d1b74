import { hostname, userInfo } from 'node:os';
import type { Transaction } from '@mikro-orm/core';
import { MigrationStorage } from '@mikro-orm/migrations';
import { sqlState } from '../problems.ts';
import { qualifiedName, quote } from '../sql/quote.ts';

/** One row of the tracking table: the stock columns, and those added for integrity checks. */
export interface HistoryRow {
  name: string;
  executedAt: Date;
  checksum: string | undefined;
  durationMs: number | undefined;
  executedBy: string | undefined;
  appVersion: string | undefined;
  /** The SQL (or code) that was applied, to show what an edit changed. */
  source: string | undefined;
}

/** What to record about the migration being applied. */
export interface MigrationRecord {
  checksum: string;
  source: string;
  started: number;
  appVersion: string | undefined;
}

/**
 * The tracking table, extended by who applied a migration, how long it took, the application version, and the checksum
 * of its SQL. The stock columns are unchanged, so the stock migrator can still read and write the table.
 */
export class HistoryStorage extends MigrationStorage {
  /** Set before each migration is logged; without it only the name is recorded. */
  record: Partial<MigrationRecord> | undefined;
  private masterTransaction: Transaction | undefined;
  private readonly upgraded = new Set<string>();

  override setMasterMigration(tx: Transaction): void {
    super.setMasterMigration(tx);
    this.masterTransaction = tx;
  }

  override unsetMasterMigration(): void {
    super.unsetMasterMigration();
    this.masterTransaction = undefined;
  }

  override async ensureTable(): Promise<void> {
    const table = this.quotedTable();
    if (this.upgraded.has(table)) return;
    await super.ensureTable();
    const columns = await this.execute(
      `select attname from pg_attribute where attrelid = to_regclass(?) and attnum > 0 and not attisdropped`,
      [table],
    );
    // Checked first, because even `add column if not exists` takes ACCESS EXCLUSIVE to find that there is nothing to do.
    if (!columns.some((row) => row.attname === 'checksum')) {
      for (const sql of upgradeTableSql(table, this.getTableName().tableName)) await this.execute(sql);
    }
    this.upgraded.add(table);
  }

  override async logMigration(params: { name: string }, tx?: Transaction): Promise<void> {
    await super.logMigration(params, tx);
    const { checksum = null, source = null, started, appVersion = null } = this.record ?? {};
    await this.execute(
      `update ${this.quotedTable()} set checksum = ?, duration_ms = ?, executed_by = ?, app_version = ?, source = ? where name = ?`,
      [
        checksum,
        started ? Date.now() - started : null,
        userAtHost(),
        appVersion,
        source,
        this.getMigrationName(params.name),
      ],
      tx,
    );
  }

  /** Accepts an edited migration: records its current checksum and source as what was applied. */
  async updateChecksum(
    name: string,
    { checksum, source }: Pick<MigrationRecord, 'checksum' | 'source'>,
  ): Promise<void> {
    await this.execute(`update ${this.quotedTable()} set checksum = ?, source = ? where name = ?`, [
      checksum,
      source,
      name,
    ]);
  }

  /** Records an applied migration under the new name of its file. */
  async rename(from: string, to: string): Promise<void> {
    await this.execute(`update ${this.quotedTable()} set name = ? where name in (?, ?, ?)`, [
      this.getMigrationName(to),
      ...['', '.ts', '.js'].map((extension) => `${from}${extension}`),
    ]);
  }

  /** Keeps only the first row of a name that is recorded more than once. */
  async deleteDuplicates(name: string): Promise<void> {
    const table = this.quotedTable();
    await this.execute(`delete from ${table} where name = ? and id > (select min(id) from ${table} where name = ?)`, [
      name,
      name,
    ]);
  }

  /** All rows, oldest first, in one SELECT that creates nothing; undefined without a table or a database. */
  async rows(): Promise<HistoryRow[] | undefined> {
    try {
      const rows = await this.execute(`select * from ${this.quotedTable()} order by id`);
      return rows.map((row) => ({
        name: this.getMigrationName(String(row.name)),
        executedAt: new Date(row.executed_at as string | Date),
        checksum: (row.checksum as string | null) ?? undefined,
        durationMs: (row.duration_ms as number | null) ?? undefined,
        executedBy: (row.executed_by as string | null) ?? undefined,
        appVersion: (row.app_version as string | null) ?? undefined,
        source: (row.source as string | null) ?? undefined,
      }));
    } catch (error) {
      if (['42P01', '3D000', '3F000'].includes(sqlState(error) ?? '')) return undefined;
      throw error;
    }
  }

  /** The name of the table as SQL: "public"."mikro_orm_migrations". */
  quotedTable(): string {
    const { schemaName, tableName } = this.getTableName();
    return qualifiedName(schemaName, tableName);
  }

  private async execute(
    sql: string,
    params: unknown[] = [],
    tx = this.masterTransaction,
  ): Promise<Record<string, unknown>[]> {
    return this.driver.getConnection().execute(sql, params, 'all', tx);
  }
}

/** The statements that extend a stock tracking table. They rewrite no row, so they are fast. */
export function upgradeTableSql(table: string, tableName: string): string[] {
  return [
    `alter table ${table} add column if not exists checksum text, add column if not exists duration_ms int, add column if not exists executed_by text, add column if not exists app_version text, add column if not exists source text`,
    // Two rows of one name are reported by the integrity check, so here they must not fail the upgrade.
    `do $$ begin create unique index if not exists ${quote(`${tableName}_name_unique`)} on ${table} (name); exception when unique_violation then null; end $$`,
  ];
}

/** Who applies the migration: alice@laptop. */
export function userAtHost(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A container may run as a user id without a name.
    return `uid ${process.getuid?.() ?? '?'}@${hostname()}`;
  }
}
