import type { MigrationFile } from '../history/migration-file.ts';
import { excerpt } from '../sql/excerpt.ts';
import type { Statement } from '../sql/statements.ts';
import { COLUMN_RULES } from './column-rules.ts';
import { CONSTRAINT_RULES } from './constraint-rules.ts';
import { OTHER_RULES } from './other-rules.ts';
import { type Context, type Rule, tableKey } from './rule.ts';
import { TABLE_RULES } from './table-rules.ts';

/** All rules. Migrations name a code in safeBecause, so a code is never renamed or reused. */
export const RULES: readonly Rule[] = [...TABLE_RULES, ...COLUMN_RULES, ...CONSTRAINT_RULES, ...OTHER_RULES];

export interface LintFinding {
  code: string;
  severity: 'error' | 'warning';
  migration: string;
  sql: string;
  harm: string;
  instead: string;
  /** What the database adds to it, if there is one: the rows that would be lost. */
  details: string[];
}

type LintedMigration = Pick<MigrationFile, 'name' | 'transactional' | 'safeBecause'>;

/**
 * Applies the rules to the statements of a migration. Rules about the duration of a lock do not apply to
 * `smallTables`, the tables known to be small at the moment.
 */
export function lint(
  migration: LintedMigration,
  statements: readonly Statement[],
  smallTables: ReadonlySet<string> = new Set(),
): LintFinding[] {
  const findings = invalidReasons(migration);
  const { name, transactional, safeBecause } = migration;
  const context: Context = { transactional, statements, index: 0, createdTables: new Set(), smallTables };
  for (const [index, statement] of statements.entries()) {
    context.index = index;
    for (const { code, severity, harm, instead, matches } of RULES) {
      if (safeBecause[code] !== undefined || !matches(statement, context)) continue;
      findings.push({ code, severity, migration: name, sql: statement.sql, harm, instead, details: [] });
    }
    const created = createdTable(statement);
    if (created) context.createdTables.add(created);
  }
  return findings;
}

/** The findings as text: the statement, the harm, and what to write instead. */
export function formatLintFindings(findings: readonly LintFinding[]): string {
  return findings
    .map(({ code, severity, migration, sql, harm, instead, details }) =>
      [
        `${migration}: ${severity} ${code}`,
        ...excerpt(sql),
        `  ${harm}`,
        `  Instead: ${instead}`,
        ...details.map((line) => `  ${line}`),
      ].join('\n'),
    )
    .join('\n\n');
}

/** The rules as text, for `migration:lint --rules`. */
export const formatRules = () =>
  RULES.map(({ code, severity, harm, instead }) => `${code} (${severity})\n  ${harm}\n  Instead: ${instead}`).join(
    '\n\n',
  );

/** A reason has to be a sentence, and about an existing rule. */
function invalidReasons({ name, safeBecause }: LintedMigration): LintFinding[] {
  const finding = (code: string, harm: string, instead: string): LintFinding => ({
    code,
    severity: 'error',
    migration: name,
    sql: `safeBecause = ${JSON.stringify(safeBecause)}`,
    harm,
    instead,
    details: [],
  });
  return Object.entries(safeBecause).flatMap(([code, reason]) => [
    ...(RULES.some((rule) => rule.code === code)
      ? []
      : [finding('unknown-code', `There is no rule "${code}".`, 'the code of a finding, as printed.')]),
    ...(reason.trim().split(/\s+/).length >= 4
      ? []
      : [
          finding(
            'no-reason',
            `"${reason}" does not say why ${code} is safe here.`,
            'a sentence: what makes it safe, and how you know.',
          ),
        ]),
  ]);
}

/** The table that a statement creates: no other session uses it yet, so locking it blocks none. */
function createdTable({ kind, tree }: Statement): string | undefined {
  if (kind === 'CreateStmt') return tableKey(tree.relation);
  if (kind === 'CreateTableAsStmt') return tableKey(tree.into.rel);
  return undefined;
}
