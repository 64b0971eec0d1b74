import type { Catalog } from '../catalog/catalog.ts';
import { writeSnapshot } from '../create/snapshot.ts';
import { checkIntegrity } from '../history/integrity.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { hasSchemaFiles, staleSchemaFiles, writeSchemaFiles } from '../schema-files/schema-files.ts';
import { openShadowAfterHistory } from '../shadow/replayed-history.ts';
import { repairedSnapshot } from './check.ts';

/** A change that `migration:repair` offers. */
export interface Repair {
  description: string;
  /** For an edited migration: the SQL that was applied (-) and the SQL in the file (+). */
  difference: string[];
  apply: () => Promise<void>;
}

/** Repairs that touch no table but the tracking table: checksums, its rows, and the snapshot file. */
export async function findRepairs(migrator: MigratorParts): Promise<Repair[]> {
  const files = await migrator.readMigrations();
  const rows = (await migrator.history()) ?? [];
  const { storage } = migrator;
  const repairs: Repair[] = checkIntegrity(files, rows).flatMap(({ kind, name }): Repair[] => {
    const file = files.find((each) => each.name === name);
    const row = rows.find((each) => each.name === name);
    if (kind === 'edited' && file) {
      const difference = row?.source ? lineDifference(row.source, file.source) : ['(the applied SQL was not recorded)'];
      return [
        {
          description: `${name}: accept the file as what was applied`,
          difference,
          apply: () => storage.updateChecksum(name, file),
        },
      ];
    }
    if (kind === 'missing') {
      return [
        {
          description: `${name}: delete its row; its file is gone`,
          difference: [],
          apply: () => storage.unlogMigration({ name }),
        },
      ];
    }
    if (kind === 'duplicate' && row) {
      return [
        {
          description: `${name}: keep the first of its rows`,
          difference: [],
          apply: () => storage.deleteDuplicates(name),
        },
      ];
    }
    return [];
  });
  for (const row of rows.filter(({ checksum }) => !checksum)) {
    const file = files.find(({ name }) => name === row.name);
    if (!file) continue;
    repairs.push({
      description: `${row.name}: was applied before checksums were recorded; accept the file`,
      difference: [],
      apply: () => storage.updateChecksum(row.name, file),
    });
  }
  // Where history cannot be replayed, the snapshot cannot be told right from wrong; migration:check says why.
  const snapshot = await repairedSnapshot(migrator).catch(() => undefined);
  if (snapshot) {
    repairs.push({
      description: 'The snapshot: rewrite it from the entities',
      difference: [],
      apply: () => writeSnapshot(migrator, snapshot),
    });
  }
  const schema = await staleSchema(migrator).catch(() => undefined);
  if (schema) {
    repairs.push({
      description: `${schema.files.join(', ')}: rewrite from the migrations`,
      difference: [],
      apply: () => writeSchemaFiles(migrator, schema.catalog),
    });
  }
  return repairs;
}

/** The schema that the migrations make, and the files that do not show it. */
async function staleSchema(migrator: MigratorParts): Promise<{ catalog: Catalog; files: string[] } | undefined> {
  if (!hasSchemaFiles(migrator)) return undefined;
  const shadow = await openShadowAfterHistory(migrator);
  try {
    const catalog = await shadow.catalog();
    const files = await staleSchemaFiles(migrator, catalog);
    return files.length > 0 ? { catalog, files } : undefined;
  } finally {
    await shadow.close();
  }
}

/** A line diff, by the longest common subsequence. */
export function lineDifference(before: string, after: string): string[] {
  const a = before.split('\n');
  const b = after.split('\n');
  const common = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = common[i];
      if (row) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: string[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) lines.push(`- ${a[i++]}`);
    else lines.push(`+ ${b[j++]}`);
  }
  return lines;
}
