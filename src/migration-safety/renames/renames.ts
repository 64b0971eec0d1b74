import type { EntityMetadata } from '@mikro-orm/core';
import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { MigrationProblem } from '../problems.ts';
import { isInteractive, prompt } from '../terminal.ts';
import {
  makeWay,
  of,
  type Rename,
  readable,
  renameColumn,
  renameEquals,
  renamePartitions,
  renameTable,
} from './rename-statements.ts';

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
    of(before, 'table').filter((table) => !table.parent && !entities.has(table.id) && isDeclared(table)),
    of(entities, 'table').filter(({ id, parent }) => !parent && !before.has(id)),
    (a, b) => areSimilar(a, b, before, entities),
    answers,
  );
  const schemas = new Set(of(before, 'schema').map(({ name }) => name)).add('public');
  await apply(
    tables.flatMap(([old, now]) => [...makeWay(old, now, before), ...renameTable(old, now, schemas, before)]),
  );
  for (let found = renamePartitions(catalog, entities, schemas); found.length > 0; ) {
    await apply(found);
    found = renamePartitions(catalog, entities, schemas);
  }
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

const nameOf = ({ schema, tableName }: { schema?: string; tableName: string }) =>
  schema && schema !== 'public' && schema !== '*' ? `${schema}.${tableName}` : tableName;

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
