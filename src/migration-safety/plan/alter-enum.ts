import type { CatalogObject } from '../catalog/catalog.ts';
import { shortType } from '../catalog/definitions.ts';
import { catalogName, literal, quote } from '../sql/quote.ts';
import { shorten } from './create-object.ts';
import { type Difference, isRebuiltEnum, readersOf } from './difference.ts';
import { type Chain, operation } from './operation.ts';
import { recompileTriggers } from './recompile-triggers.ts';

/** New values are added; if values are removed or moved, the type is made anew and the columns are converted. */
export function alterEnum(old: CatalogObject, now: CatalogObject, difference: Difference): Chain {
  const rebuilt = isRebuiltEnum(old, now);
  const { before, dropped } = difference;
  const users = columnsOf(old, difference);
  const recompiled = recompileTriggers(users, difference);
  const anew = (from: CatalogObject, to: CatalogObject, columns = users) => [
    ...rebuild(from, to, columns),
    ...recompiled,
  ];
  const usersAfter = users.map((each) => {
    const { type, default: value } = difference.after.get(each.id)?.row ?? {};
    return type === each.row.type ? { ...each, row: { ...each.row, default: value } } : each;
  });
  if (rebuilt) return [operation(anew(old, now, usersAfter), anew(now, old), { step: 'alter enum' })];
  const labels = now.row.labels as string[];
  const added = labels.filter((label) => !(old.row.labels as string[]).includes(label));
  const up = added.map((label) => {
    const at = labels.indexOf(label);
    const place = at === 0 ? ` before ${literal(nextKept(labels, added))}` : ` after ${literal(labels[at - 1] ?? '')}`;
    return `alter type ${now.row.sql} add value if not exists ${literal(label)}${labels.length > 1 ? place : ''}`;
  });
  const dependents = readersOf(users, before).filter(({ id }) => !dropped.has(id));
  const down = [
    ...[...dependents].reverse().flatMap(({ kind, drop }) => (kind === 'index' ? [] : drop)),
    ...anew(now, old),
    ...dependents.flatMap(({ create }) => create),
  ];
  return [operation(up, down, { alone: 'transactional', step: 'alter enum' })];
}

const nextKept = (labels: string[], added: string[]) => labels.find((label) => !added.includes(label)) ?? '';

/** The enum made anew, and its columns, with the defaults that they have then, converted by the text of the values. */
function rebuild(old: CatalogObject, now: CatalogObject, users: CatalogObject[]): string[] {
  const temporary = shorten(`${old.name}_before`);
  return [
    `alter type ${old.row.sql} rename to ${quote(temporary)}`,
    ...now.create,
    ...users.flatMap(({ name, row }) => {
      const alter = `alter table ${row.sql} alter column ${quote(name)}`;
      const type = shortType(String(row.type));
      return [
        `${alter} drop default`,
        `${alter} type ${type} using ${quote(name)}::text${type.endsWith('[]') ? '[]' : ''}::${type}`,
        ...(row.default ? [`${alter} set default ${row.default}`] : []),
      ];
    }),
    `drop type ${catalogName(old.schema, temporary)}`,
  ];
}

/** The columns of an enum before and after: those that go, or get another type, do so before the enum changes. */
export const columnsOf = (type: CatalogObject, { before, after, dropped }: Difference): CatalogObject[] =>
  [...before.values()].filter(
    ({ id, kind, needs, row }) =>
      kind === 'column' &&
      !row.generated &&
      !dropped.has(id) &&
      needs.has(type.id) &&
      after.get(id)?.needs.has(type.id),
  );
