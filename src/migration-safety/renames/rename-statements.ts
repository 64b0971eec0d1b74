import type { Catalog, CatalogObject, Kind } from '../catalog/catalog.ts';
import { isRelation, shorten } from '../plan/create-object.ts';
import { catalogName, quote } from '../sql/quote.ts';
import type { RenamedObject } from './name-resolution.ts';

/** A renamed table, column or constraint, as statements up and down. */
export interface Rename {
  up: string;
  down: string;
  description: string;
  /** The table that it locks, by its new name. */
  table: string | undefined;
  /** What gets another name, if PostgreSQL keeps text that may use the old one: the bodies of functions. */
  object?: RenamedObject;
}

/**
 * A new name, or a move into another schema, or both: the new name first, unless something in the old schema has it. A schema that is
 * not among these is created and added to them.
 */
export function renameTable(old: CatalogObject, now: CatalogObject, schemas: Set<string>, catalog: Catalog): Rename[] {
  const isNameFree = !relationNames(catalog, old.schema).has(now.name);
  const between = isNameFree ? { schema: old.schema, name: now.name } : { schema: now.schema, name: old.name };
  const create = schemas.has(now.schema)
    ? []
    : [statements(`create schema ${quote(now.schema)}`, `drop schema ${quote(now.schema)}`, '')];
  schemas.add(now.schema);
  const steps = [...renameStep(old, between, old, now), ...renameStep(between, now, old, now)];
  const description = `table ${readable(old)} is now ${readable(now)}`;
  return [...create, ...steps.map((step, at) => ({ ...step, description: at === 0 ? description : '' }))];
}

/** Where a table is: two places differ in the schema or in the name. */
type Place = Pick<CatalogObject, 'schema' | 'name'>;

function renameStep(from: Place, to: Place, old: CatalogObject, { row }: CatalogObject): Rename[] {
  const [before, after] = [from, to].map(({ schema, name }) => `alter table ${catalogName(schema, name)}`);
  if (from.schema !== to.schema) {
    const [up, down] = [`${before} set schema ${quote(to.schema)}`, `${after} set schema ${quote(from.schema)}`];
    return [statements(up, down, '', row.sql)];
  }
  if (from.name === to.name) return [];
  const [up, down] = [`${before} rename to ${quote(to.name)}`, `${after} rename to ${quote(from.name)}`];
  return [{ ...statements(up, down, '', row.sql), object: { schema: old.schema, from: from.name, to: to.name } }];
}

/** What a table would take into a schema where another object has its name: it gets another one first. */
export function makeWay(old: CatalogObject, now: CatalogObject, catalog: Catalog): Rename[] {
  if (old.schema === now.schema) return [];
  const taken = relationNames(catalog, now.schema);
  return [...catalog.values()].flatMap((each) => {
    const sequence = identitySequence(each);
    if (each.parent === old.id && sequence && taken.has(sequence))
      return [renameSequence(old.schema, sequence, shorten(`${sequence}_moved`))];
    const rename = RENAMES[each.kind];
    const goesAlong = each.parent === old.id || String(each.row.owner).startsWith(`${old.id}, `);
    if (!rename || !goesAlong || !isRelation(each) || !taken.has(each.name)) return [];
    const name = shorten(`${each.name}_moved`);
    const sql = catalogName(each.schema, name);
    const renamed = { ...each, name, row: { ...each.row, ...(each.kind === 'constraint' ? {} : { index: sql, sql }) } };
    return [statements(rename(each, name), rename(renamed, each.name), '', now.row.sql)];
  });
}

const relationNames = (catalog: Catalog, schema: string): Set<string> =>
  new Set(
    [...catalog.values()]
      .filter((each) => each.schema === schema)
      .flatMap((each) => (isRelation(each) ? each.name : (identitySequence(each) ?? []))),
  );

/** The name of the sequence of an identity column, which is no object of its own here. */
const identitySequence = ({ row }: CatalogObject) => row.identity_sequence as string | null | undefined;

const renameSequence = (schema: string, from: string, to: string): Rename =>
  statements(
    `alter sequence ${catalogName(schema, from)} rename to ${quote(to)}`,
    `alter sequence ${catalogName(schema, to)} rename to ${quote(from)}`,
    '',
  );

