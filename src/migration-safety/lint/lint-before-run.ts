import type { MigrationFile } from '../history/migration-file.ts';
import { MigrationProblem } from '../problems.ts';
import { findDataLoss } from '../sql/data-loss.ts';
import type { Execute } from '../sql/execute.ts';
import { literal } from '../sql/quote.ts';
import type { Statement } from '../sql/statements.ts';
import { tableLocksOf } from '../sql/table-locks.ts';
import { formatLintFindings, type LintFinding, lint } from './lint.ts';
import { type Routines, withNested } from './nested-statements.ts';

/** Lints a migration that is about to run, knowing the size of its tables. Errors throw; warnings are logged. */
export async function lintBeforeRun(
  migration: MigrationFile,
  statements: readonly Statement[],
  execute: Execute,
  log: (text: string) => void,
  earlier: readonly Statement[] = [],
): Promise<void> {
  const findings = lint(migration, statements, await findSmallTables(statements, execute, earlier), earlier);
  const errors = findings.filter(({ severity }) => severity === 'error');
  for (const { statement, details } of errors.filter(({ code }) => LOSES_DATA.has(code))) {
    if (statement)
      details.push(...(await findDataLoss([statement], { execute })).map((loss) => `Would be lost: ${loss}`));
  }
  const warnings = findings.filter(({ severity }) => severity === 'warning');
  if (warnings.length > 0) log(`\n${formatLintFindings(warnings)}`);
  if (errors.length > 0) throw lintError(errors);
}

const LOSES_DATA = new Set(['drop-table', 'drop-column', 'truncate']);

/** The findings, and how to declare one safe. */
export function lintError(errors: readonly LintFinding[]): MigrationProblem {
  const example = errors.find(({ code }) => code !== 'no-reason' && code !== 'unknown-code')?.code;
  const advice = `If it is safe here, say why in the migration: safeBecause = { '${example}': '<a sentence>' };`;
  return new MigrationProblem(
    'lint',
    [formatLintFindings(errors), ...(example ? ['', advice] : []), 'The migration changed nothing.'].join('\n'),
  );
}

async function findSmallTables(
  statements: readonly Statement[],
  execute: Execute,
  earlier: readonly Statement[],
): Promise<Set<string>> {
  const small = new Set<string>();
  const routines: Routines = new Map();
  withNested(earlier, routines);
  const locks = withNested(statements, routines).flatMap((statement) => tableLocksOf(statement));
  for (const table of new Set(locks.map(({ table }) => table))) {
    const [existing] = await execute(
      `select to_regclass(${literal(table)})::text as name where (select relkind from pg_class where oid = to_regclass(${literal(table)})) in ('r', 'p')`,
    );
    // A table that does not exist yet is created by this migration or a pending one before it: it is not in use.
    const [counted] = existing?.name
      ? await execute(`select count(*)::int as n from (select 1 from ${table} limit ${SMALL_TABLE_ROWS + 1}) t`)
      : [{ n: 0 }];
    if (Number(counted?.n) <= SMALL_TABLE_ROWS) small.add(table.replace(/^"public"\./, '').replaceAll('"', ''));
  }
  return small;
}

/** Scanning a table of this many rows takes milliseconds. */
const SMALL_TABLE_ROWS = 10_000;
