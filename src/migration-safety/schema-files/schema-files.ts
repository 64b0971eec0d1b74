import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { databaseSql } from './database-sql.ts';
import { tablesMarkdown } from './tables-markdown.ts';

/** A file that shows the schema of the history, to be reviewed with each change of it. */
interface SchemaFile {
  path: string;
  text: string;
}

/** The files of the settings schemaFile and tablesFile, as they should be for this schema. */
function schemaFiles({ settings, config }: MigratorParts, catalog: Catalog): SchemaFile[] {
  const files = [
    [settings.schemaFile, databaseSql],
    [settings.tablesFile, tablesMarkdown],
  ] as const;
  return files.flatMap(([path, write]) =>
    path ? [{ path: resolve(config.get('baseDir'), path), text: write(catalog) }] : [],
  );
}

/** The files that do not show this schema, by their paths. */
export async function staleSchemaFiles(migrator: MigratorParts, catalog: Catalog): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, text } of schemaFiles(migrator, catalog)) {
    const written = await readFile(path, 'utf8').catch(() => undefined);
    // A checkout on Windows may have its line endings.
    if (written?.replaceAll('\r\n', '\n') !== text) stale.push(relative(process.cwd(), path));
  }
  return stale;
}

export async function writeSchemaFiles(migrator: MigratorParts, catalog: Catalog): Promise<void> {
  for (const { path, text } of schemaFiles(migrator, catalog)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flush: true });
  }
}

export const hasSchemaFiles = ({ settings }: MigratorParts) => Boolean(settings.schemaFile || settings.tablesFile);
