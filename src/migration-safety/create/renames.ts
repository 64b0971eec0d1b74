import type { EntityMetadata } from '@mikro-orm/core';
import type { DatabaseSchema, DatabaseTable } from '@mikro-orm/sql';
import { MigrationProblem } from '../problems.ts';
import { quote } from '../sql/quote.ts';
import { isInteractive, prompt } from '../terminal.ts';

/** A renamed table, column or constraint, as statements up and down. */
export interface Rename {
  up: string;
  down: string;
  description: string;
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
    if (before) answers.set(before, meta.tableName);
    for (const property of Object.values(meta.properties) as { renamedFrom?: string; fieldNames?: string[] }[]) {
      if (property.renamedFrom)
        answers.set(`${meta.tableName}.${property.renamedFrom}`, property.fieldNames?.[0] ?? '');
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
    answers.set(before, after.split('.').at(-1) ?? '');
  }
  return answers;
}

/**
 * Finds renames and applies them to `from`, so that the comparison after it finds no drop and no creation. If a change
 * can be a rename or a drop, it asks, or throws without a terminal. It never guesses and never drops silently.
 */
export async function applyRenames(
  from: DatabaseSchema,
  to: DatabaseSchema,
  answers: RenameAnswers,
): Promise<Rename[]> {
  const renames: Rename[] = [];
  const dropped = from.getTables().filter((table) => !to.getTable(table.name));
  const added = to.getTables().filter((table) => !from.getTable(table.name));
  const tables = await matchRenames('table', '', dropped, added, areSimilar, answers);
  for (const [before, after] of tables) {
    const [a, b] = [before.name, after.name];
    renames.push(
      statements(
        `alter table ${quote(a)} rename to ${quote(b)}`,
        `alter table ${quote(b)} rename to ${quote(a)}`,
        `table ${a} is now ${b}`,
      ),
    );
    renameTable(from, before, b);
    renames.push(...renameConstraints(before, after));
  }
  for (const table of to.getTables()) {
    const old = from.getTable(table.name);
    if (old) renames.push(...(await renameColumns(old, table, answers)));
  }
  return renames;
}

async function renameColumns(old: DatabaseTable, table: DatabaseTable, answers: RenameAnswers): Promise<Rename[]> {
  const dropped = old.getColumns().filter(({ name }) => !table.getColumn(name));
  const added = table.getColumns().filter(({ name }) => !old.getColumn(name));
  const pairs = await matchRenames(
    'column',
    `${table.name}.`,
    dropped,
    added,
    (a, b) => a.type.toLowerCase() === b.type.toLowerCase(),
    answers,
  );
  const name = quote(table.name);
  const renames = pairs.map(([{ name: before }, { name: after }]) => {
    renameColumn(old, before, after);
    return statements(
      `alter table ${name} rename column ${quote(before)} to ${quote(after)}`,
      `alter table ${name} rename column ${quote(after)} to ${quote(before)}`,
      `column ${table.name}.${before} is now ${table.name}.${after}`,
    );
  });
  return pairs.length > 0 ? [...renames, ...renameConstraints(old, table)] : [];
}

