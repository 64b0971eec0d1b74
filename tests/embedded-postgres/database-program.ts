/**
 * Uses a data folder in a separate process, for tests and rigs: `database-program.ts FOLDER [OPTIONS AS JSON]`.
 * Prints one line of JSON when it is open and one for each line of SQL, and exits at the end of its standard input.
 */
import { createInterface } from 'node:readline';
import pg from 'pg';
import { openEmbeddedDatabase } from '../../src/embedded-postgres/embedded-database.ts';

const [folder = 'memory', options = '{}'] = process.argv.slice(2);
const print = (reply: unknown) => console.log(JSON.stringify(reply));

try {
  const database = await openEmbeddedDatabase({ ...JSON.parse(options), folder, log: (line) => console.error(line) });
  const { dbName, ...rest } = database.connection;
  const pool = new pg.Pool({ ...rest, database: dbName, max: 4 });
  pool.on('error', () => {}); // the owner exited: the next query fails, or reaches the new owner
  await pool.query('select 1');
  print({ open: true, isOwner: database.isOwner, connection: database.connection });
  for await (const sql of createInterface({ input: process.stdin })) {
    try {
      print({ rows: (await pool.query(sql)).rows, isOwner: database.isOwner });
    } catch (error) {
      print({ code: (error as { code?: string }).code, message: (error as Error).message });
    }
  }
  await pool.end();
  await database.close({ waitForClients: true });
} catch (error) {
  print({ open: false, message: (error as Error).message });
  process.exitCode = 1;
}
