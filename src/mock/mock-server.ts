import { randomBytes } from 'node:crypto';
import { MikroORM } from '@mikro-orm/postgresql';
import type { FastifyInstance } from 'fastify';
import { ormConfig } from '../../mikro-orm.config.ts';
import { ReadCounter } from '../articles/reads/read-counter.ts';
import type { EmbeddedDatabase } from '../embedded-postgres/embedded-database.ts';
import type { Environment } from '../environment.ts';
import { serverAt, USUAL_SERVER } from '../seeding/pictures.ts';
import { Readiness } from '../server/http/health.ts';
import { createLogger } from '../server/observability/log.ts';
import { buildServer } from '../server/server.ts';

/** The server on the demo database, which it closes when it is closed. */
export async function buildMockServer(embedded: EmbeddedDatabase, environment: Environment): Promise<FastifyInstance> {
  const orm = await MikroORM.init(ormConfig({ connection: embedded.connection, embedded }));
  const log = createLogger('warn');
  const settings = { ...environment, secretKey: environment.secretKey ?? randomBytes(32).toString('base64') };
  const readCounter = new ReadCounter(orm.em, settings, log);
  const server = await buildServer({
    em: orm.em,
    log,
    settings,
    readCounter,
    readiness: new Readiness(orm, embedded, 'not checked'),
  });
  // The pictures of people in the copy of the demo blog are at the usual address.
  server.addHook('onListen', async () => {
    const [bound] = server.addresses();
    const port = typeof bound === 'object' ? bound.port : environment.port;
    await orm.em.fork().execute('update users set image = replace(image, ?, ?)', [USUAL_SERVER, serverAt(port)]);
  });
  server.addHook('onClose', async () => {
    await readCounter.close();
    await orm.close();
    await embedded.close();
  });
  return server;
}
