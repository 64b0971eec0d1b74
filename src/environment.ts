import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { loadEnvFile } from 'node:process';
import { z } from 'zod';
import { type PostgresServer, PostgresUrlError, parsePostgresUrl, postgresServer } from './postgres-url.ts';

/**
 * Every environment variable, validated once. Nothing else reads `process.env`, except migration-safety, which does not depend
 * on the rest of `src`. `.env` is read when it exists; the shell overrides it. Throws EnvironmentError with every problem.
 */
export const readEnvironment = (variables = shellAndFile()): Environment => read(environment, variables);

/** The part for commands that only use the database: a migration job should not need SECRET_KEY. */
export const readDatabaseEnvironment = (variables = shellAndFile()): DatabaseEnvironment => read(database, variables);

/** The part for the seed, whose people have pictures that the server at PORT draws. */
export const readSeedEnvironment = (variables = shellAndFile()) => read(seed, variables);

/** The server of another URL, with the defaults of the same variables. */
export const readPostgresUrl = (url: string): PostgresServer => parsePostgresUrl(url, shellAndFile());

export type Environment = z.infer<typeof environment> & Postgres;
export type DatabaseEnvironment = z.infer<typeof database> & Postgres;

interface Postgres {
  /** Null means the embedded PostgreSQL in the data folder. */
  readonly postgres: PostgresServer | null;
}

export class EnvironmentError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(['Invalid environment variables:', ...problems.map((problem) => `  ${problem}`)].join('\n'));
    this.name = 'EnvironmentError';
  }
}

const wholeNumber = (from: number, to: number) =>
  z
    .string()
    .refine((text) => /^\d+$/.test(text) && Number(text) >= from && Number(text) <= to, {
      error: `must be a whole number from ${from} to ${to}`,
    })
    .transform(Number);

const number = (from: number, to: number, preset: number) => wholeNumber(from, to).default(preset);

const oneOf = <T extends string>(...values: readonly T[]) =>
  z.enum(values, { error: `must be one of: ${values.join(', ')}` });

const onOff = oneOf('on', 'off').transform((value) => value === 'on');

const origins = z
  .string()
  .refine((value) => value === '*' || listed(value).every(isOrigin), {
    error: 'must be * or origins such as https://blog.example, separated by commas',
  })
  .transform((value) => (value === '*' ? ('*' as const) : listed(value)));

const listed = (value: string) => value.split(',').map((item) => item.trim());

/** To a URL, an origin of another scheme than the web's is "null", but apps have such origins: capacitor://localhost. */
const isOrigin = (text: string) =>
  URL.canParse(text) &&
  (/^https?:/.test(text) ? new URL(text).origin === text : /^[a-z][a-z\d+.-]*:\/\/[a-z\d.-]+(:\d+)?$/.test(text));

/** Never "all": then any client could forge its address. */
const proxies = z
  .string()
  .refine((value) => listed(value).every(isSubnet), {
    error: 'must be the addresses of proxies, e.g. 10.0.0.0/8, ::1, or of those nearby: loopback, uniquelocal',
  })
  .transform(listed);

function isSubnet(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const max = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  const isRange = bits === undefined || (/^[1-9]\d*$/.test(bits) && Number(bits) <= max);
  return /^(loopback|linklocal|uniquelocal)$/.test(text) || (max > 0 && isRange && rest.length === 0);
}

const SHORTEST_KEY = 32;

const isLongEnough = (key: string) => Buffer.byteLength(key) >= SHORTEST_KEY;

/** Keys that verify tokens. An empty one, from a stray comma, would let anyone sign tokens. */
const keys = z
  .string()
  .transform(listed)
  .refine((value) => value.every(isLongEnough), {
    error: `must be keys of at least ${SHORTEST_KEY} bytes, separated by commas; one of them is shorter`,
  });

const databaseShape = {
  NODE_ENV: oneOf('development', 'test', 'production').default('development'),
  DATABASE_URL: z.string().optional(),
  DB_HOST: z.string().optional(),
  DB_PORT: number(1, 65_535, 5432),
  DB_NAME: z.string().default('conduit'),
  DB_USER: z.string().default('postgres'),
  DB_PASS: z.string().optional(),
  DATA_FOLDER: z.string().default('.data'),
  EMBEDDED_FSYNC: onOff.default(true),
  SEARCH_LANGUAGE: z
    .string()
    .regex(/^[a-z_]{1,63}$/, { error: 'must be a text search configuration of PostgreSQL, such as german or simple' })
    .optional(),
};

