import { afterAll, expect } from 'vitest';
import type { Catalog } from '../../../src/migration-safety/catalog/catalog.ts';
import { Application, anApplication, type Model, type Rows, type VersionOptions } from '../in-process.ts';
import { BLOG_ROWS, blog } from './blog.ts';
import { besideWriters } from './writers.ts';

/** A change of the entities of an application that has rows. */
export interface Change extends VersionOptions {
  /** The entities before; a plain blog by default. */
  from?: Model;
  to: Model;
  /** Statements of a migration that was written by hand before. */
  byHand?: { up: string[]; down: string[] };
  /** Statements that insert the rows; those of the blog by default. */
  rows?: string[];
  /** Further statements about the rows. */
  andRows?: string[];
  /** The lint rules for which the migrations say why they are safe. */
  assures?: string[];
  /** The columns and tables whose values are lost, such as 'articles.slug'. */
  loses?: string[];
  /** The value that existing rows get in a column that is added and required, as SQL. */
  fill?: string;
  /** What else must hold once the change is applied. */
  afterwards?: (application: Application) => Promise<void>;
}

export interface Refusal extends Change {
  by: 'migration:create' | 'migration:up';
  message: RegExp;
}

/** The change is written and applied, nothing is left to change, and it is reverted and applied again. */
export async function holds(change: Change): Promise<void> {
  const application = await deployed(change);
  const before = { catalog: definitions(await application.catalog()), rows: await application.rows() };
  const last = application.files().at(-1)?.replace('.ts', '');
  await application.become(change.to, change);
  const written = await application.create();
  expect(written).not.toEqual([]);
  // Each is named after what it changes.
  expect(written.join()).not.toContain('change_schema');
  const codes = await application.lint(written);
  if (change.fill) await application.fill(written, change.fill);
  await application.assure(written, change.assures ?? []);
  const source = application.source(written);
  const failed = await besideWriters(application.url, () => application.up());
  // The application of before goes on, but for what lint says that it must not use any more.
  const refused = codes.flatMap((code) => REFUSED_TO_OLD_CODE[code] ?? []);
  const unexpected = failed.filter(({ code }) => !refused.includes(code));
  expect(unexpected.slice(0, 3), source).toEqual([]);
  const after = definitions(await application.catalog());
  expect(await application.faults(), source).toEqual([]);
  await change.afterwards?.(application);
  await application.downTo(last);
  expect(definitions(await application.catalog()), source).toEqual(before.catalog);
  expect(without(await application.rows(), change.loses)).toEqual(without(before.rows, change.loses));
  await application.up();
  expect(definitions(await application.catalog()), source).toEqual(after);
}

/** The errors (SQLSTATE) of code that is still running, by the lint rules that say so before. */
const REFUSED_TO_OLD_CODE: Record<string, string[]> = {
  // Of a column that becomes a computed one too.
  'drop-column': ['42703', '428C9'],
  'rename-column': ['42703'],
  'require-column': ['23502', '23514'],
  'drop-table': ['42P01'],
  'rename-table': ['42P01'],
  'set-schema': ['42P01'],
};

/** The change is refused with this message, and neither the database nor the rows are changed. */
export async function isRefused(change: Refusal): Promise<void> {
  const application = await deployed(change);
  const before = { catalog: definitions(await application.catalog()), rows: await application.rows() };
  const files = application.files();
  await application.become(change.to, change);
  if (change.by === 'migration:create') {
    await expect(application.create()).rejects.toThrow(change.message);
    expect(application.files()).toEqual(files);
  } else {
    const written = await application.create();
    await application.assure(written, change.assures ?? []);
    await expect(application.up(), application.source(written)).rejects.toThrow(change.message);
  }
  expect(definitions(await application.catalog())).toEqual(before.catalog);
  expect(await application.rows()).toEqual(before.rows);
  await change.afterwards?.(application);
}

const plain: Model = () => blog();
const templates = new Map<Model, Promise<Application>>();
afterAll(async () => {
  for (const template of templates.values()) await (await template).dispose();
});

/** The application before the change, with its rows. */
export async function deployed({
  from = plain,
  byHand,
  rows = BLOG_ROWS,
  andRows = [],
}: Omit<Change, 'to'>): Promise<Application> {
  if (!templates.has(from)) templates.set(from, template(from));
  const application = await (await anApplication(await templates.get(from))).become(from);
  if (byHand) {
    await application.write('by_hand', byHand.up, byHand.down);
    await application.assure(application.files().slice(-1), [
      'blocking-index',
      'validated-at-once',
      'exclusion-constraint',
    ]);
    await application.up();
  }
  for (const sql of [...rows, ...andRows]) await application.query(sql);
  return application;
}

async function template(model: Model): Promise<Application> {
  const application = await (await Application.start()).become(model);
  await application.create();
  await application.up();
  return application;
}

const definitions = (catalog: Catalog) =>
  Object.fromEntries([...catalog].map(([id, { definition }]) => [id, definition] as const).sort());

function without(rows: Rows, lost: string[] = []): Rows {
  const kept: Rows = {};
  for (const [table, found] of Object.entries(rows)) {
    if (lost.includes(table)) continue;
    const columns = found.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([column]) => !lost.includes(`${table}.${column}`))),
    );
    kept[table] = columns.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  }
  return kept;
}
