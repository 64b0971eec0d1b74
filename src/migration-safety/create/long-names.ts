import type { SqlSchemaGenerator } from '@mikro-orm/sql';
import type { MigratorParts } from '../migrator-parts.ts';
import { MigrationProblem } from '../problems.ts';

const MAX_BYTES = 63;

/**
 * Refuses names that PostgreSQL cuts off: two of them can become one, and MikroORM does not find the value of a column
 * whose name the server cuts.
 */
export function refuseLongNames({ config }: MigratorParts): void {
  const generator = config.getExtension('@mikro-orm/schema-generator') as SqlSchemaGenerator;
  const long = generator
    .getTargetSchema()
    .getTables()
    .flatMap((table) => [
      ['table', table.name],
      ...table.getColumns().map(({ name }) => [`column of ${table.name}`, name]),
      ...table.getIndexes().map(({ keyName }) => [`index of ${table.name}`, keyName]),
      ...table.getTriggers().map(({ name }) => [`trigger function of ${table.name}`, `${table.name}_${name}_fn`]),
    ])
    .filter(([, name = '']) => Buffer.byteLength(name) > MAX_BYTES);
  if (long.length === 0) return;
  throw new MigrationProblem(
    'create-failed',
    [
      `PostgreSQL cuts names off after ${MAX_BYTES} bytes:`,
      ...long.map(([what, name = '']) => `  ${what}: ${name} (${Buffer.byteLength(name)} bytes)`),
      'Give them shorter names. No file was written.',
    ].join('\n'),
  );
}
