import cluster from 'node:cluster';
import { flushCompileCache } from 'node:module';
import { MikroORM } from '@mikro-orm/postgresql';
import type { Logger } from 'pino';
import { ormConfig } from '../mikro-orm.config.ts';
import { type OpenDatabase, openDatabase } from './database/open-database.ts';
import { retryUntilAvailable } from './database/retry-until-available.ts';
import type { Environment } from './environment.ts';
import { applyPendingMigrations } from './migration-safety/index.ts';
import { shutdownTimeout } from './server/graceful-shutdown.ts';
import { Readiness } from './server/http/health.ts';
import { LoadShedder } from './server/http/load-shedding.ts';
import { openObservers } from './server/observability/observers.ts';
import { buildServer } from './server/server.ts';
import { Workers } from './server/workers.ts';

/**
 * Serves the blog in a database that was reached: the ORM, migrations if asked, HTTP. What it opens goes into `opened`. With
 * workers, HTTP is theirs: a worker is this same server on a database that is ready.
 */
export async function serve({ database, settings, log, opened, fail }: Parts): Promise<void> {
  const orm = await MikroORM.init(ormConfig(database));
  opened.push(orm);
  if (database.heartbeat) opened.push(database.heartbeat);

  const { migrateOnStart, host, port, webConcurrency } = settings;
  const migrations = migrateOnStart === 'off' ? 'not checked' : 'checked';
  const readiness = new Readiness(orm, database.embedded ?? database.heartbeat ?? null, migrations);
  const migrate = async () => {
    if (migrateOnStart === 'up') await applyMigrations(orm, settings, log);
    const fault = await readiness.migrationProblem();
    if (fault) log.error(fault);
  };
  const waiting = (err: unknown) => log.warn({ err }, 'The database is away; the server is unready until it arrives');
  const migrated = retryUntilAvailable(migrate, { waiting, fail });

  if (webConcurrency > 1) {
    await migrated;
    const workers = new Workers(
      variablesOfWorkers(settings, database),
      shutdownTimeout(settings.shutdownDelaySeconds),
      log,
    );
    if (settings.metrics) {
      const { collectWorkerMetrics, openMetricsPort } = await import('./server/observability/metrics-port.ts');
      opened.push(await openMetricsPort(() => collectWorkerMetrics(workers.listening), settings.metrics, log));
    }
    opened.push(workers);
    process.on('SIGHUP', () => void workers.restart());
    await workers.start(webConcurrency);
  } else {
    const loadShedder = new LoadShedder(settings);
    const observers = await openObservers(settings, { readiness, loadShedder, pool: database.pool ?? null, log });
    opened.push(...observers);
    // The schema is built while the database looks at its migrations.
    const [server] = await Promise.all([
      buildServer({ em: orm.em, log, settings, readiness, loadShedder, observers }),
      migrated,
    ]);
    opened.push(server);
    flushCompileCache(); // however this process ends, the next one starts faster; before it listens, since it takes a moment
    await server.listen({ host, port, backlog: 4096 }); // Linux has no more; of Node's 511, others wait in an overload
  }
  if (cluster.isPrimary) log.info(`GraphQL at http://${host}:${port}/graphql`);
}

/** What was found out here is not to be found out again; the embedded database is, for workers, any PostgreSQL. */
function variablesOfWorkers({ secretKey, migrateOnStart }: Settings, { embedded }: OpenDatabase): NodeJS.ProcessEnv {
  const { host, port, user, password = '', dbName } = embedded?.connection ?? {};
  return {
    WEB_CONCURRENCY: '1',
    SECRET_KEY: secretKey,
    MIGRATE_ON_START: migrateOnStart === 'up' ? 'check' : migrateOnStart,
    ...(embedded && { DB_HOST: host, DB_PORT: String(port), DB_USER: user, DB_PASS: password, DB_NAME: dbName }),
  };
}

interface Parts {
  readonly database: OpenDatabase;
  readonly settings: Settings;
  readonly log: Logger;
  readonly opened: { close(): Promise<unknown> }[];
  /** Called with what keeps this server from ever serving. */
  readonly fail: (error: unknown) => never;
}

type Settings = Environment & { readonly secretKey: string };

/** On connections of their own where requests have limits on theirs: a migration may take as long as it needs. */
async function applyMigrations(serving: MikroORM, environment: Environment, log: Logger): Promise<void> {
  const orm = environment.databaseUrl
    ? await MikroORM.init(ormConfig(await openDatabase(environment, 'command')))
    : serving;
  try {
    for (const name of await applyPendingMigrations(orm)) log.info(`Applied ${name}`);
  } finally {
    if (orm !== serving) await orm.close(true);
  }
}
