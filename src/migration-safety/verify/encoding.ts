import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { Client } from 'pg';
import { MigrationProblem, sqlState } from '../problems.ts';
import { quote } from '../sql/quote.ts';

/** Throws if the database cannot hold every text. */
export async function assertUtf8(driver: AbstractSqlDriver): Promise<void> {
  const problem = await encodingProblem(driver);
  if (problem) throw problem;
}

/** Why the database cannot hold every text; undefined if it can, or does not exist yet. Creates nothing. */
export async function encodingProblem(driver: AbstractSqlDriver): Promise<MigrationProblem | undefined> {
  const database = await readDatabase(driver);
  if (!database || database.encoding === 'UTF8') return undefined;
  const { name, encoding } = database;
  return new MigrationProblem(
    'encoding',
    `The database ${name} has the encoding ${encoding}; it must be UTF8, or it refuses or damages texts.
The encoding cannot be changed. Create another database, copy the rows, and set DATABASE_URL to it:
  create database ${quote(`${name}_utf8`)} encoding 'UTF8' template template0;
  pg_dump ${shellQuoted(name)} | psql --set ON_ERROR_STOP=1 ${shellQuoted(`${name}_utf8`)}`,
  );
}

/** Throws if the server would create a database that cannot hold every text. */
export async function assertCreatesUtf8(server: Client, database: string): Promise<void> {
  const { rows } = await server.query(
    `select pg_encoding_to_char(encoding) as encoding from pg_database where datname = 'template1'`,
  );
  const encoding = rows[0]?.encoding ?? 'UTF8';
  if (encoding === 'UTF8') return;
  throw new MigrationProblem(
    'encoding',
    `The database ${database} does not exist, and the server creates databases in ${encoding}; it must be UTF8.
Create it:
  create database ${quote(database)} encoding 'UTF8' template template0;
Add locale 'C' if the locale of the server does not allow UTF8.`,
  );
}

const shellQuoted = (name: string) => (/^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`);

async function readDatabase(driver: AbstractSqlDriver) {
  const sql = `select current_database() as name, current_setting('server_encoding') as encoding`;
  try {
    const [row] = await driver.getConnection().execute<{ name: string; encoding: string }[]>(sql);
    return row;
  } catch (error) {
    if (sqlState(error) === NO_SUCH_DATABASE) return undefined;
    throw error;
  }
}

const NO_SUCH_DATABASE = '3D000';
