import { MigrationProblem } from './problems.ts';

/** The connection to the URL of a setting, which an error names. The message leaves out the value, which may hold a password. */
export function connectionOfSetting(
  name: string,
  url: string,
  connectionOf: (url: string) => ConnectionTo,
): ConnectionTo {
  try {
    return connectionOf(url);
  } catch (error) {
    throw new MigrationProblem('bad-setting', `${name} ${(error as Error).message}`);
  }
}

/** Settings of the safe migrator in mikro-orm.config.ts. Durations are text with a unit: '3s'. */
export interface SafetyOptions {
  /** The lock between migrators. A file for the embedded database, whose connections share one session. */
  lock?: 'advisory' | 'none' | FileLockOptions;
  /**
   * MikroORM's options for the connection to a URL (MIGRATION_DATABASE_URL, MIGRATION_SHADOW_URL). By default MikroORM reads
   * the URL, and ignores its parameters, such as sslmode.
   */
  connectionOf?: (url: string) => ConnectionTo;
  /** The embedded database belongs to one developer, so destructive commands need no permission. Implied by a lock file. */
  embedded?: boolean;
  /** How long a statement waits for a table lock before the migration is retried. */
  tableLockTimeout?: string;
  /** The same for concurrent statements, which may wait longer because no query queues behind them. */
  concurrentLockTimeout?: string;
  statementTimeout?: string;
  /** How long a migrator waits for another to finish. */
  lockTimeout?: string;
  attempts?: number;
  /** Recorded beside each migration; by default the version in package.json. */
  appVersion?: string;
  /** Whether a migration older than the newest applied one may still be applied. */
  outOfOrder?: 'refuse' | 'allow';
  /** A command that migration:create runs after writing, such as a formatter; the paths of the files come after it. */
  afterWrite?: string;
  /** Where the schema that the migrations make is written as SQL, and its tables as Markdown; neither without a path. */
  schemaFile?: string;
  tablesFile?: string;
}

export interface ConnectionTo {
  clientUrl?: string;
  host?: string;
  port?: number;
  user?: string;
  password?: string;
  dbName?: string;
  driverOptions?: object;
}

export interface FileLockOptions {
  file: string;
  /**
   * Whether this process runs the engine that others share. The engine ends with the process, so a command keeps the
   * lock until it exits. A function, because MikroORM clones its options.
   */
  isOwner?: () => boolean;
}

export interface Settings {
  lock: 'advisory' | 'none' | FileLockOptions | undefined;
  connectionOf: (url: string) => ConnectionTo;
  embedded: boolean | undefined;
  tableLockTimeout: number;
  concurrentLockTimeout: number;
  statementTimeout: number;
  lockTimeout: number;
  attempts: number;
  appVersion: string | undefined;
  outOfOrder: 'refuse' | 'allow';
  disposable: string[];
  yesDestroy: string | undefined;
  renames: string | undefined;
  /** A server on which shadow databases are made, in place of the in-memory engine. */
  shadowUrl: string | undefined;
  /** Whether `migration:create` writes plain statements in one transaction, and not online DDL. */
  naive: boolean;
  /** Whether `migration:create` only prints what it would write. */
  dryRun: boolean;
  /** Whether all migrations of a run share one transaction. */
  singleTransaction: boolean;
  afterWrite: string | undefined;
  schemaFile: string | undefined;
  tablesFile: string | undefined;
  /** Whether migrations are linted, and tables checked for violating rows, before they run. Off when replaying history. */
  preflight: boolean;
}

type Environment = Record<string, string | undefined>;

/** The settings of the environment, then of the options, then the defaults. Read once per migrator. */
export function readSettings(options: SafetyOptions = {}, env: Environment = process.env): Settings {
  const duration = (name: string, option: string | undefined, fallback: string) =>
    milliseconds(env[name] || option || fallback, name);
  return {
    lock: options.lock,
    connectionOf: options.connectionOf ?? ((clientUrl) => ({ clientUrl })),
    embedded: options.embedded,
    tableLockTimeout: duration('MIGRATION_TABLE_LOCK_TIMEOUT', options.tableLockTimeout, '3s'),
    concurrentLockTimeout: duration('MIGRATION_CONCURRENT_LOCK_TIMEOUT', options.concurrentLockTimeout, '10min'),
    statementTimeout: duration('MIGRATION_STATEMENT_TIMEOUT', options.statementTimeout, '0'),
    lockTimeout: duration('MIGRATION_LOCK_TIMEOUT', options.lockTimeout, '10min'),
    attempts: wholeNumber('MIGRATION_ATTEMPTS', env.MIGRATION_ATTEMPTS) ?? options.attempts ?? 5,
    appVersion: env.MIGRATION_APP_VERSION || options.appVersion || env.npm_package_version,
    outOfOrder:
      oneOf('MIGRATION_OUT_OF_ORDER', env.MIGRATION_OUT_OF_ORDER, ['refuse', 'allow'] as const) ??
      options.outOfOrder ??
      'refuse',
    disposable: (env.DISPOSABLE_DATABASES ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
    yesDestroy: env.MIGRATION_YES_DESTROY || undefined,
    renames: env.MIGRATION_RENAMES || undefined,
    shadowUrl: env.MIGRATION_SHADOW_URL || undefined,
    preflight: true,
    naive: isOn(env.MIGRATION_NAIVE),
    dryRun: isOn(env.MIGRATION_DRY_RUN),
    singleTransaction: isOn(env.MIGRATION_SINGLE_TRANSACTION),
    afterWrite: env.MIGRATION_AFTER_WRITE || options.afterWrite,
    schemaFile: options.schemaFile,
    tablesFile: options.tablesFile,
  };
}

const isOn = (text: string | undefined) => ['1', 'true', 'yes'].includes(text ?? '');

const UNITS: Record<string, number> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 };

/** '3s' is 3000. A bare number is refused, because PostgreSQL reads it as milliseconds and most people as seconds. */
export function milliseconds(text: string, name: string): number {
  if (text === '0') return 0;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|min|h)$/.exec(text.trim()) ?? [];
  if (!amount || !unit) {
    throw new MigrationProblem(
      'bad-setting',
      `${name} is "${text}"; it must be a duration with a unit, such as 500ms, 3s or 10min (0 for no limit).`,
    );
  }
  return Math.round(Number(amount) * (UNITS[unit] ?? 1));
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (!text) return undefined;
  if (!/^[1-9]\d*$/.test(text)) {
    throw new MigrationProblem('bad-setting', `${name} is "${text}"; it must be a whole number, at least 1.`);
  }
  return Number(text);
}

function oneOf<T extends string>(name: string, text: string | undefined, allowed: readonly T[]): T | undefined {
  if (!text) return undefined;
  if (!allowed.includes(text as T)) {
    throw new MigrationProblem('bad-setting', `${name} is "${text}"; it must be one of: ${allowed.join(', ')}.`);
  }
  return text as T;
}
