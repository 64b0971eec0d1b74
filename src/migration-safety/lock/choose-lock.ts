import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { ClientConfig } from 'pg';
import { runsAsCommand } from '../command-line.ts';
import type { Settings } from '../settings.ts';
import { AdvisoryLock } from './advisory-lock.ts';
import { FileLock } from './file-lock.ts';
import { type LockKind, type MigrationLock, NO_LOCK, withLock } from './lock.ts';

export interface ChosenLock {
  lock: MigrationLock;
  isFile: boolean;
  engineInProcess: boolean;
  /** Whether others may be using an engine that ends with this process. */
  ownsSharedEngine: () => boolean;
}

const fileLocks = new Map<string, FileLock>();

/** The lock for this database: as the options say, or what fits the driver. */
export function chooseLock(driver: AbstractSqlDriver, settings: Settings, tell: (text: string) => void): ChosenLock {
  const kind = lockKind(driver, settings);
  const waiting = { timeout: settings.lockTimeout, tell };
  const elsewhere = { isFile: false, engineInProcess: false, ownsSharedEngine: () => false };
  if (kind === 'none') return { lock: NO_LOCK, ...elsewhere };
  if (kind === 'advisory') {
    const helper = driver.getPlatform().getSchemaHelper();
    const management = helper?.getManagementDbName() || 'postgres';
    return { lock: new AdvisoryLock(clientConfig(driver), management, waiting), ...elsewhere };
  }
  const engineInProcess = isPglite(driver);
  // One for the process: an engine in the process keeps the lock until the end, and may be asked again before that.
  const lock = fileLocks.get(kind.file) ?? new FileLock(kind.file, waiting, engineInProcess);
  fileLocks.set(kind.file, lock);
  const ownsSharedEngine = () => kind.isOwner?.() === true;
  return { lock, isFile: true, engineInProcess, ownsSharedEngine };
}

/** Before a command opens an engine of its own: no other process may be at work in the same files until it ends. */
export async function lockUntilExit(find: () => ChosenLock): Promise<void> {
  if (!runsAsCommand()) return;
  const { lock, engineInProcess } = find();
  if (engineInProcess) await withLock(lock, async () => {});
}

/**
 * Before a command is ended that has the embedded database open for others, too: it takes it along, so it holds the lock
 * by then, when no migration of theirs is under way. One that takes longer than anybody waits is cut off all the same.
 * A command that ends well has no need of this: it stays for the others, who may be waiting for the very lock.
 */
export async function lockBeforeExit(find: () => ChosenLock): Promise<void> {
  if (!runsAsCommand()) return;
  try {
    const { lock, ownsSharedEngine } = find();
    if (!ownsSharedEngine()) return;
    await lock.acquire();
    process.once('exit', () => void lock.release());
  } catch {
    // What went wrong before is told, and is all there is to tell.
  }
}

/** The database whose advisory locks tell that a statement is at work; undefined where there are no such locks. */
export function workLockDatabase(driver: AbstractSqlDriver, settings: Settings): string | undefined {
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
export const isPglite = (driver: AbstractSqlDriver) => driver.constructor.name === 'PgliteDriver';

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
