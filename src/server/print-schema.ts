import { readFileSync, writeFileSync } from 'node:fs';
import { MikroORM } from '@mikro-orm/postgresql';
import { ormConfig } from '../../mikro-orm.config.ts';
import { printSortedSchema } from './http/endpoints/schema-endpoint.ts';
import { buildSchema } from './schema.ts';

/** Writes schema/schema.graphql from the code; `--check` only compares. Needs no database. */
const FILE = 'schema/schema.graphql';

const orm = await MikroORM.init(ormConfig({ connection: { clientUrl: 'postgresql://localhost/nowhere' } }));
const schema = printSortedSchema(buildSchema(orm.em));

if (!process.argv.includes('--check')) {
  writeFileSync(FILE, schema);
} else if (readFileSync(FILE, 'utf8') !== schema) {
  console.error(`${FILE} is out of date. Update it with: npm run generate`);
  process.exitCode = 1;
}
