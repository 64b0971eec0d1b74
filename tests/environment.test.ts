import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { EnvironmentError, readDatabaseEnvironment, readEnvironment } from '../src/environment.ts';

const LONG_KEY = 'k'.repeat(32);

function errorsOf(variables: NodeJS.ProcessEnv): readonly string[] {
  try {
    readEnvironment(variables);
    return [];
  } catch (error) {
    if (error instanceof EnvironmentError) return error.problems;
    throw error;
  }
}

test('an empty environment means development on the embedded database', () => {
  expect(readEnvironment({})).toEqual({
    production: false,
    postgres: null,
    dataFolder: '.data',
    embeddedFsync: true,
    host: 'localhost',
    port: 4000,
    webConcurrency: 1,
    trustProxy: [],
    maxConnections: 5000,
    requestTimeoutSeconds: 10,
    logLevel: 'info',
    allowedOrigins: 'this machine',
    poolSize: 10,
    maxInFlight: 1000,
    maxWaitMilliseconds: 400,
    shutdownDelaySeconds: 0,
    metrics: null,
    revision: null,
    traces: false,
    guestCacheSeconds: 0,
    playground: true,
    preparedStatements: true,
    rest: true,
    trustedDocumentsOnly: false,
    introspection: true,
    migrateOnStart: 'up',
    secretKey: undefined,
    secretKeyFallbacks: [],
    accessTokenMinutes: 30,
    refreshTokenDays: 30,
    refuseCommonPasswords: false,
    registrationsPerHour: 100,
  });
});

test('an empty variable counts as missing', () => {
  const empty = { PORT: '', DATABASE_URL: '', DB_HOST: '', SECRET_KEY: '', MIGRATE_ON_START: '', NODE_ENV: '' };
  expect(readEnvironment(empty)).toEqual(readEnvironment({}));
});

test('lists all problems at once, each with the variable, its value and what is allowed', () => {
  const problems = errorsOf({ PORT: 'many', LOG_LEVEL: 'loud', ALGORITHM: 'none', ACCESS_TOKEN_EXPIRE_MINUTES: '0' });
  expect(problems.toSorted()).toEqual([
    'ACCESS_TOKEN_EXPIRE_MINUTES is "0"; it must be a whole number from 1 to 1440',
    'ALGORITHM is "none"; it must be one of: HS256',
    'LOG_LEVEL is "loud"; it must be one of: trace, debug, info, warn, error, fatal, silent',
    'PORT is "many"; it must be a whole number from 0 to 65535',
  ]);
});

test('lists a missing secret key along with other problems', () => {
  expect(errorsOf({ NODE_ENV: 'production', PORT: 'many' })).toEqual([
    expect.stringContaining('PORT is "many"'),
    expect.stringContaining('SECRET_KEY is missing'),
  ]);
});

test.each(['1.5', '-1', '65536', ' ', '0x10', '1e3', 'NaN', '４０'])('rejects the port %j', (PORT) => {
  expect(errorsOf({ PORT })).toHaveLength(1);
});

test('production requires a secret key of at least 32 bytes', () => {
  const production = (SECRET_KEY?: string) => errorsOf({ NODE_ENV: 'production', SECRET_KEY });
  expect(production()).toEqual([expect.stringMatching(/^SECRET_KEY is missing; .* openssl rand/)]);
  expect(production('k'.repeat(31))).toEqual([expect.stringContaining('has 31 bytes')]);
  expect(production(LONG_KEY)).toEqual([]);
  expect(production('é'.repeat(16))).toEqual([]);
});

test.each([',', `${LONG_KEY},`, `${LONG_KEY},,${LONG_KEY}`, 'k'.repeat(31), `${LONG_KEY}, short`])(
  'fallback keys must have 32 bytes each in every environment: rejects %j',
  (SECRET_KEY_FALLBACKS) => {
    const problems = errorsOf({ SECRET_KEY_FALLBACKS });
    expect(problems).toEqual([expect.stringMatching(/^SECRET_KEY_FALLBACKS must be keys of at least 32 bytes/)]);
    expect(problems[0]).not.toContain('kkk');
  },
);

