import { readdirSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

/** schema/operations as it is published, whether the server runs as TypeScript or from dist. Every file, by its name. */
export function publishedOperations(): string[] {
  const folder = join(projectRoot(), 'schema/operations');
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'));
  return files.toSorted().map((name) => readFileSync(join(folder, name), 'utf8'));
}

const projectRoot = () => dirname(findPackageJSON('..', import.meta.url) ?? '.');
