import { existsSync } from 'node:fs';
import { join } from 'node:path';
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
  /** Whether other processes may be using an engine that ends with this process. */
  ownsSharedEngine: () => boolean;
}

/** The lock for this database: the one in the options, or the one that suits the driver. */
export function chooseLock(driver: AbstractSqlDriver, settings: Settings, log: (text: string) => void): ChosenLock {
  const kind = lockKind(driver, settings);
  const wait = { timeout: settings.lockTimeout, log };
  const noFile = { isFile: false, engineInProcess: false, ownsSharedEngine: () => false };
  if (kind === 'none') return { lock: NO_LOCK, ...noFile };
  if (kind === 'advisory') {
    const management = driver.getPlatform().getSchemaHelper()?.getManagementDbName() || 'postgres';
    return { lock: new AdvisoryLock(clientConfig(driver), management, wait), ...noFile };
  }
  const engineInProcess = isPglite(driver);
  // One instance per process: with an engine in the process the lock is held until exit, and may be acquired again.
  const lock = fileLocks.get(kind.file) ?? new FileLock(kind.file, wait, engineInProcess);
  fileLocks.set(kind.file, lock);
  const ownsSharedEngine = () => kind.isOwner?.() === true;
  return { lock, isFile: true, engineInProcess, ownsSharedEngine };
}

/** Before a command opens an engine of its own: excludes other processes from its files until the command ends. */
export async function lockUntilExit(find: () => ChosenLock): Promise<void> {
  if (!runsAsCommand()) return;
  const { lock, engineInProcess } = find();
  if (engineInProcess) await withLock(lock, async () => {});
}

/**
 * For a failed command that owns an embedded engine which other processes use. Its exit ends the engine, so it first waits
 * for the lock: until no other process migrates, or the timeout. A command that succeeds needs no lock: it keeps the
 * engine open for the others, which may be waiting for this lock.
 */
export async function lockBeforeExit(find: () => ChosenLock): Promise<void> {
  if (!runsAsCommand()) return;
  try {
    const { lock, ownsSharedEngine } = find();
    if (!ownsSharedEngine()) return;
    await lock.acquire();
    process.once('exit', () => void lock.release());
  } catch {
    // Only the error the command failed with is reported.
  }
}

/** The database whose work lock (see advisory-lock.ts) shows that a statement is running; undefined without advisory locks. */
export function workLockDatabase(driver: AbstractSqlDriver, settings: Settings): string | undefined {
  return lockKind(driver, settings) === 'advisory' ? clientConfig(driver).database : undefined;
}

/** Whether this is the embedded database, which belongs to one developer. */
export function isEmbedded(driver: AbstractSqlDriver, settings: Settings): boolean {
  return settings.embedded ?? (isPglite(driver) || typeof settings.lock === 'object');
}

function lockKind(driver: AbstractSqlDriver, settings: Settings): LockKind {
  if (settings.lock) return settings.lock;
  if (!isPglite(driver)) return 'advisory';
  const folder = dataFolder(driver);
  return folder ? { file: `${folder.replace(/\/+$/, '')}.migration.lock` } : 'none';
}

/** Checked by name, because the driver of the embedded engine may not be installed. */
export const isPglite = (driver: AbstractSqlDriver) => driver.constructor.name === 'PgliteDriver';

/** Whether the database is on a server, or its files exist: opening an engine would create them. */
export function dataFolderExists(driver: AbstractSqlDriver): boolean {
  const folder = isPglite(driver) ? dataFolder(driver) : undefined;
  return folder === undefined || existsSync(join(folder, 'PG_VERSION'));
}

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

const fileLocks = new Map<string, FileLock>();
