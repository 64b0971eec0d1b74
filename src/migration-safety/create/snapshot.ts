import { readFile, writeFile } from 'node:fs/promises';
import { fs } from '@mikro-orm/core/fs-utils';
import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import type { MigratorParts } from '../migrator-parts.ts';

/**
 * The objects that entities declared when `migration:create` last ran. It tells what an entity no longer declares from
 * what was made by hand in a migration, which stays. It belongs into the repository, beside the migrations.
 */
export type Snapshot = Set<string>;

/** Undefined if there is none, or one of MikroORM's own form. Throws if it is not JSON, as after a merge. */
export async function readSnapshot(migrator: MigratorParts): Promise<Snapshot | undefined> {
  const text = await readFile(snapshotFile(migrator), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { declared, tables } = JSON.parse(text) as { declared?: string[]; tables?: unknown };
  if (!declared && !tables) throw new Error('it does not name what is declared');
  return declared && new Set(declared);
}

export async function writeSnapshot(migrator: MigratorParts, entities: Catalog): Promise<void> {
  // One name a line, so that two branches merge.
  await writeFile(snapshotFile(migrator), `${JSON.stringify({ declared: declaredBy(entities) }, null, 2)}\n`, {
    flush: true,
  });
}

/** The names in a snapshot of these entities. */
export const declaredBy = (entities: Catalog) => [...entities.keys()].sort();

/**
 * Whether entities declared an object of the history. Without a snapshot, tables with their columns and keys count as
 * declared; the other kinds may have been made by hand.
 */
export const isDeclaredIn =
  (snapshot: Snapshot | undefined) =>
  ({ id, kind, row }: Pick<CatalogObject, 'id' | 'kind' | 'row'>): boolean =>
    snapshot ? snapshot.has(id) : kind === 'table' || kind === 'column' || (kind === 'constraint' && row.type !== 'c');

function snapshotFile({ config, options }: MigratorParts): string {
  const { emit, pathTs, path, snapshotName } = options;
  const folder = fs.normalizePath(config.get('baseDir'), emit === 'ts' && pathTs ? pathTs : (path ?? ''));
  return fs.normalizePath(folder, `${snapshotName ?? '.snapshot'}.json`);
}
