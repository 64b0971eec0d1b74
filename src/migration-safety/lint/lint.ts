import type { MigrationFile } from '../history/migration-file.ts';
import { excerpt } from '../sql/excerpt.ts';
import type { Statement } from '../sql/statements.ts';
import { COLUMN_RULES } from './column-rules.ts';
import { CONSTRAINT_RULES } from './constraint-rules.ts';
import { OTHER_RULES } from './other-rules.ts';
import type { Context, Rule } from './rule.ts';
import { bare } from './rule.ts';
import { TABLE_RULES } from './table-rules.ts';

/** Every rule there is. A code is a promise: migrations name it in safeBecause, so it is never renamed or used again. */
export const RULES: readonly Rule[] = [...TABLE_RULES, ...COLUMN_RULES, ...CONSTRAINT_RULES, ...OTHER_RULES];

export interface LintFinding {
  code: string;
  severity: 'error' | 'warning';
  migration: string;
  sql: string;
  harm: string;
  instead: string;
  /** What the database says about it, when it was asked: rows that would be lost. */
  details: string[];
}

type Linted = Pick<MigrationFile, 'name' | 'transactional' | 'safeBecause'>;

/**
 * What the rules say about the statements of a migration. `small` names the tables that are known to be small now:
 * what is only a matter of time is no matter there.
 */
export function lint(
  migration: Linted,
  statements: readonly Statement[],
  small: ReadonlySet<string> = new Set(),
): LintFinding[] {
  const found: LintFinding[] = badReasons(migration);
  const context: Context = { transactional: migration.transactional, statements, index: 0, created: new Set(), small };
  for (const [index, statement] of statements.entries()) {
    context.index = index;
    for (const rule of RULES) {
      if (migration.safeBecause[rule.code] !== undefined || !rule.finds(statement, context)) continue;
      const { code, severity, harm, instead } = rule;
      found.push({ code, severity, migration: migration.name, sql: statement.sql, harm, instead, details: [] });
    }
    for (const table of createdBy(statement)) context.created.add(table);
  }
  return found;
}

/** The findings for a person: the statement, the harm, and what to write instead. */
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

/** The rules as a list, for the guide and for `migration:lint --rules`. */
export const formatRules = () =>
  RULES.map(({ code, severity, harm, instead }) => `${code} (${severity})\n  ${harm}\n  Instead: ${instead}`).join(
    '\n\n',
  );

/** A reason is for the next reader: it has to be a sentence, and about a rule that exists. */
function badReasons({ name, safeBecause }: Linted): LintFinding[] {
  const about = (code: string, harm: string, instead: string): LintFinding => ({
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
      : [about('unknown-code', `There is no rule "${code}".`, 'the code of a finding, as it was printed.')]),
    ...(reason.trim().split(/\s+/).length >= 4
      ? []
      : [
          about(
            'no-reason',
            `"${reason}" does not say why ${code} is safe here.`,
            'a sentence: what makes it safe, and how you know.',
          ),
        ]),
  ]);
}

/** The tables a statement makes: nobody uses them yet, so nobody waits for them. */
function createdBy({ kind, tree }: Statement): string[] {
  if (kind === 'CreateStmt') return [bare(tree.relation)];
  if (kind === 'CreateTableAsStmt') return [bare(tree.into.rel)];
  if (kind === 'RenameStmt' && tree.renameType === 'OBJECT_TABLE') return [];
  return [];
}
