import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { databaseMessage, MigrationProblem } from '../problems.ts';
import { quote } from '../sql/quote.ts';

/** A database of a random name on the server of MIGRATION_SHADOW_URL, made from template0. */
export interface ServerDatabase {
  url: string;
  drop: () => Promise<void>;
}

export async function createServerDatabase(serverUrl: string): Promise<ServerDatabase> {
  const name = `migration_shadow_${randomBytes(8).toString('hex')}`;
  const url = parsed(serverUrl);
  if (url.pathname.length <= 1) url.pathname = '/postgres';
  const management = url.href;
  await run(management, `create database ${quote(name)} template template0`);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(management, `drop database if exists ${quote(name)} with (force)`) };
}

function parsed(serverUrl: string): URL {
  if (URL.canParse(serverUrl)) return new URL(serverUrl);
  // Without the value, which may hold a password.
  throw new MigrationProblem(
    'bad-setting',
    'MIGRATION_SHADOW_URL must be a URL such as postgresql://user:password@localhost:5432',
  );
}

async function run(url: string, sql: string): Promise<void> {
  const client = new Client(url);
  try {
    await client.connect();
    await client.query(sql);
  } catch (error) {
    const { host } = new URL(url);
    throw new MigrationProblem(
      'unreachable',
      `Cannot use the server ${host} of MIGRATION_SHADOW_URL: ${databaseMessage(error)}\nIts user must be allowed to create databases.`,
      { cause: error },
    );
  } finally {
    await client.end().catch(() => {});
  }
}
