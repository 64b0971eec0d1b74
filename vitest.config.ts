import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

const require = createRequire(import.meta.url);
const LOCAL_POSTGRES = 'postgresql://postgres@127.0.0.1:5432/postgres';

// `vitest run` tests on the embedded database, or beside the database of DATABASE_URL; `--mode postgres` needs a
// PostgreSQL. Either way the tests make databases of their own and drop them. `--mode browser` needs a Chromium.
export default defineConfig(({ mode }) => ({
  // Two builds of graphql in one process refuse each other's schemas ("another module or realm").
  resolve: { alias: [{ find: /^graphql$/, replacement: require.resolve('graphql/index.js') }] },
  test: {
    include: [mode === 'browser' ? 'tests/**/*.browser.ts' : 'tests/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    globalSetup: 'tests/support/migrated-template.ts',
    setupFiles: 'tests/support/matchers.ts',
    provide: { databaseUrl: process.env['DATABASE_URL'] || (mode === 'postgres' ? LOCAL_POSTGRES : null) },
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
}));
