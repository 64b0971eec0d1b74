import { MikroORM } from '@mikro-orm/postgresql';
import { ormConfig } from '../mikro-orm.config.ts';
import { indexOutdated, setSearchLanguage, UnknownLanguageError } from './articles/search/index-outdated.ts';
import { openDatabase } from './database/open-database.ts';
import { EnvironmentError, readDatabaseEnvironment } from './environment.ts';

/**
 * `npm run search:index`, and in production `node dist/src/index-search.js`: indexes every article that is not indexed in the language
 * of the search, which SEARCH_LANGUAGE changes.
 */
async function indexSearch(): Promise<void> {
  const environment = readDatabaseEnvironment();
  const database = await openDatabase(environment, 'command');
  const orm = await MikroORM.init(ormConfig(database));
  try {
    if (environment.searchLanguage) await setSearchLanguage(orm.em.fork(), environment.searchLanguage);
    const indexed = await indexOutdated(orm.em, {
      onBatch: (count) => count % 10_000 === 0 && console.error(`${count} articles indexed`),
    });
    console.log(indexed > 0 ? `Indexed ${indexed} articles.` : 'Every article was indexed already.');
  } finally {
    await orm.close();
    await database.embedded?.close();
  }
}

try {
  await indexSearch();
} catch (error) {
  const isKnown = error instanceof EnvironmentError || error instanceof UnknownLanguageError;
  console.error(isKnown ? error.message : error);
  process.exitCode = 1;
}
