import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** From the top down: a file imports from its own folder and from the layers below its own. */
const LAYERS = [
  ['src/main.ts'],
  ['src/start.ts', 'src/migrate.ts', 'src/render.ts', 'src/index-search.ts', 'src/mock'],
  ['src/seeding'],
  ['src/serve.ts'],
  ['src/server'],
  ['mikro-orm.config.ts'],
  ['src/comments'],
  ['src/articles'],
  ['src/auth'],
  ['src/users', 'src/tags'],
  ['src/markdown'],
  ['src/reading'],
  ['src/graphql'],
  ['src/text'],
  ['src/database'],
  ['src/embedded-postgres', 'src/migration-safety'],
  ['src/environment.ts'],
  ['src/postgres-url.ts'],
];

/** The only files of the two self-contained folders that the rest of the source imports. */
const FRONT_FILES = ['src/embedded-postgres/embedded-database.ts', 'src/migration-safety/index.ts'];

/** The two sides of a relation between entities. */
const ALLOWED_CYCLE = ['src/articles/article-tag.entity.ts', 'src/articles/article.entity.ts'];

/** Users use the type of the request's context, which auth creates. */
const ALLOWED_UPWARD_TYPES = ['src/users -> src/auth/context.ts'];

const MAX_FILES = 15;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isType: boolean;
}

const files = [...globSync('src/**/*.ts'), 'mikro-orm.config.ts'];
const imports = files.flatMap(importsOf);

test('every source file belongs to a layer', () => {
  expect(files.filter((file) => layerOf(file) === -1)).toEqual([]);
});

test('no file imports from a layer above its own, or from another folder of its layer', () => {
  expect(upward(imports)).toEqual([]);
});

test('no files import each other in a cycle', () => {
  expect(cycles(imports)).toEqual([ALLOWED_CYCLE]);
});

test('the two self-contained folders are imported by their front files only, and import nothing else of the source', () => {
  expect(pastFrontFiles(imports)).toEqual([]);
});

test(`no folder has more than ${MAX_FILES} files beside its subfolders`, () => {
  const perFolder = Map.groupBy(files, dirname);
  expect([...perFolder].filter(([, { length }]) => length > MAX_FILES)).toEqual([]);
});

test.each([
  { from: 'src/reading/sql.ts', to: 'src/server/server.ts', isType: true, finds: upward },
  { from: 'src/tags/tag.entity.ts', to: 'src/users/user.entity.ts', isType: false, finds: upward },
  { from: 'src/users/user.entity.ts', to: 'src/auth/context.ts', isType: false, finds: upward },
  { from: 'src/migration-safety/problems.ts', to: 'src/environment.ts', isType: false, finds: pastFrontFiles },
  { from: 'src/start.ts', to: 'src/migration-safety/problems.ts', isType: true, finds: pastFrontFiles },
  { from: 'src/articles/slug.ts', to: 'src/articles/article.resolver.ts', isType: true, finds: cycles },
])('an import of $to in $from would be found', ({ finds, ...added }) => {
  expect(finds([...imports, added])).not.toEqual(finds(imports));
});

/** Static imports, also for their effect alone, re-exports, and dynamic imports of a literal path. */
function importsOf(from: string): Import[] {
  const pattern = /\b(?:(?:import|export) (type )?(?:[^'"`;]*? from )?|import\()'(\.[^']+)'/g;
  const found = readFileSync(from, 'utf8').matchAll(pattern);
  return [...found].map(([, type, path = '']) => ({ from, to: join(dirname(from), path), isType: Boolean(type) }));
}

const folderOf = (file: string) =>
  LAYERS.flat().find((folder) => file === folder || file.startsWith(`${folder}/`)) ?? '';

const layerOf = (file: string) => LAYERS.findIndex((layer) => layer.includes(folderOf(file)));

function upward(all: readonly Import[]): string[] {
  return all
    .filter(({ from, to }) => folderOf(from) !== folderOf(to) && layerOf(from) >= layerOf(to))
    .filter(({ from, to, isType }) => !(isType && ALLOWED_UPWARD_TYPES.includes(`${folderOf(from)} -> ${to}`)))
    .map(({ from, to }) => `${from} -> ${to}`);
}

function pastFrontFiles(all: readonly Import[]): string[] {
  const selfContained = LAYERS.at(-3) ?? [];
  return all
    .filter(({ from, to }) => folderOf(from) !== folderOf(to))
    .filter(
      ({ from, to }) =>
        selfContained.includes(folderOf(from)) || (selfContained.includes(folderOf(to)) && !FRONT_FILES.includes(to)),
    )
    .map(({ from, to }) => `${from} -> ${to}`);
}

/** The sets of files of which each reaches every other one by imports, sorted. */
function cycles(all: readonly Import[]): string[][] {
  const imported = Map.groupBy(all, ({ from }) => from);
  const reached = (start: string) => {
    const found = new Set<string>();
    const visit = (file: string): void => {
      for (const { to } of imported.get(file) ?? []) {
        if (found.has(to)) continue;
        found.add(to);
        visit(to);
      }
    };
    visit(start);
    return found;
  };
  const reach = new Map(files.map((file) => [file, reached(file)]));
  const inCycles = files.filter((file) => reach.get(file)?.has(file)).toSorted();
  return Object.values(
    Object.groupBy(
      inCycles,
      (file) => inCycles.find((other) => reach.get(other)?.has(file) && reach.get(file)?.has(other)) ?? '',
    ),
  ).map((cycle) => cycle ?? []);
}
