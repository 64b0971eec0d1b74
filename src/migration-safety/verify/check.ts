import type { Catalog } from '../catalog/catalog.ts';
import { type Comparison, madeByHand, readComparison } from '../create/compare.ts';
import { declaredBy, isDeclaredIn, readSnapshot } from '../create/snapshot.ts';
import { checkIntegrity, formatIntegrityFindings } from '../history/integrity.ts';
import type { MigrationFile } from '../history/migration-file.ts';
import { type LintFinding, lintAll } from '../lint/lint.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { toOneMigration } from '../plan/order.ts';
import { planOperations } from '../plan/plan.ts';
import { MigrationProblem, type ProblemKind } from '../problems.ts';
import { hasSchemaFiles, staleSchemaFiles } from '../schema-files/schema-files.ts';
import { readEntitiesCatalog } from '../shadow/entities-schema.ts';
import { openShadowAfterHistory } from '../shadow/replayed-history.ts';
import type { ShadowDatabase } from '../shadow/shadow-database.ts';
import { excerpt } from '../sql/excerpt.ts';
import { findDifferences } from './drift.ts';
import { encodingProblem } from './encoding.ts';

/** One fault: a line, and details below it. These are also the keys of the JSON output. */
export interface Fault {
  kind: ProblemKind;
  says: string;
  details: string[];
}

/** The faults, the most severe first, and the objects that migrations made and no entity declares, which is no fault. */
export interface CheckResult {
  faults: Fault[];
  byHand: string[];
}

/**
 * Runs the comparisons of `migration:check`: the files with the tracking table, the files with the lint rules, and the
 * schema of a replayed history with the entities, the snapshot and the live database.
 */
export async function checkMigrations(
  migrator: MigratorParts,
  { offline }: { offline: boolean },
): Promise<CheckResult> {
  const encoding = offline ? undefined : await encodingProblem(migrator.driver);
  if (encoding) return { faults: [encodingFault(encoding)], byHand: [] };
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
  faults.push(
    ...lintAll(files)
      .filter(({ severity }) => severity === 'error')
      .map(lintFault),
  );
  let byHand: string[] = [];
  if (!integrity.some(({ kind }) => kind === 'duplicate')) {
    const applied = files.filter(({ name }) => executed.has(name)).map(({ name }) => name);
    // If a file is missing, the expected schema of the database is unknown.
    const comparable = rows.length > 0 && rows.every((row) => files.some((file) => file.name === row.name));
    const replayed = await replay(migrator, { applied, live: !offline && comparable });
    faults.push(...replayed.faults);
    byHand = replayed.byHand;
  }
  return { faults: faults.sort((a, b) => SEVERITY.indexOf(a.kind) - SEVERITY.indexOf(b.kind)), byHand };
}

/** All faults in one message, with the code of the most severe. */
export function problemOf(faults: Fault[]): MigrationProblem {
  const text = faults.flatMap(({ kind, says, details }) => [`${kind}: ${says}`, ...details.map((line) => `  ${line}`)]);
  return new MigrationProblem(faults[0]?.kind ?? 'unforeseen', text.join('\n'));
}

/** Most severe first: a fault that puts the others in doubt comes before them. The first one's code is the exit code. */
const SEVERITY: ProblemKind[] = [
  'encoding',
  'duplicate',
  'edited',
  'missing',
  'out-of-order',
  'failed',
  'lint',
  'changed',
  'drift',
  'stale-snapshot',
  'stale-schema-file',
  'pending',
  'unknown',
];

const advice = (finding: string) => finding.slice(finding.indexOf('\n')).trim();

function encodingFault({ kind, message }: MigrationProblem): Fault {
  const [says = '', ...details] = message.split('\n');
  return { kind, says, details };
}

const pendingFault = (pending: MigrationFile[]): Fault => ({
  kind: 'pending',
  says: `${pending.length} ${pending.length === 1 ? 'migration is' : 'migrations are'} not applied to this database.`,
  details: [...pending.map(({ name }) => name), 'Apply: npx mikro-orm migration:up'],
});

const lintFault = (finding: LintFinding): Fault => ({
  kind: 'lint',
  says: `${finding.migration}: ${finding.code}. ${finding.harm}`,
  details: [...excerpt(finding.sql, finding.position), `Instead: ${finding.instead}`, ...finding.details],
});

