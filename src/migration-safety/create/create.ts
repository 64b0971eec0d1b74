import type { MigrationResult } from '@mikro-orm/core';
import { fs } from '@mikro-orm/core/fs-utils';
import { addressOf, type Catalog, type CatalogObject } from '../catalog/catalog.ts';
import { formatLintFindings, lintAll } from '../lint/lint.ts';
import { timestamp } from '../lock/create-lock.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { chain, type Operation, operation, type PlannedMigration } from '../plan/operation.ts';
import { toMigrations, toOneMigration } from '../plan/order.ts';
import { type Plan, planOperations } from '../plan/plan.ts';
import { MigrationProblem } from '../problems.ts';
import { findFunctionReferences } from '../renames/function-references.ts';
import type { Rename } from '../renames/rename-statements.ts';
import { applyRenames, readRenameAnswers } from '../renames/renames.ts';
import { hasSchemaFiles, writeSchemaFiles } from '../schema-files/schema-files.ts';
import { openShadowAfterHistory } from '../shadow/replayed-history.ts';
import { type ShadowDatabase, trackingTable } from '../shadow/shadow-database.ts';
import { type Comparison, readComparison } from './compare.ts';
import { refuseLongNames } from './long-names.ts';
import { completeCode } from './migration-code.ts';
import { nameFor } from './migration-names.ts';
import { refute, unproved } from './prove.ts';
import { writeSnapshot } from './snapshot.ts';

/** Writes the difference between entities and history as one or more migrations, and the snapshot. */
export async function createMigrations(
  migrator: MigratorParts,
  path: string | undefined,
  name: string | undefined,
): Promise<MigrationResult> {
  const { planned, entities, made } = await planMigrations(migrator);
  const written = await renderMigrations(migrator, planned, name);
  if (!migrator.settings.dryRun) {
    const folder = folderOf(migrator, path);
    for (const { fileName, code } of written)
      await fs.writeFile(fs.normalizePath(folder, fileName), code, { flush: true });
    await writeSnapshot(migrator, entities);
    await writeSchemaFiles(migrator, made);
  }
  return {
    fileName: written.map(({ fileName }) => fileName).join(', '),
    code: written.map(({ code }) => code).join('\n'),
    diff: { up: planned.flatMap(({ up }) => up), down: [...planned].reverse().flatMap(({ down }) => down) },
  };
}

/** Where migrations are written: the folder of `--path`, or that of the configuration. */
export function folderOf({ config, options }: MigratorParts, path: string | undefined): string {
  const { emit, pathTs, path: compiled } = options;
  return fs.normalizePath(config.get('baseDir'), path ?? (emit === 'ts' && pathTs ? pathTs : (compiled ?? '')));
}

/** Lints the files that were just written. */
export async function logLintFindings(migrator: MigratorParts, fileName: string): Promise<void> {
  const names = fileName.split(', ').map((each) => each.replace(/\.[cm]?[jt]s$/, ''));
  const findings = lintAll(await migrator.readMigrations()).filter(({ migration }) => names.includes(migration));
  if (findings.length > 0) migrator.log(`\n${formatLintFindings(findings)}\n`);
}

interface ProvedPlan {
  planned: PlannedMigration[];
  entities: Catalog;
  /** The schema after the migrations. */
  made: Catalog;
}

/** The difference between entities and history as migrations, each of which was run up, down and up again. */
async function planMigrations(migrator: MigratorParts): Promise<ProvedPlan> {
  refuseLongNames(migrator);
  // Not the live database, which may be ahead, behind or missing. Opening it takes most of a second, so the first proof
  // uses the one that was compared.
  const opened = [await openShadowAfterHistory(migrator)];
  const open = async () => opened.pop() ?? (await openShadowAfterHistory(migrator));
  try {
    return await planProved(migrator, opened[0] as ShadowDatabase, open);
  } finally {
    for (const shadow of opened) await shadow.close();
  }
}

async function planProved(
  migrator: MigratorParts,
  shadow: ShadowDatabase,
  open: () => Promise<ShadowDatabase>,
): Promise<ProvedPlan> {
  const { plan, entities, history } = await planDifference(migrator, shadow);
  const prove = async (planned: PlannedMigration[], { after }: Plan) =>
    refute(planned, after, trackingTable(migrator), open, {
      log: (message) => migrator.log(message),
      onProved: async (proof) => {
        if (hasSchemaFiles(migrator)) made = await proof.catalog();
      },
    });
  let made = history;
  const online = plan(false);
  if (online.operations.length === 0) return { planned: [], entities, made };
  const planned = toMigrations(online.operations);
  const refutation = migrator.settings.naive ? undefined : await prove(planned, online);
  if (!migrator.settings.naive && !refutation) return { planned, entities, made };
  const naive = plan(true);
  const migration = toOneMigration(naive.operations);
  const failure = await prove([migration], naive);
  if (failure) throw unproved(failure);
  if (!refutation) return { planned: [migration], entities, made };
  const reason = `Plain statements in one transaction. As online DDL, ${refutation.says} ${refutation.details.join(' ')}`;
  migrator.log(reason);
  return { planned: [{ ...migration, reason }], entities, made };
}

