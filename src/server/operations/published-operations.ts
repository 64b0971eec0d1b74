import { readdirSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

/** The files of schema/operations, sorted by name. */
export function publishedOperations(): string[] {
  const folder = join(projectRoot(), 'schema/operations');
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'));
  return files.toSorted().map((name) => readFileSync(join(folder, name), 'utf8'));
}

/** The documents of the manifest, which `npm run generate` writes from the operations. */
export function publishedDocuments(): string[] {
  const manifest = readFileSync(join(projectRoot(), 'schema/generated/persisted-documents.json'), 'utf8');
  return Object.values(JSON.parse(manifest) as Record<string, string>);
}

/** From TypeScript sources and from dist alike. */
const projectRoot = () => dirname(findPackageJSON('..', import.meta.url) ?? '.');
