import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import { ormConfig } from '../../mikro-orm.config.ts';
import type { EmbeddedDatabase } from '../embedded-postgres/embedded-database.ts';
import { applyPendingMigrations } from '../migration-safety/index.ts';
import { addDemoBlog } from '../seeding/demo/demo-blog.ts';

/** Migrates the database and adds the demo blog. */
export async function fillDemoDatabase({ connection }: EmbeddedDatabase): Promise<void> {
  const config = ormConfig({ connection, migrationLock: join(tmpdir(), `conduit-mock-${process.pid}.lock`) });
  const orm = await MikroORM.init({ ...config, migrations: { ...config.migrations, silent: true } });
  await applyPendingMigrations(orm);
  await addDemoBlog(orm.em.fork());
  // They are two thirds of the copy, and only `create database` needs them.
  await orm.em.fork().execute('update pg_catalog.pg_database set datistemplate = false');
  for (const template of ['template0', 'template1']) await orm.em.fork().execute(`drop database ${template}`);
  await orm.close();
}