test('outside production any secret key is accepted', () => {
  expect(readEnvironment({ SECRET_KEY: 'short' }).secretKey).toBe('short');
  expect(readEnvironment({ NODE_ENV: 'test' }).secretKey).toBeUndefined();
});

test('CORS_ORIGINS lists the allowed origins; the default is this machine, in production none', () => {
  expect(readEnvironment({ NODE_ENV: 'production', SECRET_KEY: LONG_KEY }).allowedOrigins).toEqual([]);
  expect(readEnvironment({ CORS_ORIGINS: '*' }).allowedOrigins).toBe('*');
  expect(readEnvironment({ CORS_ORIGINS: 'https://a.example, http://b.example:8080' }).allowedOrigins).toEqual([
    'https://a.example',
    'http://b.example:8080',
  ]);
  const apps = ['capacitor://localhost', 'ionic://localhost', 'tauri://localhost', 'app.example://blog:8080'];
  expect(readEnvironment({ CORS_ORIGINS: apps.join(',') }).allowedOrigins).toEqual(apps);
  expect(readEnvironment({}).allowedOrigins).toBe('this machine');
});

test.each([
  'blog.example',
  'https://blog.example/',
  'https://a.example https://b.example',
  'null',
  'https://*.example,',
  'capacitor://localhost/',
  'capacitor:localhost',
  'file://',
])('rejects %j as CORS_ORIGINS', (CORS_ORIGINS) => {
  expect(errorsOf({ CORS_ORIGINS })).toEqual([
    expect.stringMatching(/^CORS_ORIGINS is ".+"; it must be \* or origins/),
  ]);
});

test('the Playground is on, in production only when enabled', () => {
  const production = { NODE_ENV: 'production', SECRET_KEY: LONG_KEY };
  expect(readEnvironment({ PLAYGROUND: 'off' }).playground).toBe(false);
  expect(readEnvironment(production).playground).toBe(false);
  expect(readEnvironment({ ...production, PLAYGROUND: 'on' }).playground).toBe(true);
});

test('only TRUSTED_DOCUMENTS=only restricts the server to published documents', () => {
  expect(readEnvironment({ TRUSTED_DOCUMENTS: 'off' }).trustedDocumentsOnly).toBe(false);
  expect(readEnvironment({ TRUSTED_DOCUMENTS: 'only' }).trustedDocumentsOnly).toBe(true);
  expect(errorsOf({ TRUSTED_DOCUMENTS: 'on' })).toEqual([expect.stringContaining('TRUSTED_DOCUMENTS is "on"')]);
});

test.each(['loopback', '10.0.0.0/8, ::1', '2001:db8::/32,192.168.0.1'])('accepts %j as TRUST_PROXY', (TRUST_PROXY) => {
  expect(readEnvironment({ TRUST_PROXY }).trustProxy).toEqual(TRUST_PROXY.split(/, ?/));
});

test.each(['true', '*', '1', '0.0.0.0/0', '::/0', '10.0.0.0/33', 'proxy.example', '10.0.0.1/8/8', '10.0.0.1,'])(
  'rejects %j as TRUST_PROXY',
  (TRUST_PROXY) => {
    expect(errorsOf({ TRUST_PROXY })).toEqual([expect.stringMatching(/must be the addresses of proxies/)]);
  },
);

test('introspection follows the Playground unless INTROSPECTION is set', () => {
  const production = { NODE_ENV: 'production', SECRET_KEY: LONG_KEY };
  expect(readEnvironment(production).introspection).toBe(false);
  expect(readEnvironment({ ...production, PLAYGROUND: 'on' }).introspection).toBe(true);
  expect(readEnvironment({ ...production, INTROSPECTION: 'on' })).toMatchObject({
    introspection: true,
    playground: false,
  });
  expect(readEnvironment({ INTROSPECTION: 'off' }).introspection).toBe(false);
});

test('secrets are never repeated', () => {
  const secrets = {
    NODE_ENV: 'production',
    SECRET_KEY: 'hush-hush',
    DATABASE_URL: 'mysql://ann:hush-hush@localhost/blog',
    DB_PASS: 'hush-hush',
    PORT: 'many',
  };
  expect(() => readEnvironment(secrets)).toThrow(EnvironmentError);
  expect(errorsOf(secrets).join('\n')).not.toContain('hush');
});

