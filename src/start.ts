import cluster from 'node:cluster';
import { setFlagsFromString } from 'node:v8';
import closeWithGrace from 'close-with-grace';
import type { Logger } from 'pino';
import { loadSecretKey } from './auth/secret-key.ts';
import { openDatabase } from './database/open-database.ts';
import { DataFolderError } from './embedded-postgres/embedded-database.ts';
import { type Environment, EnvironmentError, readEnvironment } from './environment.ts';
import { shutdownTimeout } from './server/graceful-shutdown.ts';
import { createLogger } from './server/observability/log.ts';
import { onShutdownMessage, WorkerStartError } from './server/workers.ts';

/** Starts the server: database first, then what serve.ts opens. On SIGTERM everything is closed in reverse order. */
async function start(environment: Environment): Promise<void> {
  const log = createLogger(environment.logLevel);
  const opened = closeOnExit(environment, log);
  const settings = { ...environment, secretKey: environment.secretKey ?? loadLocalSecretKey(environment, log) };

  // Without the embedded engine, the only WebAssembly in this process is the parser that reads the migrations at start.
  // Optimizing it would take 400 MB for a moment and gain nothing.
  if (environment.postgres) for (const flag of NO_WASM_TIER_UP) setFlagsFromString(flag);
  if (!environment.postgres) log.info(`Opening the embedded database in ${environment.dataFolder}`);
  // Loads the server while the embedded database opens in its own thread.
  const [database, { serve }] = await Promise.all([
    openDatabase(environment, 'server', (line) => log.info(line)),
    import('./serve.ts'),
  ]);
  if (database.embedded) opened.push(database.embedded);
  await serve({ database, settings, log, opened, fail: exitWithError });
}

const NO_WASM_TIER_UP = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering'];

/** Returns a list whose members are closed, last one first, on SIGTERM, SIGINT or an uncaught error. */
function closeOnExit({ webConcurrency, shutdownDelaySeconds }: Environment, log: Logger) {
  const opened: { close(): Promise<unknown> }[] = [];
  let isClosing = false;
  const options: closeWithGrace.Options = {
    logger: log,
    delay: shutdownTimeout(shutdownDelaySeconds) + (webConcurrency > 1 ? WORKER_EXIT_MARGIN : 0),
    skip: webConcurrency > 1 || cluster.isWorker ? ['SIGHUP'] : [],
  };
  const grace = closeWithGrace(options, async ({ err }) => {
    isClosing = true;
    if (err) log.fatal({ err }, 'Uncaught error, shutting down');
    for (const resource of opened.toReversed()) await resource.close();
  });
  if (cluster.isWorker) onShutdownMessage(() => isClosing || grace.close());
  return opened;
}

function loadLocalSecretKey({ dataFolder }: Environment, log: Logger): string {
  const { key, file } = loadSecretKey(dataFolder);
  log.warn(`SECRET_KEY is not set, signing tokens with the key in ${file}. Production requires SECRET_KEY.`);
  return key;
}

/** Milliseconds that the primary waits longer than its workers. */
const WORKER_EXIT_MARGIN = 5_000;

try {
  await start(readEnvironment());
} catch (error) {
  exitWithError(error);
}

function exitWithError(error: unknown): never {
  const isOperatorError = [EnvironmentError, DataFolderError, WorkerStartError].some((type) => error instanceof type);
  // By name: importing migration-safety here would load its parser before start() sets the flags for it.
  const isMigrationProblem = error instanceof Error && error.name === 'MigrationProblem';
  console.error(isOperatorError || isMigrationProblem ? (error as Error).message : error);
  process.exit(1);
}
