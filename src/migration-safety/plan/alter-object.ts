import type { CatalogObject } from '../catalog/catalog.ts';
import { alterColumn } from './alter-column.ts';
import { alterEnum } from './alter-enum.ts';
import type { Difference } from './difference.ts';
import { type Chain, operation } from './operation.ts';

/** The operations that turn one object into another of the same id, where it is. */
export function alterObject(
  old: CatalogObject,
  now: CatalogObject,
  difference: Difference,
  naive: boolean,
): Chain | undefined {
  const table = old.parent ? String(old.row.sql) : undefined;
  switch (old.kind) {
    case 'column':
      return alterColumn(old, now, difference, naive);
    case 'type':
      return alterEnum(old, now, difference);
    case 'sequence':
      return old.definition === now.definition
        ? undefined
        : [operation(sequenceOptions(now), sequenceOptions(old), { step: 'alter sequence' })];
    case 'row security':
      return [operation(forced(now), forced(old), { table, step: 'create trigger' })];
    default:
      return [operation(now.create, old.create, { step: old.kind === 'comment' ? 'comment' : 'create function' })];
  }
}

/** Options of sequences are set one by one: what is not named stays. */
const sequenceOptions = ({ row, definition }: CatalogObject) =>
  `alter sequence ${row.sql} ${definition}${row.cycle ? '' : ' no cycle'}`;

const forced = ({ row }: CatalogObject) => `alter table ${row.sql} ${row.forced ? '' : 'no '}force row level security`;
