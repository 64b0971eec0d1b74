import type { MigrationFile } from '../history/migration-file.ts';
import { MigrationProblem } from '../problems.ts';
import { findDataLoss } from '../sql/data-loss.ts';
import type { Execute } from '../sql/execute.ts';
import { literal } from '../sql/quote.ts';
import type { Statement } from '../sql/statements.ts';
import { tableLocksOf } from '../sql/table-locks.ts';
import { formatLintFindings, type LintFinding, lint } from './lint.ts';

/** Up to so many rows a table is small: scanning it takes milliseconds, whatever it is scanned for. */
const smallTable = 10_000;

/** Lints what is about to run, knowing how large its tables are. Errors refuse; warnings are told. */
export async function lintBeforeRun(
  migration: MigrationFile,
  statements: readonly Statement[],
  execute: Execute,
  tell: (text: string) => void,
): Promise<void> {
  const findings = lint(migration, statements, await smallTables(statements, execute));
  const errors = findings.filter(({ severity }) => severity === 'error');
  for (const error of errors.filter(({ code }) => ['drop-table', 'drop-column', 'truncate'].includes(code))) {
    const statement = statements.find(({ sql }) => sql === error.sql);
    if (statement)
      error.details.push(...(await findDataLoss([statement], execute)).map((loss) => `Would be lost: ${loss}`));
  }
  const warnings = findings.filter(({ severity }) => severity === 'warning');
  if (warnings.length > 0) tell(`\n${formatLintFindings(warnings)}`);
  if (errors.length > 0) throw lintError(errors);
}

/** Everything a person needs to go on: the findings, and the way around them. */
export function lintError(errors: readonly LintFinding[]): MigrationProblem {
  const example = errors.find(({ code }) => code !== 'no-reason' && code !== 'unknown-code')?.code;
  return new MigrationProblem(
    'lint',
    [
      formatLintFindings(errors),
      ...(example
        ? [
            '',
            `If it is safe here all the same, say why in the migration: safeBecause = { '${example}': '<a sentence>' };`,
          ]
        : []),
      'Nothing of it was changed.',
    ].join('\n'),
  );
}

async function smallTables(statements: readonly Statement[], execute: Execute): Promise<Set<string>> {
  const small = new Set<string>();
  for (const table of new Set(statements.flatMap((statement) => tableLocksOf(statement)).map(({ table }) => table))) {
    const [there] = await execute(
      `select to_regclass(${literal(table)})::text as name where (select relkind from pg_class where oid = to_regclass(${literal(table)})) in ('r', 'p')`,
    );
    // A table that is not there yet is made by this migration or by one before it: nobody uses it.
    const [counted] = there?.name
      ? await execute(`select count(*)::int as n from (select 1 from ${table} limit ${smallTable + 1}) t`)
      : [{ n: 0 }];
    if (Number(counted?.n) <= smallTable) small.add(table.replace(/^"public"\./, '').replaceAll('"', ''));
  }
  return small;
}
