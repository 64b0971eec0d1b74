import type { Method, MigrationFile } from '../history/migration-file.ts';
import { upgradeTableSql, userAtHost } from '../history/migration-storage.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { MigrationProblem } from '../problems.ts';
import { literal } from '../sql/quote.ts';
import { readRange } from './range.ts';

/**
 * The SQL that migrates a database from one point of history to another, for environments where migrations can't run
 * as code: with transactions, timeouts and rows of the tracking table. Reads files only.
 */
export async function offlineSql(migrator: MigratorParts, range = 'base:head'): Promise<string> {
  const files = await migrator.readMigrations();
  const { start, end } = readRange(
    range,
    files.map(({ name }) => name),
    'migration:sql',
  );
  const method: Method = start <= end ? 'up' : 'down';
  const chosen = method === 'up' ? files.slice(start, end) : files.slice(end, start).reverse();
  refuseDynamic(chosen, method);
  const table = migrator.storage.quotedTable();
  const { tableName } = migrator.storage.getTableName();
  const settings = migrator.settings;
  const timeouts = (migration: MigrationFile, scope: string) => [
    `set ${scope}lock_timeout = ${migration.lockTimeout ?? (scope ? settings.tableLockTimeout : settings.concurrentLockTimeout)};`,
    `set ${scope}statement_timeout = ${migration.statementTimeout ?? settings.statementTimeout};`,
  ];
  const blocks = chosen.map((migration) => {
    const statements = migration[method].map(({ sql }) => terminated(sql));
    const row = method === 'up' ? insertRow(table, migration, settings.appVersion) : deleteRow(table, migration);
    const body = migration.transactional
      ? ['begin;', ...timeouts(migration, 'local '), ...statements, row, 'commit;']
      : [...timeouts(migration, ''), ...statements, 'reset lock_timeout;', 'reset statement_timeout;', row];
    return [`-- ${migration.name} (${method})`, ...body].join('\n');
  });
  const head = [
    `-- ${range}: run it with psql -v ON_ERROR_STOP=1, so that it stops at the first error.`,
    ...(start === 0 && method === 'up' ? trackingTableSql(table, tableName) : []),
  ];
  return `${[head.join('\n'), ...blocks].join('\n\n')}\n`;
}

/** A semicolon after a line comment would be part of it. */
const terminated = (sql: string) => (/--[^\n]*$/.test(sql) ? `${sql}\n;` : `${sql};`);

function refuseDynamic(chosen: MigrationFile[], method: Method): void {
  const dynamic = chosen.filter((migration) => migration.dynamic[method]);
  if (dynamic.length === 0) return;
  throw new MigrationProblem(
    'unreadable',
    `The statements of these migrations depend on the data, so they cannot be written in advance:\n${dynamic.map(({ name }) => `  ${name}`).join('\n')}\nLeave them out of the range (FROM:TO), and run them with npx mikro-orm migration:up --only <name>.`,
  );
}

/** MikroORM's statement and the additional columns; does nothing if the table exists. */
const trackingTableSql = (table: string, tableName: string) => [
  `create table if not exists ${table} ("id" serial primary key, "name" varchar(255) not null, "executed_at" timestamptz(6) not null default current_timestamp(6));`,
  ...upgradeTableSql(table, tableName).map((sql) => `${sql};`),
];

const insertRow = (table: string, { name, checksum, source }: MigrationFile, appVersion: string | undefined) =>
  `insert into ${table} (name, checksum, executed_by, app_version, source) values (${[name, checksum, userAtHost(), appVersion, source].map(literal).join(', ')});`;

const deleteRow = (table: string, { name }: MigrationFile) => `delete from ${table} where name = ${literal(name)};`;
