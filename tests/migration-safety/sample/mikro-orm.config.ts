import { defineConfig as embedded } from '@mikro-orm/pglite';
import { defineConfig as server } from '@mikro-orm/postgresql';
import { safeMigrations } from '../../../src/migration-safety/plug.ts';
import { entities } from './entities.ts';

const { DATABASE_URL, DATA_FOLDER } = process.env;
const safe = safeMigrations({ path: 'dist/migrations', pathTs: 'migrations' });

export default DATA_FOLDER
  ? embedded({ dbName: DATA_FOLDER, entities, ...safe })
  : server({ clientUrl: DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/migsafe_test_sample', entities, ...safe });
