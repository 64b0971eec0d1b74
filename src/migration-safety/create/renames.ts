import type { EntityMetadata } from '@mikro-orm/core';
import type { DatabaseSchema, DatabaseTable } from '@mikro-orm/sql';
import { MigrationProblem } from '../problems.ts';
import { quote } from '../sql/quote.ts';
import { isInteractive, prompt } from '../terminal.ts';

/** A table or a column that got another name, as statements there and back. */
export interface Rename {
  up: string;
  down: string;
  says: string;
}

/** What was said about names: 'posts' → 'articles', 'articles.body' → 'text', and '' for what is really dropped. */
export type Answers = Map<string, string>;

/** Says on an entity or a property what it was called before: `@Property({ type: 'text', ...renamedFrom('body') })`. */
export const renamedFrom = (name: string): object => ({ renamedFrom: name });

/** MIGRATION_RENAMES=posts=articles,articles.body=text,articles.legacy= and the renamedFrom of the entities. */
export function readAnswers(text: string | undefined, entities: Iterable<EntityMetadata>): Answers {
  const answers: Answers = new Map();
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
        `MIGRATION_RENAMES has "${pair}"; it must be old=new, table.old=new, or old= for what is dropped.`,
      );
    }
    answers.set(before, after.split('.').at(-1) ?? '');
  }
  return answers;
}

/**
 * Finds what got another name, and gives it that name in `from`, so that the comparison after this sees no drop and
 * no creation. What could be a rename as well as a drop is asked, or is an error: never a guess, never a silent drop.
 */
export async function applyRenames(from: DatabaseSchema, to: DatabaseSchema, answers: Answers): Promise<Rename[]> {
  const renames: Rename[] = [];
  const gone = from.getTables().filter((table) => !to.getTable(table.name));
  const come = to.getTables().filter((table) => !from.getTable(table.name));
  const tables = await pairUp('table', '', gone, come, alike, answers);
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

async function renameColumns(old: DatabaseTable, table: DatabaseTable, answers: Answers): Promise<Rename[]> {
  const gone = old.getColumns().filter(({ name }) => !table.getColumn(name));
  const come = table.getColumns().filter(({ name }) => !old.getColumn(name));
  const pairs = await pairUp(
    'column',
    `${table.name}.`,
    gone,
    come,
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

/** Pairs what went with what came: as was answered, or the one pair there can be, or as a person says. */
async function pairUp<T extends { name: string }>(
  what: string,
  prefix: string,
  gone: T[],
  come: T[],
  similar: (a: T, b: T) => boolean,
  answers: Answers,
): Promise<[T, T][]> {
  const pairs: [T, T][] = [];
  const taken = new Set<T>();
  const open: [T, T[]][] = [];
  for (const before of gone) {
    const answer = answers.get(`${prefix}${before.name}`);
    const after = come.find(({ name }) => name === answer);
    if (answer === '') continue;
    if (answer !== undefined && !after) {
      throw new MigrationProblem(
        'ambiguous-rename',
        `${prefix}${before.name} is said to be ${prefix}${answer} now, and there is no new ${what} of that name. No file was written.`,
      );
    }
    if (after) {
      pairs.push([before, after]);
      taken.add(after);
    } else open.push([before, come.filter((each) => similar(before, each))]);
  }
  for (const [before, all] of open) {
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
      `The ${what} ${name} is gone, and ${candidates.map((each) => `${prefix}${each.name}`).join(' and ')} came. Two readings:`,
      ...candidates.map(
        (each) =>
          `  renamed, its rows kept:      MIGRATION_RENAMES=${name}=${each.name} npx mikro-orm migration:create`,
      ),
      `  dropped, its rows gone:      MIGRATION_RENAMES=${name}= npx mikro-orm migration:create`,
      `On the entity, renamedFrom('${before.name}') says the first for good. No file was written.`,
    ].join('\n'),
  );
}

/** Two tables that could be one: most columns of the smaller are in the other. */
function alike(a: DatabaseTable, b: DatabaseTable): boolean {
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

/** A foreign key that is the same but for its name is renamed; dropping and adding it would look at every row. */
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

const statements = (up: string, down: string, says: string): Rename => ({ up, down, says });
