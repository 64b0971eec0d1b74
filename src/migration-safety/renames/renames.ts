import type { EntityMetadata } from '@mikro-orm/core';
import type { Catalog, CatalogObject, Kind } from '../catalog/catalog.ts';
import { MigrationProblem } from '../problems.ts';
import { quote } from '../sql/quote.ts';
import { isInteractive, prompt } from '../terminal.ts';
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

/** Old to new name: 'articles' → 'posts', 'posts.body' → 'text', or '' if it is dropped. */
export type RenameAnswers = Map<string, string>;

/** The old name of an entity or a property: `@Property({ type: 'text', ...renamedFrom('body') })`. */
export const renamedFrom = (name: string): object => ({ renamedFrom: name });

/** The answers in MIGRATION_RENAMES=articles=posts,posts.body=text,posts.legacy= and in renamedFrom of the entities. */
export function readRenameAnswers(text: string | undefined, entities: Iterable<EntityMetadata>): RenameAnswers {
  const answers: RenameAnswers = new Map();
  for (const meta of entities) {
    const before = (meta as { renamedFrom?: string }).renamedFrom;
    if (before) answers.set(before, nameOf(meta));
    for (const property of Object.values(meta.properties) as { renamedFrom?: string; fieldNames?: string[] }[]) {
      if (property.renamedFrom) answers.set(`${nameOf(meta)}.${property.renamedFrom}`, property.fieldNames?.[0] ?? '');
    }
  }
  for (const pair of (text ?? '').split(',').filter(Boolean)) {
    const [before, after] = pair.split('=').map((part) => part.trim());
    if (!before || after === undefined) {
      throw new MigrationProblem(
        'bad-setting',
        `MIGRATION_RENAMES has "${pair}"; it must be old=new, table.old=new, or old= if it is dropped.`,
      );
    }
    answers.set(before, after);
  }
  return answers;
}

/** Runs a statement on the shadow database, and reads its catalog again. */
export interface RenamedDatabase {
  run: (sql: string) => Promise<unknown>;
  read: () => Promise<Catalog>;
}

/**
 * Finds what is renamed and renames it in the shadow database, so that PostgreSQL itself renames it in indexes,
 * constraints, views and policies. If a change can be a rename or a drop, it asks, or throws without a terminal. It
 * never guesses and never drops silently.
 */
export async function applyRenames(
  before: Catalog,
  entities: Catalog,
  answers: RenameAnswers,
  isDeclared: (object: CatalogObject) => boolean,
  database: RenamedDatabase,
): Promise<{ renames: Rename[]; catalog: Catalog }> {
  const renames: Rename[] = [];
  let catalog = before;
  const apply = async (found: Rename[]) => {
    for (const { up } of found) await database.run(up);
    renames.push(...found);
    if (found.length > 0) catalog = await database.read();
  };
  const tables = await matchRenames(
    'table',
    of(before, 'table').filter((table) => !entities.has(table.id) && isDeclared(table)),
    of(entities, 'table').filter(({ id }) => !before.has(id)),
    (a, b) => areSimilar(a, b, before, entities),
    answers,
  );
  const schemas = new Set(of(before, 'schema').map(({ name }) => name)).add('public');
  await apply(tables.flatMap(([old, now]) => renameTable(old, now, schemas)));
  for (const table of of(entities, 'table').filter(({ id }) => catalog.has(id))) {
    const columns = await matchRenames(
      'column',
      of(catalog, 'column', table.id).filter(({ id }) => !entities.has(id)),
      of(entities, 'column', table.id).filter(({ id }) => !catalog.has(id)),
      (a, b) => a.row.type === b.row.type,
      answers,
    );
    const [tableBefore = table] = tables.find(([, now]) => now.id === table.id) ?? [];
    await apply(columns.map(([old, now]) => renameColumn(old, now, tableBefore)));
  }
  if (renames.length > 0) await apply(renameEquals(catalog, entities));
  return { renames, catalog };
}

const of = (catalog: Catalog, kind: Kind, parent?: string) =>
  [...catalog.values()].filter((each) => each.kind === kind && (parent === undefined || each.parent === parent));

/** A table's or column's name as people write it: articles, blog.articles, articles.title. */
const readable = ({ kind, parent, id, name }: CatalogObject) =>
  kind === 'table'
    ? id.replace(/^table /, '').replaceAll('"', '')
    : `${String(parent)
        .replace(/^table /, '')
        .replaceAll('"', '')}.${name}`;

const nameOf = ({ schema, tableName }: { schema?: string; tableName: string }) =>
  schema && schema !== 'public' && schema !== '*' ? `${schema}.${tableName}` : tableName;

