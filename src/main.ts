import { MikroORM } from '@mikro-orm/postgresql';
import closeWithGrace from 'close-with-grace';
import { type Logger, pino } from 'pino';
import { ormConfig } from '../mikro-orm.config.ts';
import { reachDatabase } from './database/connecting.ts';
import { DatabaseIsHeld } from './database/embedded/embedded.ts';
import { applyMigrations } from './database/migrating.ts';
import { type Environment, EnvironmentFaults, readEnvironment } from './environment.ts';
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

  const { connection, embedded } = await reachDatabase(environment, 'server', (line) => log.info(line));
  if (embedded) opened.push(embedded);
  const orm = await MikroORM.init(ormConfig(connection));
  opened.push(orm);

  if (environment.migrateOnStart === 'up') {
    for (const name of await applyMigrations(orm)) log.info(`Applied ${name}`);
  }
  const readiness = new Readiness(orm, embedded, environment.migrateOnStart === 'check' ? 'checked' : 'not checked');
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
  const explained = error instanceof EnvironmentFaults || error instanceof DatabaseIsHeld;
  console.error(explained ? error.message : error);
  process.exit(1);
}
