import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationResult } from '@mikro-orm/core';
import { fs } from '@mikro-orm/core/fs-utils';
import { type DatabaseSchema, SchemaComparator, type SqlSchemaGenerator } from '@mikro-orm/sql';
import { formatLintFindings, lint } from '../lint/lint.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { introspect, openShadowDatabase } from '../shadow/shadow-database.ts';
import { parseStatements } from '../sql/statements.ts';
import { nameFor } from './migration-names.ts';
import { type Draft, safeForms } from './online-ddl.ts';
import { applyRenames, readAnswers } from './renames.ts';

/** Writes the difference between entities and history, a file for each step that has to be on its own. */
export async function createMigrations(
  migrator: MigratorParts,
  path: string | undefined,
  name: string | undefined,
): Promise<MigrationResult> {
  const drafts = await draftMigrations(migrator);
  if (drafts.length === 0) return { fileName: '', code: '', diff: { up: [], down: [] } };
  const { config, options, generator } = migrator;
  const { emit, pathTs, path: compiled } = options;
  const folder = fs.normalizePath(config.get('baseDir'), path ?? (emit === 'ts' && pathTs ? pathTs : (compiled ?? '')));
  const result = await writeMigrations(drafts, name, (diff, own) => generator.generate(diff, path, own), folder);
  await migrator.writeSnapshot();
  return result;
}

/** Says what the rules think of the files that were just written. */
export async function logLintFindings(migrator: MigratorParts, fileName: string): Promise<void> {
  const names = fileName.split(', ').map((each) => each.replace(/\.[cm]?[jt]s$/, ''));
  const written = (await migrator.readMigrations()).filter((file) => names.includes(file.name));
  const findings = written.flatMap((file) => lint(file, file.up));
  if (findings.length > 0) migrator.log(`\n${formatLintFindings(findings)}\n`);
}

/** What the difference between entities and history is, as migrations that are still to be written. */
async function draftMigrations(migrator: MigratorParts): Promise<Draft[]> {
  const { config, driver } = migrator;
  const generator = config.getExtension('@mikro-orm/schema-generator') as SqlSchemaGenerator;
  const to = generator.getTargetSchema();
  const from = await replayed(migrator, to);
  const entities = driver.getMetadata().getAll().values();
  const renames = await applyRenames(from, to, readAnswers(migrator.settings.renames, entities));
  for (const { says } of renames) if (says) migrator.log(`Renamed: ${says}`);
  from.prune(undefined, []);
  to.prune(undefined, []);
  const compare = comparing(driver.getPlatform());
  const options = { wrap: false, safe: false, dropTables: true };
  const there = compare(from, to);
  const up = statementsOf(generator.diffToSQL(there, options));
  const down = statementsOf(generator.diffToSQL(compare(to, from, there), options));
  const naive = {
    up: [...renames.map((rename) => rename.up), ...up],
    down: [...down, ...renames.map((rename) => rename.down).reverse()],
  };
  if (naive.up.length === 0) return [];
  return migrator.settings.naive ? [{ transactional: true, ...naive }] : safeForms(naive);
}

/** Writes the drafts, a file each, in an order that their names keep. */
async function writeMigrations(
  drafts: Draft[],
  name: string | undefined,
  generate: (diff: { up: string[]; down: string[] }, name: string) => Promise<[code: string, fileName: string]>,
  folder: string,
): Promise<MigrationResult> {
  const written: [code: string, fileName: string][] = [];
  for (const [index, draft] of drafts.entries()) {
    // Names are a second apart, which is as fine as they tell time.
    if (index > 0) await sleep(1_010 - (Date.now() % 1_000));
    const own = name && index === 0 ? name : nameFor(draft.up);
    const [plain, fileName] = await generate(withSemicolons(draft), own);
    const code = draft.transactional ? plain : outsideTransaction(plain);
    if (code !== plain) await fs.writeFile(fs.normalizePath(folder, fileName), code, { flush: true });
    written.push([code, fileName]);
  }
  return {
    fileName: written.map(([, fileName]) => fileName).join(', '),
    code: written.map(([code]) => code).join('\n'),
    diff: { up: drafts.flatMap(({ up }) => up), down: [...drafts].reverse().flatMap(({ down }) => down) },
  };
}

/** MikroORM's comparison without its guess at renamed columns: those are settled before, by somebody who knows. */
function comparing(platform: ConstructorParameters<typeof SchemaComparator>[0]) {
  const comparator = new SchemaComparator(platform);
  Object.assign(comparator, { detectColumnRenamings: () => {} });
  return comparator.compare.bind(comparator);
}

/**
 * What history makes when it is replayed. A live database may be ahead, behind, or not there; a snapshot forgets nothing
 * of a migration that was deleted since.
 */
async function replayed(migrator: MigratorParts, to: DatabaseSchema): Promise<DatabaseSchema> {
  const { config } = migrator;
  const shadow = await openShadowDatabase(migrator);
  try {
    await shadow.migrator.up();
    return await introspect(shadow.driver, config, [...to.getNamespaces()]);
  } finally {
    await shadow.close();
  }
}

const statementsOf = (sql: string) => parseStatements(sql).map((statement) => statement.sql);

const withSemicolons = ({ up, down }: Draft) => ({
  up: up.map((sql) => `${sql};`),
  down: down.map((sql) => `${sql};`),
});

const outsideTransaction = (code: string) =>
  code.replace(
    /^(.*\bextends Migration \{)\n/m,
    `$1\n\n  override isTransactional(): boolean {\n    return false;\n  }\n`,
  );
