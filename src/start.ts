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

/** Starts the server: environment, database, and what serving.ts does with them; on SIGTERM the same backwards. */
async function start(environment: Environment): Promise<void> {
  const log = createLogger(environment.logLevel);
  const opened = toBeClosed(environment, log);
  const settings = { ...environment, secretKey: environment.secretKey ?? secretKeyOfThisMachine(environment, log) };

  // Without an engine in this process, all there is of WebAssembly is the parser that reads our migrations at the start.
  // To optimize that would take 400 MB for a moment, and win nothing.
  if (environment.databaseUrl) for (const flag of BASELINE_ONLY) setFlagsFromString(flag);
  // The rest is loaded here while the embedded database opens in its thread.
  const [database, { serve }] = await Promise.all([
    openDatabase(environment, 'server', (line) => log.info(line)),
    import('./serve.ts'),
  ]);
  if (database.embedded) opened.push(database.embedded);
  await serve({ database, settings, log, opened, fail: stop });
}

const BASELINE_ONLY = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering'];

/** What is pushed here is closed on SIGTERM and its like, the last one first. */
function toBeClosed({ webConcurrency, shutdownDelaySeconds }: Environment, log: Logger) {
  const opened: { close(): Promise<unknown> }[] = [];
  let isClosing = false;
  const options: closeWithGrace.Options = {
    logger: log,
    delay: shutdownTimeout(shutdownDelaySeconds) + (webConcurrency > 1 ? PATIENCE_WITH_WORKERS : 0),
    skip: webConcurrency > 1 || cluster.isWorker ? ['SIGHUP'] : [],
  };
  const grace = closeWithGrace(options, async ({ err }) => {
    isClosing = true;
    if (err) log.fatal({ err }, 'A fault that nobody caught ends this process');
    for (const part of opened.toReversed()) await part.close();
  });
  if (cluster.isWorker) onShutdownMessage(() => isClosing || grace.close());
  return opened;
}

function secretKeyOfThisMachine({ dataFolder }: Environment, log: Logger): string {
  const { key, file } = loadSecretKey(dataFolder);
  log.warn(`SECRET_KEY is not set: tokens are signed with the key kept in ${file}. Production wants one of its own.`);
  return key;
}

/** Milliseconds more than its workers have. */
const PATIENCE_WITH_WORKERS = 5_000;

try {
  await start(readEnvironment());
} catch (error) {
  stop(error);
}

function stop(error: unknown): never {
  const explained = [EnvironmentError, DataFolderError, WorkerStartError].some((known) => error instanceof known);
  // By name: importing migration-safety here would load its parser before start() sets the flags for it.
  const isMigrationProblem = error instanceof Error && error.name === 'MigrationProblem';
  console.error(explained || isMigrationProblem ? (error as Error).message : error);
  process.exit(1);
}
