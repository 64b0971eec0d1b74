import type { SqlSchemaGenerator } from '@mikro-orm/sql';
import { type Catalog, type CatalogObject, readCatalog } from '../catalog/catalog.ts';
import { address } from '../catalog/queries.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { databaseMessage, MigrationProblem } from '../problems.ts';
import { excerpt } from '../sql/excerpt.ts';
import { qualifiedName } from '../sql/quote.ts';
import { parseStatements, type Statement } from '../sql/statements.ts';
import { type ShadowDatabase, trackingTable } from './shadow-database.ts';

/**
 * The catalog of the schema that entities declare. MikroORM's statements build it in the shadow database, inside a
 * transaction that is rolled back. Types, functions and sequences that were made by hand are there meanwhile, because
 * entities may use them, but are not in the catalog.
 */
export async function readEntitiesCatalog(
  migrator: MigratorParts,
  shadow: ShadowDatabase,
  history: Catalog,
  isDeclared: (object: CatalogObject) => boolean,
): Promise<Catalog> {
  const generator = migrator.config.getExtension('@mikro-orm/schema-generator') as SqlSchemaGenerator;
  const enums = Object.values(generator.getTargetSchema().getNativeEnums()).map(({ name, schema }) =>
    qualifiedName(schema, name),
  );
  const drops = [...history.values()].flatMap((object) => dropOf(object, isDeclared(object)));
  await shadow.query('begin');
  try {
    for (const drop of [...drops, ...enums.map((name) => `drop type if exists ${name} cascade`)])
      await shadow.query(drop);
    for (const { sql, syntaxError } of await schemaStatements(generator)) {
      await shadow.query(sql).catch((error) => {
        throw new MigrationProblem(
          'create-failed',
          [
            'The schema that the entities declare is not valid:',
            ...excerpt(sql, syntaxError?.position),
            `  ${databaseMessage(error)}`,
            'No file was written.',
          ].join('\n'),
        );
      });
    }
    const catalog = await readCatalog(shadow.query, trackingTable(migrator));
    const touched = await touchedAddresses(shadow);
    for (const { id, kind, row } of catalog.values()) {
      const [own = ''] = row.addresses as string[];
      if (['function', 'sequence', 'type'].includes(kind) && !touched.has(own)) catalog.delete(id);
    }
    return catalog;
  } finally {
    await shadow.query('rollback');
  }
}

/**
 * The statements with which MikroORM creates the schema. Where optional references form cycles, it repeats those of a table: a
 * comment requires its author and its article, and each of them may refer to a comment.
 */
export async function schemaStatements(
  generator: Pick<SqlSchemaGenerator, 'getCreateSchemaSQL'>,
): Promise<Statement[]> {
  const statements = parseStatements(await generator.getCreateSchemaSQL({ wrap: false }));
  return [...new Map(statements.map((statement) => [statement.sql, statement])).values()];
}

/** What this transaction made or replaced. The other functions, sequences and types were made by hand. */
async function touchedAddresses(shadow: ShadowDatabase): Promise<Set<string>> {
  const of = (catalog: string) =>
    `select ${address(catalog, 'oid')} as address from ${catalog} where xmin::text = (pg_current_xact_id()::xid)::text`;
  const rows = await shadow.query(['pg_proc', 'pg_class', 'pg_type'].map(of).join(' union all '));
  return new Set(rows.map((row) => String(row.address)));
}

/** Tables and views go, since entities declare them anew; of the rest, what entities declared. */
function dropOf({ kind, drop }: CatalogObject, isDeclared: boolean): string[] {
  const goes = ['table', 'view'].includes(kind) || (isDeclared && ['function', 'sequence', 'type'].includes(kind));
  return goes ? drop.map((sql) => `${sql.replace(/^drop (materialized view|\w+)/, '$& if exists')} cascade`) : [];
}
