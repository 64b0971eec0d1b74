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
export const publishedDocuments = (): string[] => Object.values(manifest());

/** The SHA-256 of each document of the manifest, by the name of its operation. */
export function publishedHashes(): ReadonlyMap<string, string> {
  const nameOf = (text: string) => /\b(?:query|mutation) (\w+)/.exec(text)?.[1] ?? '';
  return new Map(Object.entries(manifest()).map(([id, text]) => [nameOf(text), id.slice('sha256:'.length)]));
}

/** The description of the REST API. */
export const openApiDescription = (): string => readFileSync(join(projectRoot(), 'schema/openapi.json'), 'utf8');

const manifest = (): Record<string, string> =>
  JSON.parse(readFileSync(join(projectRoot(), 'schema/generated/persisted-documents.json'), 'utf8'));

/** From TypeScript sources and from dist alike. */
const projectRoot = () => dirname(findPackageJSON('..', import.meta.url) ?? '.');
