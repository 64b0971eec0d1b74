import { MikroORM } from '@mikro-orm/postgresql';
import closeWithGrace from 'close-with-grace';
import { type Logger, pino } from 'pino';
import { ormConfig } from '../mikro-orm.config.ts';
import { reachDatabase } from './database/connecting.ts';
import { DatabaseIsHeld } from './database/embedded/embedded.ts';
import { type Environment, EnvironmentFaults, readEnvironment } from './environment.ts';
import { applyPendingMigrations, MigrationProblem } from './migration-safety/plug.ts';
import { Readiness } from './server/health.ts';
import { buildServer } from './server/server.ts';
import { keptSecretKey } from './users/secret-key.ts';

/** Starts the server: environment, database, migrations if asked, HTTP; on SIGTERM the same backwards. */
async function start(environment: Environment): Promise<void> {
  const log = pino({ level: environment.logLevel });
  const opened: { close(): Promise<unknown> }[] = [];
  closeWithGrace({ logger: log }, async () => {
    for (const part of opened.toReversed()) await part.close();
  });
  const settings = { ...environment, secretKey: environment.secretKey ?? secretKeyOfThisMachine(environment, log) };

  const reached = await reachDatabase(environment, 'server', (line) => log.info(line));
  if (reached.embedded) opened.push(reached.embedded);
  const orm = await MikroORM.init(ormConfig(reached));
  opened.push(orm);

  if (environment.migrateOnStart === 'up') {
    for (const name of await applyPendingMigrations(orm)) log.info(`Applied ${name}`);
  }
  const readiness = new Readiness(
    orm,
    reached.embedded ?? null,
    environment.migrateOnStart === 'check' ? 'checked' : 'not checked',
  );
  const fault = await readiness.migrationFault();
  if (fault) log.error(fault);

  const server = await buildServer({ em: orm.em, log, settings, readiness });
  opened.push(server);
  await server.listen({ host: environment.host, port: environment.port });
  log.info(`GraphQL at http://${environment.host}:${environment.port}/graphql`);
}

function secretKeyOfThisMachine({ dataFolder }: Environment, log: Logger): string {
  const { key, file } = keptSecretKey(dataFolder);
  log.warn(`SECRET_KEY is not set: tokens are signed with the key kept in ${file}. Production wants one of its own.`);
  return key;
}

try {
  await start(readEnvironment());
} catch (error) {
  const explained = [EnvironmentFaults, DatabaseIsHeld, MigrationProblem].some((known) => error instanceof known);
  console.error(explained ? (error as Error).message : error);
  process.exit(1);
}
