import type { MigrationFile } from '../history/migration-file.ts';
import { LOSE_VALUES } from '../lint/lint.ts';
import { MigrationProblem } from '../problems.ts';
import { findChangedValues } from '../sql/changed-values.ts';
import { asSideEffects, EarlierChanges, SIDE_EFFECTS } from '../sql/earlier-changes.ts';
import { excerpt } from '../sql/excerpt.ts';
import type { Probe } from '../sql/execute.ts';
import type { Statement, Tree } from '../sql/statements.ts';
import { constraintKey, preconditionsOf, type Reading } from './preconditions.ts';

/** Rows on which a statement of a migration would fail, or whose values it would lose. */
export interface Violation {
  migration: MigrationFile;
  statement: Statement;
  description: string;
  rows: string;
  /** Counted up to 10,001. */
  count: number;
  /** The code whose reason in safeBecause allows it, unless the statement would fail. */
  code?: typeof LOSE_VALUES.code;
  fails?: boolean;
}

export interface Violations {
  found: Violation[];
  /** The migrations of which earlier ones leave something open: they are looked at again when it is their turn. */
  open: Set<string>;
}

/**
 * Finds the rows that stand in the way of the migrations, with plain reads, before the first of them takes a lock. Each
 * statement is asked for with what the earlier ones will have changed. So a constraint that is added without validation
 * is refused before it exists, not when it is validated: until then it would fail every update of such a row.
 *
 * `later` are pending migrations that do not run now, and matter for the constraints that they will validate.
 */
export async function findViolations(
  migrations: readonly MigrationFile[],
  later: readonly MigrationFile[],
  probe: Probe,
): Promise<Violations> {
  if (migrations.length === 0) return { found: [], open: new Set() };
  const earlier = new EarlierChanges(asSideEffects((await probe(SIDE_EFFECTS)).rows));
  const reading: Reading = { earlier, probe, unvalidated: new Map() };
  const found: Violation[] = [];
  const open = new Set<string>();
  for (const migration of [...migrations, ...later]) {
    const isLater = later.includes(migration);
    if (migration.dynamic.up) earlier.unknown = true;
    for (const statement of migration.dynamic.up ? [] : migration.up) {
      if (!isLater || validates(statement, reading)) {
        const preconditions = await preconditionsOf(statement, reading);
        if (earlier.unknown || preconditions.includes(undefined)) open.add(migration.name);
        for (const precondition of preconditions) {
          const count = precondition && (await countViolating(precondition.rows, probe));
          if (count) found.push({ migration, statement, ...precondition, count });
        }
      }
      if (!isLater) found.push(...(await findLostValues(migration, statement, probe, earlier)));
      remember(statement, reading);
      earlier.add(statement);
    }
    if (earlier.unknown) open.add(migration.name);
  }
  return { found: distinct(found), open };
}

/** The rows of which a change of type would lose the value. */
export async function findLostValues(
  migration: MigrationFile,
  statement: Statement,
  probe: Probe,
  earlier = new EarlierChanges(),
): Promise<Violation[]> {
  const changed = await findChangedValues(statement, earlier, probe);
  return changed.map((each) => ({ migration, statement, ...each, code: LOSE_VALUES.code }));
}

/** Refuses to run into these rows. */
export function refuseViolations(violations: readonly Violation[]): void {
  const [first] = violations;
  if (!first) return;
  const names = [...new Set(violations.map(({ migration }) => migration.name))];
  const text = names.map((name) =>
    [
      `${name} would fail on existing rows, or lose their values:`,
      ...violations.filter(({ migration }) => migration.name === name).flatMap(describe),
    ].join('\n'),
  );
  const code = violations.find((each) => each.code && !each.fails)?.code;
  const advice = code
    ? [`If a loss is intended, say why in the migration: safeBecause = { '${code}': '<a sentence>' };`]
    : [];
  throw new MigrationProblem(
    'rows-in-the-way',
    [...text, ...advice, 'Repair the rows in an earlier migration. Nothing of it was changed.'].join('\n'),
  );
}

/** The violation as text, with the query that shows the rows. */
export function describe({ statement, description, rows, count, code }: Violation): string[] {
  const n = count > 10_000 ? 'more than 10000' : count;
  const what = code ? 'row loses a value' : 'violating row';
  const many = code ? 'rows lose a value' : 'violating rows';
  return [...excerpt(statement.sql), `  ${n} ${count === 1 ? what : many}: ${description}.`, `  To see them: ${rows};`];
}

/** Undefined if the query fails: then the database has the last word when the statement runs. */
async function countViolating(rows: string, probe: Probe): Promise<number | undefined> {
  const { rows: counted } = await probe(`select count(*)::int as n from (${rows} limit 10001) t`);
  return Number(counted[0]?.n) || undefined;
}

/** Whether the statement validates a constraint that the run adds. */
const validates = ({ kind, tree }: Statement, { unvalidated }: Reading) =>
  kind === 'AlterTableStmt' &&
  tree.cmds.every(
    ({ AlterTableCmd: { subtype, name } }: Tree) =>
      subtype === 'AT_ValidateConstraint' && unvalidated.has(constraintKey(tree.relation, name)),
  );

function remember(statement: Statement, { unvalidated }: Reading): void {
  if (statement.kind !== 'AlterTableStmt') return;
  for (const { AlterTableCmd: cmd } of statement.tree.cmds) {
    const constraint = cmd.def?.Constraint;
    if (cmd.subtype === 'AT_AddConstraint' && constraint?.skip_validation)
      unvalidated.set(constraintKey(statement.tree.relation, constraint.conname), statement);
    if (cmd.subtype === 'AT_DropConstraint') unvalidated.delete(constraintKey(statement.tree.relation, cmd.name));
  }
}

/** A check and the NOT NULL that follows it are violated by the same rows; each column that loses a value counts. */
const distinct = (violations: Violation[]) => {
  const key = ({ rows, code, description }: Violation) => `${rows} ${code ? description : ''}`;
  return violations.filter((each, i) => violations.findIndex((other) => key(other) === key(each)) === i);
};