/** Partitions of the same table with the same bound are the same. */
export function renamePartitions(catalog: Catalog, entities: Catalog, schemas: Set<string>): Rename[] {
  const added = of(entities, 'table').filter(({ id, parent }) => parent && !catalog.has(id));
  const gone = of(catalog, 'table').filter(({ id, parent }) => parent && !entities.has(id));
  return gone.flatMap((old) => {
    const now = added.find(({ parent, row }) => parent === old.parent && row.bound === old.row.bound);
    return now ? renameTable(old, now, schemas, catalog) : [];
  });
}

export const renameColumn = (old: CatalogObject, now: CatalogObject, tableBefore: CatalogObject): Rename => ({
  ...statements(
    `alter table ${now.row.sql} rename column ${quote(old.name)} to ${quote(now.name)}`,
    `alter table ${now.row.sql} rename column ${quote(now.name)} to ${quote(old.name)}`,
    `column ${readable(old)} is now ${readable(now)}`,
    now.row.sql,
  ),
  object: { schema: tableBefore.schema, table: tableBefore.name, from: old.name, to: now.name },
});

/** What differs only in its name, after a table or column was renamed: building it again would scan the table. */
export function renameEquals(catalog: Catalog, entities: Catalog): Rename[] {
  const taken = new Set<string>();
  const names = new Map<string, Set<string>>();
  return [...catalog.values()].flatMap((old) => {
    const rename = RENAMES[old.kind];
    if (!rename || entities.has(old.id)) return [];
    const inSchema = names.get(old.schema) ?? relationNames(catalog, old.schema);
    names.set(old.schema, inSchema);
    const now = [...entities.values()].find(
      (each) =>
        each.kind === old.kind &&
        each.parent === old.parent &&
        each.schema === old.schema &&
        !catalog.has(each.id) &&
        !taken.has(each.id) &&
        !(isRelation(each) && inSchema.has(each.name)) &&
        isEqual(old, each),
    );
    if (!now) return [];
    taken.add(now.id);
    if (isRelation(old) && inSchema.delete(old.name)) inSchema.add(now.name);
    // A sequence locks no table.
    const table = old.kind === 'sequence' ? undefined : old.row.sql;
    return [statements(rename(old, now.name), rename(now, old.name), '', table)];
  });
}

const RENAMES: { [kind in Kind]?: (object: CatalogObject, name: string) => string } = {
  constraint: ({ row, name }, to) => `alter table ${row.sql} rename constraint ${quote(name)} to ${quote(to)}`,
  index: ({ row }, to) => `alter index ${row.index} rename to ${quote(to)}`,
  trigger: ({ row, name }, to) => `alter trigger ${quote(name)} on ${row.sql} rename to ${quote(to)}`,
  policy: ({ row, name }, to) => `alter policy ${quote(name)} on ${row.sql} rename to ${quote(to)}`,
  sequence: ({ row }, to) => `alter sequence ${row.sql} rename to ${quote(to)}`,
};

/** Equal but for the name, in the definition and in what owns it. */
function isEqual(old: CatalogObject, now: CatalogObject): boolean {
  const nameless = ({ definition, name }: CatalogObject) =>
    definition
      .replace(/^(CREATE (?:UNIQUE )?(?:INDEX|TRIGGER|CONSTRAINT TRIGGER) )(?:"(?:[^"]|"")*"|\S+)/, '$1')
      .replaceAll(quote(name), '');
  return nameless(old) === nameless(now) && old.row.owner === now.row.owner;
}

/** The objects of a kind, or those of them that belong to this table. */
export const of = (catalog: Catalog, kind: Kind, parent?: string) =>
  [...catalog.values()].filter((each) => each.kind === kind && (parent === undefined || each.parent === parent));

/** A table's or column's name as people write it: articles, blog.articles, articles.title. */
export const readable = ({ kind, parent, id, name }: CatalogObject) =>
  kind === 'table'
    ? id.replace(/^table /, '').replaceAll('"', '')
    : `${String(parent)
        .replace(/^table /, '')
        .replaceAll('"', '')}.${name}`;

const statements = (up: string, down: string, description: string, table?: unknown): Rename => ({
  up,
  down,
  description,
  table: table === undefined ? undefined : String(table),
});
