import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

const require = createRequire(import.meta.url);
const LOCAL_POSTGRES = 'postgresql://postgres@127.0.0.1:5432/postgres';

/**
 * Which tests a mode runs, by the suffix of their file: `x.test.ts` runs on both databases, `x.postgres.test.ts` only on
 * PostgreSQL. The default mode needs nothing installed; `postgres`, `migrations` and `everyday` need a PostgreSQL server,
 * `browser` and `frontend` a Chromium. `attacks` and `memory` are the long forms of tests that `postgres` runs in short, `everyday` that of
 * `migrations`: every everyday change of entities. tests/rigs/clients has packages and a config of its own.
 */
const SUFFIXES: Record<string, string[]> = {
  test: ['', '.embedded'],
  postgres: ['', '.postgres', '.attack', '.memory'],
  migrations: ['.migrations'],
  everyday: ['.everyday'],
  attacks: ['.attack'],
  memory: ['.memory'],
  browser: ['.browser'],
  frontend: ['.frontend'],
};

export default defineConfig(({ mode }) => ({
  // Two builds of graphql in one process refuse each other's schemas ("another module or realm").
  resolve: { alias: [{ find: /^graphql$/, replacement: require.resolve('graphql/index.js') }] },
  test: {
    globalSetup: ['migrations', 'everyday', 'frontend'].includes(mode) ? [] : 'tests/support/migrated-template.ts',
    include: (SUFFIXES[mode] ?? []).map((suffix) => `tests/**/+([^.])${suffix}.test.ts`),
    // The polyfill comes first: a test may import any class of src, in any order.
    setupFiles: ['reflect-metadata', 'tests/support/matchers.ts'],
    provide: {
      databaseUrl: process.env.DATABASE_URL || (mode === 'postgres' ? LOCAL_POSTGRES : null),
      distinctDocuments: mode === 'memory' ? 50_000 : 3_000,
      attacks: mode === 'attacks' ? 'long' : 'short',
    },
    // The migration commands take no database down, with rows in it, unless its name is listed as disposable.
    env: { DISPOSABLE_DATABASES: 'conduit_test_*' },
    // Files say `@module-tag security`. An attack that succeeds only once has succeeded, whatever --retry says.
    tags: [{ name: 'security', description: 'What attackers must not be able to do.', retry: 0 }],
    pool: 'forks',
    maxWorkers: '100%', // vitest leaves a core free, which is half of a machine with two
    testTimeout: mode === 'attacks' ? 7_200_000 : 60_000,
    hookTimeout: 120_000,
  },
}));