test.each([
  'mysql://localhost/blog',
  'localhost:5432',
  'blog',
  'https://localhost',
  'postgres://localhost',
  'postgres://ann@localhost:5432/',
])('rejects %s as DATABASE_URL', (DATABASE_URL) => {
  expect(errorsOf({ DATABASE_URL })).toEqual([
    expect.stringMatching(/^DATABASE_URL must be a URL such as postgresql:/),
  ]);
});

test('the DB_ variables may contain any characters', () => {
  const parts = { DB_HOST: 'db.example.com', DB_USER: 'a:n@n', DB_PASS: 'p@ss/w:o%r?d#', DB_NAME: 'my blog/1' };
  expect(readEnvironment(parts).postgres).toMatchObject({
    hosts: [{ host: 'db.example.com', port: 5432 }],
    user: 'a:n@n',
    password: 'p@ss/w:o%r?d#',
    database: 'my blog/1',
  });
});

test('the DB_ variables have defaults once DB_HOST is set', () => {
  expect(readEnvironment({ DB_HOST: 'db', DB_PORT: '6432' }).postgres).toMatchObject({
    hosts: [{ host: 'db', port: 6432 }],
    user: 'postgres',
    database: 'conduit',
  });
  expect(readEnvironment({ DB_NAME: 'blog', DB_USER: 'ann' }).postgres).toBeNull();
});

test.each(['::1', '/var/run/postgresql', 'my_db', 'DB.example.com', 'a b', 'db:6432', 'ann@db', 'db/blog'])(
  'the host %j is kept as it is',
  (DB_HOST) => {
    expect(readEnvironment({ DB_HOST }).postgres?.hosts).toMatchObject([{ host: DB_HOST, port: 5432 }]);
  },
);

test('DATABASE_URL overrides the DB_ variables', () => {
  const DATABASE_URL = 'postgres://ann@localhost/blog';
  expect(readEnvironment({ DATABASE_URL, DB_HOST: 'elsewhere' }).postgres).toMatchObject({
    hosts: [{ host: 'localhost' }],
    user: 'ann',
    database: 'blog',
  });
});

test('MIGRATE_ON_START defaults to up on the embedded database, and to check elsewhere', () => {
  expect(readEnvironment({}).migrateOnStart).toBe('up');
  expect(readEnvironment({ DB_HOST: 'db' }).migrateOnStart).toBe('check');
  expect(readEnvironment({ DB_HOST: 'db', MIGRATE_ON_START: 'up' }).migrateOnStart).toBe('up');
  expect(readEnvironment({ MIGRATE_ON_START: 'off' }).migrateOnStart).toBe('off');
});

test('common passwords are rejected in production, unless REFUSE_COMMON_PASSWORDS is off', () => {
  const production = { NODE_ENV: 'production', SECRET_KEY: LONG_KEY };
  expect(readEnvironment(production).refuseCommonPasswords).toBe(true);
  expect(readEnvironment({ ...production, REFUSE_COMMON_PASSWORDS: 'off' }).refuseCommonPasswords).toBe(false);
  expect(readEnvironment({ REFUSE_COMMON_PASSWORDS: 'on' }).refuseCommonPasswords).toBe(true);
});

test('commands that only use the database ignore the other variables', () => {
  const environment = readDatabaseEnvironment({ NODE_ENV: 'production', DB_HOST: 'db', PORT: 'many' });
  expect(environment.postgres?.hosts).toMatchObject([{ host: 'db', port: 5432 }]);
});

test('the server lists invalid variables and exits with 1', async () => {
  const variables = { PATH: process.env.PATH, NODE_ENV: 'production', PORT: 'many', SECRET_KEY: 'hush-hush' };
  const start = promisify(execFile)(process.execPath, ['--import', '@oxc-node/core/register', 'src/main.ts'], {
    env: variables,
  });
  const failed = await start.catch((error) => error);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(/PORT is "many"[\s\S]*SECRET_KEY has 9 bytes/);
  expect(failed.stderr).not.toContain('hush');
});
