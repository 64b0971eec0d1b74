import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationResult } from '@mikro-orm/core';
import { fs } from '@mikro-orm/core/fs-utils';
import { type DatabaseSchema, SchemaComparator, type SqlSchemaGenerator } from '@mikro-orm/sql';
import { formatLintFindings, lint } from '../lint/lint.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { introspect, openShadowDatabase } from '../shadow/shadow-database.ts';
import { parseStatements } from '../sql/statements.ts';
import { nameFor } from './migration-names.ts';
import { type Draft, toOnlineDdl } from './online-ddl.ts';
import { applyRenames, readRenameAnswers } from './renames.ts';

/** Writes the difference between entities and history as one or more migrations, and the snapshot. */
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
  const result = await writeMigrations(drafts, name, (diff, each) => generator.generate(diff, path, each), folder);
  await migrator.writeSnapshot();
  return result;
}

/** Lints the files that were just written. */
export async function logLintFindings(migrator: MigratorParts, fileName: string): Promise<void> {
  const names = fileName.split(', ').map((each) => each.replace(/\.[cm]?[jt]s$/, ''));
  const written = (await migrator.readMigrations()).filter((file) => names.includes(file.name));
  const findings = written.flatMap((file) => lint(file, file.up));
  if (findings.length > 0) migrator.log(`\n${formatLintFindings(findings)}\n`);
}

/** The difference between entities and history as online DDL, divided into migrations. */
async function draftMigrations(migrator: MigratorParts): Promise<Draft[]> {
  const { config, driver } = migrator;
  const generator = config.getExtension('@mikro-orm/schema-generator') as SqlSchemaGenerator;
  const to = generator.getTargetSchema();
  const from = await replayHistory(migrator, to);
  const entities = driver.getMetadata().getAll().values();
  const renames = await applyRenames(from, to, readRenameAnswers(migrator.settings.renames, entities));
  for (const { description } of renames) if (description) migrator.log(`Renamed: ${description}`);
  from.prune(undefined, []);
  to.prune(undefined, []);
  const compare = comparatorWithoutRenames(driver.getPlatform());
  const options = { wrap: false, safe: false, dropTables: true };
  const difference = compare(from, to);
  const up = statementsOf(generator.diffToSQL(difference, options));
  const down = statementsOf(generator.diffToSQL(compare(to, from, difference), options));
  const naive = {
    up: [...renames.map((rename) => rename.up), ...up],
    down: [...down, ...renames.map((rename) => rename.down).reverse()],
  };
  if (naive.up.length === 0) return [];
  return migrator.settings.naive ? [{ transactional: true, ...naive }] : toOnlineDdl(naive);
}

/** Writes one file per draft, with names in their order. */
async function writeMigrations(
  drafts: Draft[],
  name: string | undefined,
  generate: (diff: { up: string[]; down: string[] }, name: string) => Promise<[code: string, fileName: string]>,
  folder: string,
): Promise<MigrationResult> {
  const written: [code: string, fileName: string][] = [];
  for (const [index, draft] of drafts.entries()) {
    // The timestamp in the name has a resolution of one second.
    if (index > 0) await sleep(1_010 - (Date.now() % 1_000));
    const draftName = name && index === 0 ? name : nameFor(draft.up);
    const [plain, fileName] = await generate(withSemicolons(draft), draftName);
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

/** MikroORM's comparator without its guesses at renamed columns, which applyRenames has already resolved. */
function comparatorWithoutRenames(platform: ConstructorParameters<typeof SchemaComparator>[0]) {
  const comparator = new SchemaComparator(platform);
  Object.assign(comparator, { detectColumnRenamings: () => {} });
  return comparator.compare.bind(comparator);
}

/**
 * The schema after all migrations, from a shadow database. A live database may be ahead, behind or missing; a snapshot
 * still contains migrations that were deleted since.
 */
async function replayHistory(migrator: MigratorParts, to: DatabaseSchema): Promise<DatabaseSchema> {
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
