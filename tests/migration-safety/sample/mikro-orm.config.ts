import { defineConfig as embedded } from '@mikro-orm/pglite';
import { defineConfig as server } from '@mikro-orm/postgresql';
import { openDatabase } from '../../../src/database/open-database.ts';
import { safeMigrations } from '../../../src/migration-safety/index.ts';
import { entities } from './entities.ts';

const { DATABASE_URL, DATA_FOLDER, SHARED_FOLDER } = process.env;
const folders = { path: 'dist/migrations', pathTs: 'migrations' };

// A PGlite inside the process, or one that processes share over a socket, or a PostgreSQL.
export default SHARED_FOLDER
  ? await shared(SHARED_FOLDER)
  : DATA_FOLDER
    ? embedded({ dbName: DATA_FOLDER, entities, ...safeMigrations(folders) })
    : server({
        clientUrl: DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/migsafe_test_sample',
        entities,
        ...safeMigrations(folders),
      });

async function shared(dataFolder: string) {
  const database = await openDatabase({ postgres: null, dataFolder }, 'command');
  const lock = { file: `${database.migrationLock}`, isOwner: () => database.embedded?.isOwner ?? false };
  return server({ ...database.connection, entities, ...safeMigrations({ ...folders, safety: { lock } }) });
}
