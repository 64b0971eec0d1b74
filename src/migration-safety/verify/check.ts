import { type DatabaseSchema, SchemaComparator, type SqlSchemaGenerator } from '@mikro-orm/sql';
import { differences, readCatalog } from '../catalog/catalog.ts';
import { checkIntegrity, formatIntegrityFindings } from '../history/integrity.ts';
import type { MigrationFile } from '../history/migration-file.ts';
import { type LintFinding, lint } from '../lint/lint.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { MigrationProblem, type ProblemKind } from '../problems.ts';
import { introspect, openShadowDatabase, type ShadowDatabase, trackingTable } from '../shadow/shadow-database.ts';
import { excerpt } from '../sql/excerpt.ts';

/** One fault: a line, and details below it. These are also the keys of the JSON output. */
export interface Fault {
  kind: ProblemKind;
  says: string;
  details: string[];
}

/**
 * Runs the comparisons of `migration:check`: the files with the tracking table, the files with the lint rules, and the
 * schema of a replayed history with the entities, the snapshot and the live database.
 */
export async function checkMigrations(migrator: MigratorParts, { offline }: { offline: boolean }): Promise<Fault[]> {
  const files = await migrator.readMigrations();
  const rows = offline ? [] : ((await migrator.history()) ?? []);
  const executed = new Set(rows.map((row) => row.name));
  const integrity = checkIntegrity(files, rows);
  const faults: Fault[] = integrity
    .filter(({ kind }) => !(kind === 'out-of-order' && migrator.settings.outOfOrder === 'allow'))
    .map((finding) => ({
      kind: finding.kind,
      says: `${finding.name} ${finding.message}.`,
      details: [advice(formatIntegrityFindings([finding]))],
    }));
  const pending = offline ? [] : files.filter(({ name }) => !executed.has(name));
  if (pending.length > 0) faults.push(pendingFault(pending));
  for (const file of files)
    faults.push(
      ...lint(file, file.up)
        .filter(({ severity }) => severity === 'error')
        .map(lintFault),
    );
  if (!integrity.some(({ kind }) => kind === 'duplicate')) {
    const applied = files.filter(({ name }) => executed.has(name)).map(({ name }) => name);
    // If a file is missing, the expected schema of the database is unknown.
    const comparable = rows.length > 0 && rows.every((row) => files.some((file) => file.name === row.name));
    faults.push(...(await replay(migrator, { applied, live: !offline && comparable })));
  }
  return faults.sort((a, b) => SEVERITY.indexOf(a.kind) - SEVERITY.indexOf(b.kind));
}

/** All faults in one message, with the code of the most severe. */
export function problemOf(faults: Fault[]): MigrationProblem {
  const text = faults.flatMap(({ kind, says, details }) => [`${kind}: ${says}`, ...details.map((line) => `  ${line}`)]);
  return new MigrationProblem(faults[0]?.kind ?? 'unforeseen', text.join('\n'));
}

/** Most severe first: a fault that puts the others in doubt comes before them. The first one's code is the exit code. */
const SEVERITY: ProblemKind[] = [
  'duplicate',
  'edited',
  'missing',
  'out-of-order',
  'failed',
  'lint',
  'changed',
  'drift',
  'stale-snapshot',
  'pending',
  'unknown',
];

const advice = (finding: string) => finding.slice(finding.indexOf('\n')).trim();

const pendingFault = (pending: MigrationFile[]): Fault => ({
  kind: 'pending',
  says: `${pending.length} ${pending.length === 1 ? 'migration is' : 'migrations are'} not applied to this database.`,
  details: [...pending.map(({ name }) => name), 'Apply: npx mikro-orm migration:up'],
});

const lintFault = (finding: LintFinding): Fault => ({
  kind: 'lint',
  says: `${finding.migration}: ${finding.code}. ${finding.harm}`,
  details: [...excerpt(finding.sql), `Instead: ${finding.instead}`],
});

