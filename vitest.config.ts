import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

const require = createRequire(import.meta.url);
const LOCAL_POSTGRES = 'postgresql://postgres@127.0.0.1:5432/postgres';

// `vitest run` needs nothing installed; `--mode postgres` runs what depends on the database on a PostgreSQL, and
// `--mode migrations` the migration commands, as processes, on both; `--mode browser` needs a
// Chromium. All make databases of their own and drop them.
const NOT_IN: Record<string, string[]> = {
  test: ['tests/migration-safety/**'],
  postgres: ['tests/migration-safety/**', 'tests/database/embedded/**'],
  migrations: ['tests/!(migration-safety)/**', 'tests/*.test.ts'],
  browser: [],
};

export default defineConfig(({ mode }) => ({
  // Two builds of graphql in one process refuse each other's schemas ("another module or realm").
  resolve: { alias: [{ find: /^graphql$/, replacement: require.resolve('graphql/index.js') }] },
  test: {
    include: [mode === 'browser' ? 'tests/**/*.browser.ts' : 'tests/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...(NOT_IN[mode] ?? [])],
    globalSetup: 'tests/support/migrated-template.ts',
    // The polyfill first: a test may import any class of src, in any order.
    setupFiles: ['reflect-metadata', 'tests/support/matchers.ts'],
    provide: { databaseUrl: process.env.DATABASE_URL || (mode === 'postgres' ? LOCAL_POSTGRES : null) },
    // The migration commands take no database down, with rows in it, that nobody has called disposable.
    env: { DISPOSABLE_DATABASES: 'conduit_test_*' },
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
}));
