import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { ClientConfig } from 'pg';
import { AdvisoryLock } from './advisory-lock.ts';
import { FileLock } from './file-lock.ts';
import { type LockKind, type MigrationLock, noLock } from './lock.ts';
import type { Settings } from './settings.ts';

const fileLocks = new Map<string, FileLock>();

/** The lock for this database: as the options say, or what fits the driver. */
export function lockFor(
  driver: AbstractSqlDriver,
  settings: Settings,
  tell: (text: string) => void,
): { lock: MigrationLock; engineInProcess: boolean } {
  const kind = lockKind(driver, settings);
  const waiting = { timeout: settings.lockTimeout, tell };
  if (kind === 'none') return { lock: noLock, engineInProcess: false };
  if (kind === 'advisory') {
    const helper = driver.getPlatform().getSchemaHelper();
    return {
      lock: new AdvisoryLock(clientConfig(driver), helper?.getManagementDbName() || 'postgres', waiting),
      engineInProcess: false,
    };
  }
  const engineInProcess = isPglite(driver);
  // One for the process: an engine in the process keeps the lock until the end, and may be asked again before that.
  const lock = fileLocks.get(kind.file) ?? new FileLock(kind.file, waiting, { untilExit: engineInProcess });
  fileLocks.set(kind.file, lock);
  return { lock, engineInProcess };
}

/** The database whose advisory locks tell that a statement is at work; undefined where there are no such locks. */
export function markedDatabase(driver: AbstractSqlDriver, settings: Settings): string | undefined {
  return lockKind(driver, settings) === 'advisory' ? clientConfig(driver).database : undefined;
}

/** Whether the database is the embedded one, which belongs to one developer. */
export function isEmbedded(driver: AbstractSqlDriver, settings: Settings): boolean {
  return settings.embedded ?? (isPglite(driver) || typeof settings.lock === 'object');
}

function lockKind(driver: AbstractSqlDriver, settings: Settings): LockKind {
  if (settings.lock) return settings.lock;
  if (!isPglite(driver)) return 'advisory';
  const folder = dataFolder(driver);
  return folder ? { file: `${folder.replace(/\/+$/, '')}.migration.lock` } : 'none';
}

// By name, because the driver of the embedded engine need not be installed.
const isPglite = (driver: AbstractSqlDriver) => driver.constructor.name === 'PgliteDriver';

function dataFolder(driver: AbstractSqlDriver): string | undefined {
  const options = driver.config.get('driverOptions') as { dataDir?: string; pglite?: unknown } | undefined;
  const folder = options?.dataDir ?? driver.config.get('dbName');
  return options?.pglite || !folder || folder.startsWith('memory:') ? undefined : folder.replace(/^file:\/\//, '');
}

function clientConfig(driver: AbstractSqlDriver): ClientConfig {
  const options = driver.config.get('driverOptions') as ClientConfig | undefined;
  const plain = typeof options === 'object' && options !== null && !('createDriver' in options) ? options : {};
  const { host, port, user, password, database } = driver.getConnection().getConnectionOptions() as ClientConfig;
  const known = { host, port, user, password, database };
  return { ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)), ...plain };
}
