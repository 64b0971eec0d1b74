import cluster from 'node:cluster';
import { flushCompileCache } from 'node:module';
import { MikroORM } from '@mikro-orm/postgresql';
import type { Logger } from 'pino';
import { ormConfig } from '../mikro-orm.config.ts';
import { ReadCounter } from './articles/reads/read-counter.ts';
import { type OpenDatabase, openDatabase } from './database/open-database.ts';
import { retryUntilAvailable } from './database/retry-until-available.ts';
import type { Environment } from './environment.ts';
import { applyPendingMigrations, checkEncoding } from './migration-safety/index.ts';
import { LIBPQ_VARIABLES } from './postgres-url.ts';
import { runBackfills } from './server/background-backfills.ts';
import { shutdownTimeout } from './server/graceful-shutdown.ts';
import { Readiness } from './server/http/health.ts';
import { LoadShedder } from './server/http/load-shedding.ts';
import { openObservers } from './server/observability/observers.ts';
import { buildServer } from './server/server.ts';
import { Workers } from './server/workers.ts';

/**
 * Serves the blog from an open database: the ORM, migrations if configured, then HTTP in this process or in workers. A worker
 * runs this same function on a database that is already migrated. Everything opened here is pushed to `opened`.
 */
export async function serve(start: Start): Promise<void> {
  const { database, settings, log, opened } = start;
  const orm = await MikroORM.init({ ...ormConfig(database), ...loggingTo(log, database) });
  opened.push(orm);
  if (database.heartbeat) opened.push(database.heartbeat);

  const migrations = settings.migrateOnStart === 'off' ? 'not checked' : 'checked';
  const readiness = new Readiness(orm, database.embedded ?? database.heartbeat ?? null, migrations);
  const migrated = migrate(orm, readiness, start);
  if (settings.webConcurrency > 1) {
    await migrated;
    await serveInWorkers(start);
  } else await serveInProcess(orm, readiness, migrated, start);
  if (cluster.isPrimary) log.info(`GraphQL at http://${settings.host}:${settings.port}/graphql`);
}

interface Start {
  readonly database: OpenDatabase;
  readonly settings: Settings;
  readonly log: Logger;
  readonly opened: { close(): Promise<unknown> }[];
  /** Called with an error that keeps this server from ever serving. */
  readonly fail: (error: unknown) => never;
}

type Settings = Environment & { readonly secretKey: string };

async function migrate(orm: MikroORM, readiness: Readiness, { settings, log, fail }: Start): Promise<void> {
  const applyAndCheck = async () => {
    await checkEncoding(orm);
    if (settings.migrateOnStart === 'up') await applyMigrations(orm, settings, log);
    const problem = await readiness.migrationProblem();
    if (problem) log.error(problem);
  };
  const onUnavailable = (err: unknown) => log.warn({ err }, 'Database unavailable, retrying');
  await retryUntilAvailable(applyAndCheck, { onUnavailable, fail });
}

/** Uses connections without the limits of those that serve requests: a migration may take as long as it needs. */
async function applyMigrations(serving: MikroORM, environment: Environment, log: Logger): Promise<void> {
  const orm = environment.postgres ? await ormForMigrations(environment, log) : serving;
  try {
    await applyPendingMigrations(orm, ({ name, number, of }) => log.info({ number, of }, `Applied ${name}`));
  } finally {
    if (orm !== serving) await orm.close(true);
  }
}

async function ormForMigrations(environment: Environment, log: Logger): Promise<MikroORM> {
  const database = await openDatabase(environment, 'command');
  return MikroORM.init({ ...ormConfig(database), ...loggingTo(log, database) });
}

/**
 * Writes MikroORM's messages to the log. On the embedded database they are debug lines: they warn about code that is still running,
 * and there is none.
 */
const loggingTo = (log: Logger, { embedded }: OpenDatabase) => ({
  colors: false,
  logger: (line: string) => (embedded || IS_IN_THE_LOG.test(line) ? log.debug(line) : log.info(line)),
});

/** `applyMigrations` logs each applied migration with its number. */
const IS_IN_THE_LOG = /^\[migrator\] (Processing|Applied) /;

async function serveInWorkers({ database, settings, log, opened }: Start): Promise<void> {
  const timeout = shutdownTimeout(settings.shutdownDelaySeconds);
  const workers = new Workers(workerVariables(settings, database), timeout, log);
  if (settings.metrics) {
    const { collectWorkerMetrics, openMetricsPort } = await import('./server/observability/metrics-port.ts');
    opened.push(await openMetricsPort(() => collectWorkerMetrics(workers.listening), settings.metrics, log));
  }
  opened.push(workers);
  process.on('SIGHUP', () => void workers.restart());
  await workers.start(settings.webConcurrency);
}

/** They do not concern the embedded database. */
const NO_LIBPQ_VARIABLES = Object.fromEntries(LIBPQ_VARIABLES.map((name) => [name, '']));

/** Passes on what this process has already resolved. Workers connect to the embedded database as to any PostgreSQL. */
function workerVariables({ secretKey, migrateOnStart }: Settings, { embedded }: OpenDatabase): NodeJS.ProcessEnv {
  const { host, port, user, password = '', dbName } = embedded?.connection ?? {};
  return {
    WEB_CONCURRENCY: '1',
    SECRET_KEY: secretKey,
    MIGRATE_ON_START: migrateOnStart === 'up' ? 'check' : migrateOnStart,
    ...(embedded && {
      ...NO_LIBPQ_VARIABLES,
      DB_HOST: host,
      DB_PORT: String(port),
      DB_USER: user,
      DB_PASS: password,
      DB_NAME: dbName,
    }),
  };
}

async function serveInProcess(
  orm: MikroORM,
  readiness: Readiness,
  migrated: Promise<void>,
  { database, settings, log, opened }: Start,
): Promise<void> {
  const loadShedder = new LoadShedder(settings);
  const observers = await openObservers(settings, { readiness, loadShedder, pool: database.pool ?? null, log });
  opened.push(...observers);
  const readCounter = new ReadCounter(orm.em, settings, log);
  // The schema is built while the database checks its migrations.
  const [server] = await Promise.all([
    buildServer({ em: orm.em, log, settings, readiness, loadShedder, readCounter, observers }),
    migrated,
  ]);
  const { searchLanguage } = settings;
  opened.push(runBackfills(orm, { readiness, searchLanguage, log }), readCounter, server);
  // Speeds up the next start, however this process ends. It takes a moment, so it runs before the server listens.
  flushCompileCache();
  await server.listen({ host: settings.host, port: settings.port, backlog: BACKLOG });
}

/** Linux allows no more. With Node's 511, clients wait to connect under overload. */
const BACKLOG = 4096;
