import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import { inject } from 'vitest';
import { ormConfig } from '../../mikro-orm.config.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { type DatabaseEnvironment, readPostgresUrl } from '../../src/environment.ts';
import { databaseOn, onServer } from './migrated-template.ts';

/**
 * A database without tables for one test, of the kind that the suite runs on; its migrations log nothing. The options are those of
 * PostgreSQL's `create database`.
 */
export async function emptyDatabase(options = ''): Promise<{
  orm: MikroORM;
  environment: { DATABASE_URL?: string; DATA_FOLDER?: string };
  remove: () => Promise<void>;
}> {
  const template = inject('template');
  if (template.kind === 'embedded') {
    const folder = mkdtempSync(join(tmpdir(), 'conduit-empty-'));
    const { orm, database } = await silent({
      production: false,
      postgres: null,
      dataFolder: folder,
      embeddedFsync: true,
    });
    const remove = async () => {
      await orm.close(true);
      await database.embedded?.close();
      rmSync(folder, { recursive: true });
    };
    return { orm, environment: { DATA_FOLDER: folder }, remove };
  }
  count += 1;
  const name = `${template.name}_empty_${process.pid}_${count}`;
  await onServer(template.server, (client) => client.query(`create database ${name} ${options}`));
  const databaseUrl = databaseOn(template.server, name);
  const { orm } = await silent({
    production: false,
    postgres: readPostgresUrl(databaseUrl),
    dataFolder: '',
    embeddedFsync: true,
  });
  const remove = async () => {
    await orm.close(true);
    await onServer(template.server, (client) => client.query(`drop database ${name} with (force)`));
  };
  return { orm, environment: { DATABASE_URL: databaseUrl }, remove };
}

async function silent(environment: DatabaseEnvironment) {
  const database = await openDatabase(environment, 'command');
  const config = ormConfig(database);
  const orm = await MikroORM.init({ ...config, migrations: { ...config.migrations, silent: true } });
  return { orm, database };
}

let count = 0;