async function replay(
  migrator: MigratorParts,
  { applied, live }: { applied: string[]; live: boolean },
): Promise<Fault[]> {
  const shadow = await openShadowDatabase(migrator);
  try {
    if (applied.length > 0) await shadow.migrator.up({ migrations: applied });
    const drift = live ? await findDrift(migrator, shadow) : [];
    await shadow.migrator.up();
    return [...(await compareWithEntities(migrator, shadow)), ...drift];
  } catch (error) {
    if (!(error instanceof MigrationProblem)) throw error;
    return [
      { kind: 'failed', says: 'History cannot be replayed on an empty database.', details: error.message.split('\n') },
    ];
  } finally {
    await shadow.close();
  }
}

async function findDrift(migrator: MigratorParts, shadow: ShadowDatabase): Promise<Fault[]> {
  const { driver } = migrator;
  const live = await readCatalog((sql) => driver.getConnection().execute(sql), trackingTable(migrator));
  const lines = differences(await shadow.catalog(), live, 'history', 'the database');
  if (lines.length === 0) return [];
  return [
    {
      kind: 'drift',
      says: `The database is not what its migrations made: ${lines.length} ${lines.length === 1 ? 'difference' : 'differences'}.`,
      details: [
        ...lines,
        'It was changed by hand. Undo the change, or write it as a migration and migration:log it here.',
      ],
    },
  ];
}

/** The differences of the entities and the snapshot from the replayed history. */
export async function compareWithEntities(migrator: MigratorParts, shadow: ShadowDatabase): Promise<Fault[]> {
  const { config, driver } = migrator;
  const generator = config.getExtension('@mikro-orm/schema-generator') as SqlSchemaGenerator;
  const entities = generator.getTargetSchema();
  const history = await introspect(shadow.driver, config, [...entities.getNamespaces()]);
  const statementsBetween = (from: DatabaseSchema, to: DatabaseSchema) => {
    const diff = new SchemaComparator(driver.getPlatform()).compare(from, to);
    return lines(generator.diffToSQL(diff, { wrap: false, safe: false, dropTables: true }));
  };
  const faults: Fault[] = [];
  const missing = statementsBetween(history, entities);
  if (missing.length > 0) {
    faults.push({
      kind: 'changed',
      says: 'The entities are ahead of the migrations.',
      details: [...missing, 'Write the migration: npx mikro-orm migration:create'],
    });
  }
  const { snapshot, unreadable } = await readSnapshot(migrator);
  const stale = snapshot ? statementsBetween(snapshot, history) : [];
  if (unreadable) {
    faults.push({
      kind: 'stale-snapshot',
      says: `The snapshot cannot be read: ${unreadable}`,
      details: ['Rewrite it: npm run migration repair'],
    });
  } else if (stale.length > 0) {
    faults.push({
      kind: 'stale-snapshot',
      says: 'The snapshot is not what the migrations make; migration:create would write a wrong difference.',
      details: [...stale, 'Rewrite it: npm run migration repair'],
    });
  }
  return faults;
}

/** A merge may leave conflict markers in the snapshot, or truncate it. */
async function readSnapshot(
  migrator: MigratorParts,
): Promise<{ snapshot?: DatabaseSchema | undefined; unreadable?: string }> {
  try {
    return { snapshot: await migrator.readSnapshot() };
  } catch (error) {
    return { unreadable: error instanceof Error ? error.message : String(error) };
  }
}

/** The schema that the snapshot should hold, or undefined if the snapshot is correct or missing. */
export async function repairedSnapshot(migrator: MigratorParts): Promise<DatabaseSchema | undefined> {
  const { snapshot, unreadable } = await readSnapshot(migrator);
  if (!snapshot && !unreadable) return undefined;
  const shadow = await openShadowDatabase(migrator);
  try {
    await shadow.migrator.up();
    const faults = await compareWithEntities(migrator, shadow);
    if (!faults.some(({ kind }) => kind === 'stale-snapshot')) return undefined;
    return await introspect(shadow.driver, migrator.config, ['public']);
  } finally {
    await shadow.close();
  }
}

const lines = (sql: string) =>
  sql
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
