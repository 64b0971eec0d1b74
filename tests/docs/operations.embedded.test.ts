import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readEnvironment } from '../../src/environment.ts';
import { LIBPQ_VARIABLES } from '../../src/postgres-url.ts';
import { Readiness } from '../../src/server/http/health.ts';
import { LoadShedder } from '../../src/server/http/load-shedding.ts';
import { Metrics } from '../../src/server/observability/metrics.ts';
import { orm, settings } from '../support/test-server.ts';

const guide = readFileSync('docs/operations.md', 'utf8');
const example = parseEnv(readFileSync('.env.example', 'utf8'));
const environment = readFileSync('src/environment.ts', 'utf8');

const found = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name);
const section = (title: string) => guide.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
/** The names in backticks in the first column of a section's table. */
const rows = (title: string) => {
  const [, table = ''] = section(title).split(/^\| -.*$/m);
  return found(table, /^\| (`[^|]+)/gm).flatMap((cell) => found(cell, /`([^`]+)`/g));
};

describe('.env.example', () => {
  test('lists exactly the variables that the server reads', () => {
    const own = Object.keys(example).filter((name) => !/^(MIGRATION_|DISPOSABLE_DATABASES$)/.test(name));
    expect(own.toSorted()).toEqual(found(environment, /^ {2}([A-Z][A-Z_]+): /gm).toSorted());
  });

  test('lists only variables of the migration commands that they read', () => {
    const settings = readFileSync('src/migration-safety/settings.ts', 'utf8');
    const plug = readFileSync('src/migration-safety/index.ts', 'utf8');
    const theirs = Object.keys(example).filter((name) => !environment.includes(name));
    for (const name of theirs) expect(settings + plug, name).toContain(name);
  });

  test('has the default of every variable', () => {
    expect(readEnvironment(example)).toEqual(readEnvironment({}));
  });
});

describe('docs/operations.md', () => {
  test('names only existing variables', () => {
    const named = found(guide, /`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g);
    const others = [...rows('Error codes'), ...LIBPQ_VARIABLES, 'POSTGRES_BINARIES'];
    const unknown = named.filter((name) => !(name in example || others.includes(name) || /^OTEL_/.test(name)));
    expect(unknown).toEqual([]);
  });

  test('names the production defaults', () => {
    const preset = readEnvironment({
      NODE_ENV: 'production',
      SECRET_KEY: 'k'.repeat(32),
      DATABASE_URL: 'postgresql://localhost/conduit',
      METRICS_PORT: '9090',
    });
    const named = Object.fromEntries(
      [...section('Variables').matchAll(/`([A-Z_]+)` \(([^)]+)\)/g)].map(([, name, value = '']) => [
        name,
        value.replaceAll(/[`,]/g, ''),
      ]),
    );
    expect(named).toEqual({
      HOST: preset.host,
      PORT: String(preset.port),
      WEB_CONCURRENCY: String(preset.webConcurrency),
      DB_POOL_SIZE: String(preset.poolSize),
      REST_API: preset.rest ? 'on' : 'off',
      REGISTRATIONS_PER_HOUR: String(preset.registrationsPerHour),
      MIGRATE_ON_START: preset.migrateOnStart,
      MAX_IN_FLIGHT: String(preset.maxInFlight),
      MAX_WAIT_MILLISECONDS: String(preset.maxWaitMilliseconds),
      SHUTDOWN_DELAY_SECONDS: String(preset.shutdownDelaySeconds),
      METRICS_HOST: preset.metrics?.host,
      LOG_LEVEL: preset.logLevel,
    });
  });

  test('explains exactly the error codes of the API', () => {
    const list =
      /const CLIENT_ERROR_CODES = new Set\(\[(.*?)\]\)/s.exec(
        readFileSync('src/server/http/error-responses.ts', 'utf8'),
      )?.[1] ?? '';
    const codes = [...found(list, /'(\w+)'/g), 'INTERNAL_SERVER_ERROR'];
    expect(rows('Error codes').toSorted()).toEqual(codes.toSorted());
  });

  test('explains exactly the metrics of the server', () => {
    const parts = { readiness: new Readiness(orm, null, 'not checked'), loadShedder: new LoadShedder(settings) };
    const pool = { counts: { total: 0, idle: 0, waiting: 0 } };
    const names = new Metrics({ ...parts, pool }).registry.getMetricsAsArray().map(({ name }) => name);
    const explained = rows('Metrics').map((name) => name.replace(/\{.*/, ''));
    const standard = /^(nodejs|process)_/;
    expect(explained.filter((name) => !standard.test(name)).toSorted()).toEqual(
      names.filter((name) => !standard.test(name)).toSorted(),
    );
    expect(names).toContain(explained.find((name) => name.startsWith('nodejs_')));
  });
});