/** The plan, to be made as online DDL or as plain statements, after what is renamed. The shadow database stays as it is. */
async function planDifference(migrator: MigratorParts, shadow: ShadowDatabase) {
  const comparison = await readComparison(migrator, shadow);
  const { renames, catalog } = await renameInShadow(migrator, shadow, comparison);
  for (const { description } of renames) if (description) migrator.log(`Renamed: ${description}`);
  await refuseOldNames(migrator, shadow, renames, comparison);
  const isDeclared = throughRenames(comparison);
  const plan = (naive: boolean): Plan =>
    afterRenames(planOperations(catalog, comparison.entities, { isDeclared, naive }), renames);
  return { plan, entities: comparison.entities, history: comparison.history };
}

/** The renames, and the history's catalog with them. The shadow database is as it was. */
async function renameInShadow(
  migrator: MigratorParts,
  shadow: ShadowDatabase,
  { history, entities, isDeclared }: Comparison,
) {
  const answers = readRenameAnswers(migrator.settings.renames, migrator.driver.getMetadata().getAll().values());
  await shadow.query('begin');
  try {
    return await applyRenames(history, entities, answers, isDeclared, { run: shadow.query, read: shadow.catalog });
  } finally {
    await shadow.query('rollback');
  }
}

/** Refuses a rename that a function does not follow: it would fail when it next runs. */
async function refuseOldNames(
  migrator: MigratorParts,
  shadow: ShadowDatabase,
  renames: Rename[],
  { history, entities, isDeclared }: Comparison,
): Promise<void> {
  const objects = renames.flatMap(({ object }) => object ?? []);
  for (const { id, certainty, words } of await findFunctionReferences(shadow.query, objects)) {
    const before = history.get(id);
    const now = entities.get(id);
    // Dropped, or declared with another body.
    if (!before || (now ? now.definition !== before.definition : isDeclared(before))) continue;
    const finding = `The ${id} uses ${words.join(', ')}, which gets another name: ${objects.map(({ from, to }) => `${from} is now ${to}`).join(', ')}.`;
    if (certainty === 'possible') {
      migrator.log(`${finding} It may have to change too.`);
      continue;
    }
    throw new MigrationProblem(
      'create-failed',
      `${finding}
It would fail when it next runs. Change its body where it is declared, or rename and replace it in one migration by hand (npx mikro-orm migration:create --blank). No file was written.`,
    );
  }
}

/** Whether an object was declared, under the name that it had before the renames. */
function throughRenames({ history, isDeclared }: Comparison): (object: CatalogObject) => boolean {
  const before = new Map([...history.values()].map((object) => [addressOf(object), object]));
  return (object) => isDeclared(before.get(addressOf(object)) ?? object);
}

/** The plan with the renames before everything else. */
export function afterRenames({ operations, after }: Plan, renames: Rename[]): Plan {
  const [first, ...others] = renames.map(({ up, down, table }) => operation(up, down, { table, step: 'rename' }));
  if (!first) return { operations, after };
  const renaming = chain(first, ...others);
  for (const each of operations) each.after.add(renaming.at(-1) as Operation);
  return { operations: [...renaming, ...operations], after };
}

/** One file per migration. Their timestamps, which order them, are a second apart, as if each took one to write. */
async function renderMigrations(
  { config, options, generator }: MigratorParts,
  planned: PlannedMigration[],
  name: string | undefined,
): Promise<{ fileName: string; code: string }[]> {
  const now = Date.now();
  const rendered: { fileName: string; code: string }[] = [];
  for (const [index, migration] of planned.entries()) {
    const time = timestamp(now + index * 1_000);
    const migrationName = name && index === 0 ? name : nameFor(migration.up);
    const className = config.getNamingStrategy().classToMigrationName(time, migrationName);
    const code = completeCode(await generator.generateMigrationFile(className, withSemicolons(migration)), migration);
    rendered.push({ fileName: `${options.fileName?.(time, migrationName)}.${options.emit}`, code });
  }
  return rendered;
}

const withSemicolons = ({ up, down }: PlannedMigration) => ({
  up: up.map((sql) => `${sql};`),
  down: down.map((sql) => `${sql};`),
});
