import { readFileSync } from 'node:fs';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { MikroORM } from '@mikro-orm/postgresql';
import { print } from 'graphql';
import { pino } from 'pino';
import { afterAll, beforeEach, inject } from 'vitest';
import { ormConfig } from '../../mikro-orm.config.ts';
import { ReadCounter } from '../../src/articles/reads/read-counter.ts';
import { Sessions } from '../../src/auth/sessions.ts';
import { openEmbeddedDatabase } from '../../src/embedded-postgres/embedded-database.ts';
import { Readiness } from '../../src/server/http/health.ts';
import { buildServer } from '../../src/server/server.ts';
import { databaseOn, onServer } from './migrated-template.ts';

/** The real server on a migrated database for this test file only; all rows are deleted before each test. */

export const settings = {
  secretKey: 'a secret key for tests, longer than 32 bytes',
  secretKeyFallbacks: ['an old secret key for tests, longer than 32 bytes'],
  accessTokenMinutes: 30,
  refreshTokenDays: 30,
  refuseCommonPasswords: false,
  allowedOrigins: ['https://blog.example'],
  guestCacheSeconds: 0,
  preparedStatements: true,
  playground: true,
  rest: true,
  registrationsPerHour: 100,
  trustedDocumentsOnly: false,
  introspection: true,
  maxInFlight: 2000,
  maxWaitMilliseconds: 60_000,
  shutdownDelaySeconds: 0,
  production: false,
  trustProxy: [] as string[],
  maxConnections: 2000,
  requestTimeoutSeconds: 60,
};
const database = await copyOfTemplate();
export const { orm } = database;
export const sessions = new Sessions(settings);
const log = pino({ level: process.env.LOG_LEVEL ?? 'fatal' });
export const readCounter = new ReadCounter(orm.em, settings, log);
export const server = await buildServer({
  em: orm.em,
  log,
  settings,
  readCounter,
  readiness: new Readiness(orm, null, 'not checked'),
});
export const address = await server.listen({ port: 0, host: '127.0.0.1' });

beforeEach(deleteAllRows);

afterAll(async () => {
  await server.close();
  await readCounter.close();
  await orm.close();
  await database.close();
});

/**
 * Waits for open transactions and buffered reads, deletes all rows and resets the ids. `truncate` takes ten times as long, since it creates new
 * files for all tables and syncs them.
 */
export async function deleteAllRows(): Promise<void> {
  await readCounter.flush();
  await orm.em.fork().execute(`
    lock table users, tags, rate_limits;
    delete from users;
    delete from tags;
    delete from rate_limits;
    delete from article_reads;
    select setval(quote_ident(sequencename)::regclass, 1, false)
      from pg_sequences where sequencename not like 'mikro_orm_%'`);
}

/** Executes the document, as a guest unless `as` is given. All other properties are its variables. */
export async function executeGraphql<R, V extends object>(
  document: TypedDocumentNode<R, V> | string,
  { as, ...variables }: V & { as?: { token: string } } = {} as V,
): Promise<GraphQLResponse<R>> {
  const query = typeof document === 'string' ? document : print(document);
  const { body } = await post({ query, variables }, as ? { authorization: `Token ${as.token}` } : {});
  return body as GraphQLResponse<R>;
}

/** Sends one HTTP request to /graphql. */
export async function post(body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as GraphQLResponse<unknown>,
  };
}

export interface GraphQLResponse<R> {
  data: R;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string; [more: string]: unknown } }[];
}

async function copyOfTemplate() {
  const template = inject('template');
  if (template.kind === 'embedded') {
    const embedded = await openEmbeddedDatabase({ folder: 'memory', loadDataDir: readFileSync(template.dump) });
    const migrationLock = `${template.dump}.${process.pid}.lock`;
    const config = ormConfig({ connection: embedded.connection, migrationLock });
    return { orm: await MikroORM.init(config), close: () => embedded.close() };
  }
  const { server, name } = template;
  const copy = `${name}_${process.pid}_${Date.now()}`;
  await onServer(server, (client) => client.query(`create database ${copy} template ${name}`));
  return {
    orm: await MikroORM.init(ormConfig({ connection: { clientUrl: databaseOn(server, copy) } })),
    close: async () => {},
  };
}
