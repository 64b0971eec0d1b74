import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { columnType } from '../catalog/definitions.ts';

/** The type of a column as a new table takes it: serial if it is one. */
export const typeOf = (column: CatalogObject, catalog: Catalog): string =>
  isSerial(column, catalog)
    ? ({ smallint: 'smallserial', bigint: 'bigserial' }[String(column.row.type)] ?? 'serial')
    : columnType(column.row);

/** Whether `serial` makes this column: its default is the next number of a sequence that it owns, named as PostgreSQL does. */
export function isSerial(column: CatalogObject | undefined, catalog: Catalog): boolean {
  if (column?.kind !== 'column' || !column.row.required) return false;
  return [...catalog.values()].some(
    ({ kind, row, name, schema }) =>
      kind === 'sequence' &&
      row.owner === column.id &&
      schema === column.schema &&
      name === `${tableNameOf(column)}_${column.name}_seq` &&
      row.type === column.row.type &&
      row.start === '1' &&
      row.increment === '1' &&
      row.min === '1' &&
      row.cache === '1' &&
      !row.cycle &&
      /^nextval\('[^']+'::regclass\)$/.test(String(column.row.default)),
  );
}

/** The name of a column's table, without its schema and quotes. */
export const tableNameOf = ({ row }: CatalogObject): string =>
  (/"((?:[^"]|"")*)"$/.exec(String(row.sql))?.[1] ?? '').replaceAll('""', '"');
