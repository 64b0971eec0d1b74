import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { ormConfig } from '../../mikro-orm.config.ts';
import { openEmbeddedDatabase } from '../../src/embedded-postgres/embedded-database.ts';
import { applyPendingMigrations } from '../../src/migration-safety/index.ts';

/** Migrates one database before all tests; every test file gets a copy. */
export type Template =
  | { kind: 'embedded'; dump: string }
  /** A database to copy; `server` is the URL of another database on the same server. */
  | { kind: 'postgres'; server: string; name: string };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { databaseUrl } = project.config.provide;
  const { template, remove } = databaseUrl ? await postgresTemplate(databaseUrl) : await embeddedTemplate();
  project.provide('template', template);
  return remove;
}

async function embeddedTemplate() {
  const folder = mkdtempSync(join(tmpdir(), 'conduit-test-'));
  const embedded = await openEmbeddedDatabase({ folder: 'memory' });
  await migrate({ connection: embedded.connection, migrationLock: join(folder, 'migration.lock') });
  const dump = join(folder, 'migrated.tar');
  writeFileSync(dump, await embedded.dumpDataDir());
  await embedded.close();
  const template: Template = { kind: 'embedded', dump };
  return { template, remove: async () => rmSync(folder, { recursive: true }) };
}

async function postgresTemplate(server: string) {
  const name = `conduit_test_${randomBytes(4).toString('hex')}`;
  await onServer(server, async (client) => void (await client.query(`create database ${name}`)));
  await migrate({ connection: { clientUrl: databaseOn(server, name) } });
  const template: Template = { kind: 'postgres', server, name };
  const remove = () =>
    onServer(server, async (client) => {
      const { rows } = await client.query(`select datname from pg_database where datname like '${name}%'`);
      for (const { datname } of rows) await client.query(`drop database ${datname} with (force)`);
    });
  return { template, remove };
}

async function migrate(database: Parameters<typeof ormConfig>[0]): Promise<void> {
  const config = ormConfig(database);
  const orm = await MikroORM.init({ ...config, migrations: { ...config.migrations, silent: true } });
  await applyPendingMigrations(orm);
  await orm.close();
}

export async function onServer<T>(server: string, act: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}

export const databaseOn = (server: string, name: string): string =>
  Object.assign(new URL(server), { pathname: name }).href;

declare module 'vitest' {
  export interface ProvidedContext {
    databaseUrl: string | null;
    template: Template;
    distinctDocuments: number;
  }
}
