import { MikroORM } from '@mikro-orm/postgresql';
import { ormConfig } from '../mikro-orm.config.ts';
import { RENDERED_TABLES } from './comments/rendered-tables.ts';
import { openDatabase } from './database/open-database.ts';
import { EnvironmentError, readDatabaseEnvironment } from './environment.ts';
import { renderOutdated } from './markdown/backfill.ts';

/** `npm run render`, and in production `node dist/src/render.js`: renders every text that an older version wrote. */
async function render(): Promise<void> {
  const database = await openDatabase(readDatabaseEnvironment(), 'command');
  const orm = await MikroORM.init(ormConfig(database));
  try {
    const rendered = await renderOutdated(orm.em, RENDERED_TABLES, {
      onBatch: ({ table, rendered }) => console.error(`${table}: ${rendered} texts rendered`),
    });
    console.log(rendered > 0 ? `Rendered ${rendered} texts.` : 'Every text was rendered already.');
  } finally {
    await orm.close();
    await database.embedded?.close();
  }
}

try {
  await render();
} catch (error) {
  console.error(error instanceof EnvironmentError ? error.message : error);
  process.exitCode = 1;
}