const serverShape = {
  HOST: z.string().default('localhost'),
  PORT: number(0, 65_535, 4000),
  WEB_CONCURRENCY: number(1, 256, 1),
  TRUST_PROXY: proxies.optional(),
  MAX_CONNECTIONS: number(1, 1_000_000, 5000),
  REQUEST_TIMEOUT_SECONDS: number(1, 300, 10),
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent').default('info'),
  CORS_ORIGINS: origins.optional(),
  DB_POOL_SIZE: number(1, 1000, 10),
  MAX_IN_FLIGHT: number(1, 100_000, 1000),
  MAX_WAIT_MILLISECONDS: number(1, 60_000, 400),
  SHUTDOWN_DELAY_SECONDS: wholeNumber(0, 300).optional(),
  METRICS_HOST: z.string().default('127.0.0.1'),
  METRICS_PORT: wholeNumber(0, 65_535).optional(),
  REVISION: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  GUEST_CACHE_SECONDS: number(0, 86_400, 0),
  PLAYGROUND: onOff.optional(),
  PREPARED_STATEMENTS: onOff.default(true),
  REST_API: onOff.default(true),
  TRUSTED_DOCUMENTS: oneOf('off', 'only').default('off'),
  INTROSPECTION: onOff.optional(),
  MIGRATE_ON_START: oneOf('off', 'check', 'up').optional(),
  SECRET_KEY: z.string().optional(),
  SECRET_KEY_FALLBACKS: keys.default([]),
  ALGORITHM: oneOf('HS256').default('HS256'),
  ACCESS_TOKEN_EXPIRE_MINUTES: number(1, 1440, 30),
  REFRESH_TOKEN_EXPIRE_DAYS: number(1, 365, 30),
  REFUSE_COMMON_PASSWORDS: onOff.optional(),
  REGISTRATIONS_PER_HOUR: number(1, 1_000_000, 100),
};

const database = z.object(databaseShape).transform(databaseSettings);

const seed = z
  .object({ ...databaseShape, PORT: serverShape.PORT })
  .transform((given) => ({ ...databaseSettings(given), port: given.PORT }));

const serverVariables = z
  .object({ ...databaseShape, ...serverShape })
  .refine(({ NODE_ENV, SECRET_KEY = '' }) => NODE_ENV !== 'production' || isLongEnough(SECRET_KEY), {
    path: ['SECRET_KEY'],
    // Also when another variable is invalid, so that every problem is listed at once.
    when: () => true,
    error: ({ input }) => {
      const { SECRET_KEY } = input as { SECRET_KEY?: string };
      const problem = SECRET_KEY ? `has ${Buffer.byteLength(SECRET_KEY)} bytes` : 'is missing';
      return `${problem}; in production it must have at least ${SHORTEST_KEY} bytes, e.g. from: openssl rand -base64 48`;
    },
  });

