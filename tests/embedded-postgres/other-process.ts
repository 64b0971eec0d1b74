/**
 * A process of its own that uses a data folder, run by tests and rigs: `other-process.ts FOLDER [OPTIONS AS JSON]`.
 * It prints one JSON line when it is open, answers each line of SQL with one, and ends with its standard input.
 */
import { createInterface } from 'node:readline';
import pg from 'pg';
import { openEmbeddedDatabase } from '../../src/embedded-postgres/embedded-database.ts';

const [folder = 'memory', options = '{}'] = process.argv.slice(2);
const say = (said: unknown) => console.log(JSON.stringify(said));

try {
  const database = await openEmbeddedDatabase({ ...JSON.parse(options), folder, log: (line) => console.error(line) });
  const { dbName, ...rest } = database.connection;
  const pool = new pg.Pool({ ...rest, database: dbName, max: 4 });
  pool.on('error', () => {}); // its owner went: the next query says so, or finds another
  await pool.query('select 1');
  say({ open: true, isOwner: database.isOwner, connection: database.connection });
  for await (const sql of createInterface({ input: process.stdin })) {
    try {
      say({ rows: (await pool.query(sql)).rows, isOwner: database.isOwner });
    } catch (error) {
      say({ code: (error as { code?: string }).code, message: (error as Error).message });
    }
  }
  await pool.end();
  await database.close({ waitForClients: true });
} catch (error) {
  say({ open: false, message: (error as Error).message });
  process.exitCode = 1;
}