/** Pairs dropped with added names, by the answers or by asking. */
async function matchRenames<T extends { name: string }>(
  what: string,
  prefix: string,
  dropped: T[],
  added: T[],
  similar: (a: T, b: T) => boolean,
  answers: RenameAnswers,
): Promise<[T, T][]> {
  const pairs: [T, T][] = [];
  const taken = new Set<T>();
  const unanswered: [T, T[]][] = [];
  for (const before of dropped) {
    const answer = answers.get(`${prefix}${before.name}`);
    const after = added.find(({ name }) => name === answer);
    if (answer === '') continue;
    if (answer !== undefined && !after) {
      throw new MigrationProblem(
        'ambiguous-rename',
        `${prefix}${before.name} is declared renamed to ${prefix}${answer}, but there is no new ${what} of that name. No file was written.`,
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
    const after = await choose(what, prefix, before, candidates);
    if (!after) continue;
    pairs.push([before, after]);
    taken.add(after);
  }
  return pairs;
}

async function choose<T extends { name: string }>(
  what: string,
  prefix: string,
  before: T,
  candidates: T[],
): Promise<T | undefined> {
  const name = `${prefix}${before.name}`;
  if (isInteractive()) {
    const choices = candidates.map((each, i) => `  ${i + 1}  renamed to ${prefix}${each.name}`).join('\n');
    const answer = await prompt(
      `The ${what} ${name} is gone.\n${choices}\n  d  dropped, with everything in it\nWhich? `,
    );
    const chosen = candidates[Number(answer) - 1];
    if (chosen || answer === 'd') return chosen;
  }
  throw new MigrationProblem(
    'ambiguous-rename',
    [
      `The ${what} ${name} is gone, and ${candidates.map((each) => `${prefix}${each.name}`).join(' and ')} was added. Either:`,
      ...candidates.map(
        (each) =>
          `  renamed, its rows kept:      MIGRATION_RENAMES=${name}=${each.name} npx mikro-orm migration:create`,
      ),
      `  dropped, its rows gone:      MIGRATION_RENAMES=${name}= npx mikro-orm migration:create`,
      `renamedFrom('${before.name}') on the entity declares the rename permanently. No file was written.`,
    ].join('\n'),
  );
}

/** Whether one table may be the other renamed: at least half the columns of the smaller are in both. */
function areSimilar(a: DatabaseTable, b: DatabaseTable): boolean {
  const names = new Set(b.getColumns().map(({ name, type }) => `${name} ${type}`));
  const shared = a.getColumns().filter(({ name, type }) => names.has(`${name} ${type}`)).length;
  return shared * 2 >= Math.min(a.getColumns().length, b.getColumns().length);
}

function renameTable(schema: DatabaseSchema, table: DatabaseTable, name: string): void {
  const old = table.name;
  Object.assign(table, { name });
  const qualify = (text: string) => (text === old ? name : text.replace(new RegExp(`\\.${old}$`), `.${name}`));
  for (const each of schema.getTables()) {
    for (const key of Object.values(each.getForeignKeys())) {
      key.referencedTableName = qualify(key.referencedTableName);
      if (each === table) key.localTableName = qualify(key.localTableName);
    }
  }
}

function renameColumn(table: DatabaseTable, before: string, after: string): void {
  const column = table.getColumn(before);
  if (!column) return;
  const swap = (names: string[]) => names.map((name) => (name === before ? after : name));
  table.removeColumn(before);
  column.name = after;
  table.addColumn(column);
  for (const index of table.getIndexes()) index.columnNames = swap(index.columnNames);
  for (const key of Object.values(table.getForeignKeys())) key.columnNames = swap(key.columnNames);
}

/** Renames foreign keys that differ only in name; dropping and adding one would scan the table. */
function renameConstraints(old: DatabaseTable, table: DatabaseTable): Rename[] {
  const keys = old.getForeignKeys();
  const renames: Rename[] = [];
  for (const wanted of Object.values(table.getForeignKeys())) {
    const present = Object.values(keys).find((key) => key.columnNames.join() === wanted.columnNames.join());
    if (!present || present.constraintName === wanted.constraintName) continue;
    const [a, b] = [quote(present.constraintName), quote(wanted.constraintName)];
    renames.push(
      statements(
        `alter table ${quote(table.name)} rename constraint ${a} to ${b}`,
        `alter table ${quote(table.name)} rename constraint ${b} to ${a}`,
        '',
      ),
    );
    delete keys[present.constraintName];
    keys[wanted.constraintName] = Object.assign(present, { constraintName: wanted.constraintName });
  }
  return renames;
}

const statements = (up: string, down: string, description: string): Rename => ({ up, down, description });
