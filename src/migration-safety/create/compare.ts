import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { MigrationProblem } from '../problems.ts';
import { readEntitiesCatalog } from '../shadow/entities-schema.ts';
import type { ShadowDatabase } from '../shadow/shadow-database.ts';
import { isDeclaredIn, readSnapshot } from './snapshot.ts';

/** What history makes and what entities declare, both read from the same shadow database. */
export interface Comparison {
  history: Catalog;
  entities: Catalog;
  /** Whether entities declared an object of the history when `migration:create` last ran. */
  isDeclared: (object: CatalogObject) => boolean;
}

/** Reads both catalogs. The shadow database holds the history, and still does afterwards. */
export async function readComparison(migrator: MigratorParts, shadow: ShadowDatabase): Promise<Comparison> {
  const history = await shadow.catalog();
  const snapshot = await readSnapshot(migrator).catch((error) => {
    throw new MigrationProblem(
      'stale-snapshot',
      `The snapshot cannot be read: ${error.message}\nRewrite it: npm run migration repair. No file was written.`,
    );
  });
  const isDeclared = isDeclaredIn(snapshot);
  return { history, entities: await readEntitiesCatalog(migrator, shadow, history, isDeclared), isDeclared };
}

/** The objects that no entity declares, and none did: they were made by hand in a migration, and stay. */
export const madeByHand = ({ history, entities, isDeclared }: Comparison): string[] =>
  [...history.values()].filter((object) => !entities.has(object.id) && !isDeclared(object)).map(({ id }) => id);
