import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

const require = createRequire(import.meta.url);
const LOCAL_POSTGRES = 'postgresql://postgres@127.0.0.1:5432/postgres';

// `vitest run` needs nothing installed; `--mode postgres` runs what depends on the database on a PostgreSQL, with what is
// quicker there, and `--mode migrations` the migration commands, as processes, on both; `--mode browser` needs a
// Chromium; `--mode memory` and `--mode attacks` are the long forms of these tests. All make databases of their own and
// drop them. tests/rigs/clients has packages and a config of its own.
const NOT_IN: Record<string, string[]> = {
  test: [
    'tests/{migration-safety,rigs}/**',
    'tests/reading/plans.test.ts',
    'tests/server/operations/memory.test.ts',
  ],
  postgres: [
    'tests/{migration-safety,embedded-postgres,docs,mock}/**',
    'tests/server/**/{generated-files,playground,http-limits,workers}.test.ts',
    'tests/{supply-chain,deploy,migrate}.test.ts',
  ],
  migrations: ['tests/!(migration-safety)/**', 'tests/*.test.ts'],
};

const ALONE: Record<string, string> = {
  browser: 'tests/**/*.browser.ts',
  memory: 'tests/server/operations/memory.test.ts',
  attacks: 'tests/rigs/attacks/*.test.ts',
};

export default defineConfig(({ mode }) => ({
  // Two builds of graphql in one process refuse each other's schemas ("another module or realm").
  resolve: { alias: [{ find: /^graphql$/, replacement: require.resolve('graphql/index.js') }] },
  test: {
    globalSetup: mode === 'migrations' ? [] : 'tests/support/migrated-template.ts',
    exclude: ['**/node_modules/**', 'tests/rigs/clients/**', ...(NOT_IN[mode] ?? [])],
    include: [ALONE[mode] ?? 'tests/**/*.test.ts'],
    // The polyfill first: a test may import any class of src, in any order.
    setupFiles: ['reflect-metadata', 'tests/support/matchers.ts'],
    provide: {
      databaseUrl: process.env.DATABASE_URL || (mode === 'postgres' ? LOCAL_POSTGRES : null),
      distinctDocuments: mode === 'memory' ? 50_000 : 3_000,
      attacks: mode === 'attacks' ? 'long' : 'short',
    },
    // The migration commands take no database down, with rows in it, that nobody has called disposable.
    env: { DISPOSABLE_DATABASES: 'conduit_test_*' },
    pool: 'forks',
    maxWorkers: '100%', // vitest leaves a core free, which is half of a machine with two
    testTimeout: mode === 'attacks' ? 7_200_000 : 60_000,
    hookTimeout: 120_000,
  },
}));