async function replay(
  migrator: MigratorParts,
  { applied, live }: { applied: string[]; live: boolean },
): Promise<CheckResult> {
  let shadow: ShadowDatabase | undefined;
  try {
    shadow = await openShadowAfterHistory(migrator, live ? applied : undefined);
    const drift = live ? await findDrift(migrator, shadow) : [];
    await shadow.migrator.up();
    const { faults, byHand } = await compareWithEntities(migrator, shadow);
    const files = hasSchemaFiles(migrator) ? await staleSchemaFiles(migrator, await shadow.catalog()) : [];
    return { faults: [...faults, ...drift, ...files.map(staleFileFault)], byHand };
  } catch (error) {
    if (!(error instanceof MigrationProblem)) throw error;
    const says = 'History cannot be replayed on an empty database.';
    return { faults: [{ kind: 'failed', says, details: error.message.split('\n') }], byHand: [] };
  } finally {
    await shadow?.close();
  }
}

const staleFileFault = (path: string): Fault => ({
  kind: 'stale-schema-file',
  says: `${path} does not show the schema that the migrations make.`,
  details: ['Rewrite it: npm run migration repair'],
});

async function findDrift(migrator: MigratorParts, shadow: ShadowDatabase): Promise<Fault[]> {
  const lines = await findDifferences(migrator, shadow);
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

/** The differences of the entities and the snapshot from the replayed history, and what was made by hand in it. */
export async function compareWithEntities(migrator: MigratorParts, shadow: ShadowDatabase): Promise<CheckResult> {
  const snapshot = await snapshotProblem(migrator);
  if (snapshot) return { faults: [snapshot], byHand: [] };
  try {
    const comparison = await readComparison(migrator, shadow);
    return { faults: await faultsOf(migrator, comparison), byHand: madeByHand(comparison) };
  } catch (error) {
    if (!(error instanceof MigrationProblem)) throw error;
    const says = 'The entities are ahead of the migrations, and migration:create refuses:';
    return { faults: [{ kind: 'changed', says, details: error.message.split('\n') }], byHand: [] };
  }
}

async function faultsOf(migrator: MigratorParts, comparison: Comparison): Promise<Fault[]> {
  const { operations } = planOperations(comparison.history, comparison.entities, { ...comparison, naive: true });
  if (operations.length > 0) {
    return [
      {
        kind: 'changed',
        says: 'The entities are ahead of the migrations.',
        details: [...toOneMigration(operations).up, 'Write the migration: npx mikro-orm migration:create'],
      },
    ];
  }
  const stale = await snapshotDifferences(migrator, comparison.entities);
  if (stale.length === 0) return [];
  return [
    {
      kind: 'stale-snapshot',
      says: 'The snapshot does not name what the entities declare; migration:create would take it for made by hand.',
      details: [...stale, 'Rewrite it: npm run migration repair'],
    },
  ];
}

/** A merge may leave conflict markers in the snapshot, or truncate it. */
async function snapshotProblem(migrator: MigratorParts): Promise<Fault | undefined> {
  try {
    await readSnapshot(migrator);
    return undefined;
  } catch (error) {
    return {
      kind: 'stale-snapshot',
      says: `The snapshot cannot be read: ${error instanceof Error ? error.message : error}`,
      details: ['Rewrite it: npm run migration repair'],
    };
  }
}

/** One line per name that is only in the snapshot, or only in the entities. */
async function snapshotDifferences(migrator: MigratorParts, entities: Catalog): Promise<string[]> {
  const snapshot = await readSnapshot(migrator);
  if (!snapshot) return [];
  const declared = declaredBy(entities);
  return [
    ...declared.filter((id) => !snapshot.has(id)).map((id) => `${id}: only the entities have it`),
    ...[...snapshot].filter((id) => !entities.has(id)).map((id) => `${id}: only the snapshot has it`),
  ];
}

/** What the snapshot should name, or undefined if it is correct or missing. */
export async function repairedSnapshot(migrator: MigratorParts): Promise<Catalog | undefined> {
  const unreadable = await snapshotProblem(migrator);
  const shadow = await openShadowAfterHistory(migrator);
  try {
    const history = await shadow.catalog();
    const entities = await readEntitiesCatalog(migrator, shadow, history, isDeclaredIn(undefined));
    const { operations } = planOperations(history, entities, { isDeclared: isDeclaredIn(undefined), naive: true });
    // With changes pending, what the entities declared last is not known.
    if (operations.length > 0) return undefined;
    return unreadable || (await snapshotDifferences(migrator, entities)).length > 0 ? entities : undefined;
  } finally {
    await shadow.close();
  }
}