const environment = serverVariables.transform((given) => ({
  ...databaseSettings(given),
  host: given.HOST,
  port: given.PORT,
  /** The number of processes that serve. With 1, this process serves itself. */
  webConcurrency: given.WEB_CONCURRENCY,
  /** Proxies whose forwarded client address is trusted. */
  trustProxy: given.TRUST_PROXY ?? [],
  maxConnections: given.MAX_CONNECTIONS,
  requestTimeoutSeconds: given.REQUEST_TIMEOUT_SECONDS,
  logLevel: given.LOG_LEVEL,
  /** Production allows no other origin by default; development allows any frontend on this machine. */
  allowedOrigins: given.CORS_ORIGINS ?? (given.NODE_ENV === 'production' ? [] : ('this machine' as const)),
  poolSize: given.DB_POOL_SIZE,
  maxInFlight: given.MAX_IN_FLIGHT,
  maxWaitMilliseconds: given.MAX_WAIT_MILLISECONDS,
  /** In production a load balancer needs a moment to notice that this process is shutting down. */
  shutdownDelaySeconds: given.SHUTDOWN_DELAY_SECONDS ?? (given.NODE_ENV === 'production' ? 5 : 0),
  /** Null means that no metrics are served. */
  metrics: given.METRICS_PORT === undefined ? null : { host: given.METRICS_HOST, port: given.METRICS_PORT },
  revision: given.REVISION ?? null,
  /** OpenTelemetry itself reads the endpoint and every other setting of traces. */
  traces: given.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined,
  guestCacheSeconds: given.GUEST_CACHE_SECONDS,
  playground: given.PLAYGROUND ?? given.NODE_ENV !== 'production',
  trustedDocumentsOnly: given.TRUSTED_DOCUMENTS === 'only',
  /** The Playground needs it. */
  introspection: given.INTROSPECTION ?? given.PLAYGROUND ?? given.NODE_ENV !== 'production',
  migrateOnStart: given.MIGRATE_ON_START ?? (given.DATABASE_URL || given.DB_HOST ? 'check' : 'up'),
  preparedStatements: given.PREPARED_STATEMENTS,
  /** RealWorld's REST API at /api. */
  rest: given.REST_API,
  /** Missing only outside production, where a key is generated and kept in the data folder. */
  secretKey: given.SECRET_KEY,
  secretKeyFallbacks: given.SECRET_KEY_FALLBACKS,
  accessTokenMinutes: given.ACCESS_TOKEN_EXPIRE_MINUTES,
  refreshTokenDays: given.REFRESH_TOKEN_EXPIRE_DAYS,
  refuseCommonPasswords: given.REFUSE_COMMON_PASSWORDS ?? given.NODE_ENV === 'production',
  /** From one IP address. */
  registrationsPerHour: given.REGISTRATIONS_PER_HOUR,
}));

function databaseSettings(given: z.infer<z.ZodObject<typeof databaseShape>>) {
  return {
    production: given.NODE_ENV === 'production',
    dataFolder: given.DATA_FOLDER,
    /** Whether commits of the embedded database reach the disk before they are acknowledged. */
    embeddedFsync: given.EMBEDDED_FSYNC,
    /** Without it, the database keeps its language, which is English until one is set. */
    ...(given.SEARCH_LANGUAGE && { searchLanguage: given.SEARCH_LANGUAGE }),
  };
}

function read<T extends z.ZodType>(schema: T, variables: NodeJS.ProcessEnv): z.infer<T> & Postgres {
  // An empty variable counts as missing: that is what an empty line in .env or an unset variable in a compose file yields.
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const result = schema.safeParse(given);
  const problems = result.success ? [] : result.error.issues.map((issue) => describe(issue, given));
  const postgres = readPostgres(given, problems);
  if (!result.success || problems.length > 0) throw new EnvironmentError(problems);
  return { ...(result.data as z.infer<T> & object), postgres };
}

/** The server of DATABASE_URL, or of the DB_ variables. Adds to the problems. */
function readPostgres(given: NodeJS.ProcessEnv, problems: string[]): PostgresServer | null {
  const { DATABASE_URL, DB_HOST, DB_PORT = '5432', DB_NAME = 'conduit', DB_USER = 'postgres', DB_PASS = '' } = given;
  try {
    if (DATABASE_URL) return parsePostgresUrl(DATABASE_URL, given);
    if (!DB_HOST) return null;
    return postgresServer({ host: DB_HOST, port: DB_PORT, dbname: DB_NAME, user: DB_USER, password: DB_PASS }, given);
  } catch (error) {
    if (!(error instanceof PostgresUrlError)) throw error;
    // A wrong DB_ variable has been described already.
    if (error.variable || DATABASE_URL) problems.push(`${error.variable ?? 'DATABASE_URL'} ${error.message}`);
    return null;
  }
}

function describe(issue: z.core.$ZodIssue, given: NodeJS.ProcessEnv): string {
  const name = String(issue.path[0]);
  const value = given[name];
  // Never repeat a secret, or a value that may contain one.
  const shown = value === undefined || /SECRET|PASS|URL/.test(name) ? '' : ` is "${value}"; it`;
  return `${name}${shown} ${issue.message}`;
}

function shellAndFile(): NodeJS.ProcessEnv {
  if (existsSync('.env')) loadEnvFile('.env');
  return process.env;
}
