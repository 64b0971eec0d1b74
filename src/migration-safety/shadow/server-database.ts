import { randomBytes } from 'node:crypto';
import { Client, type ClientConfig } from 'pg';
import { databaseMessage, MigrationProblem } from '../problems.ts';
import { type ConnectionTo, connectionOfSetting } from '../settings.ts';
import { quote } from '../sql/quote.ts';

/** A database of a random name on the server of MIGRATION_SHADOW_URL, made from template0. */
export interface ServerDatabase {
  connection: ConnectionTo;
  drop: () => Promise<void>;
}

export async function createServerDatabase(
  serverUrl: string,
  read: (url: string) => ConnectionTo,
): Promise<ServerDatabase> {
  const connectionOf = (url: string) => connectionOfSetting('MIGRATION_SHADOW_URL', url, read);
  const name = `${PREFIX}${randomBytes(8).toString('hex')}`;
  const url = parsed(serverUrl);
  if (url.pathname.length <= 1) url.pathname = '/postgres';
  // This session says by its name that the database is in use. It ends with the process, even if that is killed.
  const management = new URL(url);
  management.searchParams.set('application_name', name);
  const session = new Client(clientConfig(connectionOf(management.href)));
  session.on('error', () => {});
  const close = () => session.end().catch(() => {});
  try {
    await session.connect();
    await dropLeftovers(session);
    await session.query(`create database ${quote(name)} template template0`);
  } catch (error) {
    await close();
    throw unusable(url, error);
  }
  const { host } = url;
  url.pathname = `/${name}`;
  const drop = async () => {
    try {
      await session.query(`drop database if exists ${quote(name)} with (force)`);
    } catch (error) {
      throw unusable({ host }, error);
    } finally {
      await close();
    }
  };
  return { connection: connectionOf(url.href), drop };
}

const PREFIX = 'migration_shadow_';

/** Drops what commands left that were killed: no session has the name of their database. */
async function dropLeftovers(session: Client): Promise<void> {
  const { rows } = await session.query<{ datname: string }>(
    `select datname from pg_database where datname ~ '^${PREFIX}[0-9a-f]{16}$'
      and datname not in (select application_name from pg_stat_activity where application_name is not null)`,
  );
  // Another user's, one that is still connected, or one that another command is dropping.
  for (const { datname } of rows) await session.query(`drop database if exists ${quote(datname)}`).catch(() => {});
}

function parsed(serverUrl: string): URL {
  if (URL.canParse(serverUrl)) return new URL(serverUrl);
  // Without the value, which may hold a password.
  throw new MigrationProblem(
    'bad-setting',
    'MIGRATION_SHADOW_URL must be a URL such as postgresql://user:password@localhost:5432',
  );
}

const unusable = ({ host }: { host: string }, error: unknown) =>
  new MigrationProblem(
    'unreachable',
    `Cannot use the server ${host} of MIGRATION_SHADOW_URL: ${databaseMessage(error)}\nIts user must be allowed to create databases.`,
    { cause: error },
  );

function clientConfig({ clientUrl, dbName, driverOptions, ...address }: ConnectionTo): ClientConfig {
  return clientUrl
    ? { connectionString: clientUrl }
    : { ...driverOptions, ...address, ...(dbName && { database: dbName }) };
}