/** A new name, or a move into another schema, or both. A schema that is not among these is created and added to them. */
function renameTable(old: CatalogObject, now: CatalogObject, schemas: Set<string>): Rename[] {
  const renames: Rename[] = [];
  const moved = old.schema === now.schema ? String(old.row.sql) : `${quote(now.schema)}.${quote(old.name)}`;
  const description = `table ${readable(old)} is now ${readable(now)}`;
  if (old.schema !== now.schema) {
    if (!schemas.has(now.schema))
      renames.push(statements(`create schema ${quote(now.schema)}`, `drop schema ${quote(now.schema)}`, ''));
    schemas.add(now.schema);
    renames.push(
      statements(
        `alter table ${old.row.sql} set schema ${quote(now.schema)}`,
        `alter table ${moved} set schema ${quote(old.schema)}`,
        description,
        now.row.sql,
      ),
    );
  }
  if (old.name !== now.name)
    renames.push({
      ...statements(
        `alter table ${moved} rename to ${quote(now.name)}`,
        `alter table ${now.row.sql} rename to ${quote(old.name)}`,
        old.schema === now.schema ? description : '',
        now.row.sql,
      ),
      object: { schema: old.schema, from: old.name, to: now.name },
    });
  return renames;
}

const renameColumn = (old: CatalogObject, now: CatalogObject, tableBefore: CatalogObject): Rename => ({
  ...statements(
    `alter table ${now.row.sql} rename column ${quote(old.name)} to ${quote(now.name)}`,
    `alter table ${now.row.sql} rename column ${quote(now.name)} to ${quote(old.name)}`,
    `column ${readable(old)} is now ${readable(now)}`,
    now.row.sql,
  ),
  object: { schema: tableBefore.schema, table: tableBefore.name, from: old.name, to: now.name },
});

/** What differs only in its name, after a table or column was renamed: building it again would scan the table. */
function renameEquals(catalog: Catalog, entities: Catalog): Rename[] {
  const taken = new Set<string>();
  return [...catalog.values()].flatMap((old) => {
    const rename = RENAMES[old.kind];
    if (!rename || entities.has(old.id)) return [];
    const now = [...entities.values()].find(
      (each) =>
        each.kind === old.kind &&
        each.parent === old.parent &&
        each.schema === old.schema &&
        !catalog.has(each.id) &&
        !taken.has(each.id) &&
        isEqual(old, each),
    );
    if (!now) return [];
    taken.add(now.id);
    return [statements(rename(old, now.name), rename(now, old.name), '', old.row.sql)];
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

/** Pairs dropped with added names, by the answers or by asking. */
async function matchRenames(
  what: string,
  dropped: CatalogObject[],
  added: CatalogObject[],
  similar: (a: CatalogObject, b: CatalogObject) => boolean,
  answers: RenameAnswers,
): Promise<[CatalogObject, CatalogObject][]> {
  const pairs: [CatalogObject, CatalogObject][] = [];
  const taken = new Set<CatalogObject>();
  const unanswered: [CatalogObject, CatalogObject[]][] = [];
  for (const before of dropped) {
    const answer = answers.get(readable(before));
    const after = added.find((each) => readable(each) === answer || each.name === answer);
    if (answer === '') continue;
    if (answer !== undefined && !after) {
      throw new MigrationProblem(
        'ambiguous-rename',
        `${readable(before)} is declared renamed to ${answer}, but there is no new ${what} of that name. No file was written.`,
      );
    }
    if (after) {
      pairs.push([before, after]);
      taken.add(after);
    } else unanswered.push([before, added.filter((each) => similar(before, each))]);
  }
  for (const [before, all] of unanswered) {
    const candidates = all.filter((each) => !taken.has(each));
    if (candidates.length === 0) continue;
    const after = await choose(what, before, candidates);
    if (!after) continue;
    pairs.push([before, after]);
    taken.add(after);
  }
  return pairs;
}

async function choose(
  what: string,
  before: CatalogObject,
  candidates: CatalogObject[],
): Promise<CatalogObject | undefined> {
  const name = readable(before);
  if (isInteractive()) {
    const choices = candidates.map((each, i) => `  ${i + 1}  renamed to ${readable(each)}`).join('\n');
    const answer = await prompt(
      `The ${what} ${name} is gone.\n${choices}\n  d  dropped, with everything in it\nWhich? `,
    );
    const chosen = candidates[Number(answer) - 1];
    if (chosen || answer === 'd') return chosen;
  }
  throw new MigrationProblem(
    'ambiguous-rename',
    [
      `The ${what} ${name} is gone, and ${candidates.map(readable).join(' and ')} was added. Either:`,
      ...candidates.map(
        (each) =>
          `  renamed, its rows kept:      MIGRATION_RENAMES=${name}=${what === 'table' ? readable(each) : each.name} npx mikro-orm migration:create`,
      ),
      `  dropped, its rows gone:      MIGRATION_RENAMES=${name}= npx mikro-orm migration:create`,
      `renamedFrom('${before.name}') on the entity declares the rename permanently. No file was written.`,
    ].join('\n'),
  );
}

/** Whether one table may be the other renamed or moved: at least half the columns of the smaller are in both. */
function areSimilar(a: CatalogObject, b: CatalogObject, before: Catalog, entities: Catalog): boolean {
  const columns = (table: CatalogObject, catalog: Catalog) =>
    of(catalog, 'column', table.id).map(({ name, row }) => `${name} ${row.type}`);
  const [old, now] = [columns(a, before), columns(b, entities)];
  return old.filter((each) => now.includes(each)).length * 2 >= Math.min(old.length, now.length);
}

const statements = (up: string, down: string, description: string, table?: unknown): Rename => ({
  up,
  down,
  description,
  table: table === undefined ? undefined : String(table),
});
