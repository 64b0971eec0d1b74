import type { MigrationFile } from '../history/migration-file.ts';
import { excerpt } from '../sql/excerpt.ts';
import type { Statement } from '../sql/statements.ts';
import { ACCESS_RULES } from './access-rules.ts';
import { COLUMN_RULES } from './column-rules.ts';
import { CONSTRAINT_RULES } from './constraint-rules.ts';
import { DATA_RULES } from './data-rules.ts';
import { KnownSchema, tableKey } from './known-schema.ts';
import { type LintedStatement, type Routines, withNested } from './nested-statements.ts';
import { OTHER_RULES } from './other-rules.ts';
import type { Context, Rule } from './rule.ts';
import { TABLE_RULES } from './table-rules.ts';

/** All rules. Migrations name a code in safeBecause, so a code is never renamed or reused. */
export const RULES: readonly Rule[] = [
  ...TABLE_RULES,
  ...COLUMN_RULES,
  ...CONSTRAINT_RULES,
  ...OTHER_RULES,
  ...ACCESS_RULES,
  ...DATA_RULES,
];

/** What the rows decide, not the statement: `migration:up` counts those whose value is lost. */
export const LOSE_VALUES = {
  code: 'lose-values',
  severity: 'error',
  harm: 'The new type of a column cuts off, rounds or shifts values of existing rows.',
  instead: 'repair the rows in an earlier migration; or say why the values are not needed.',
} as const;

export interface LintFinding {
  code: string;
  severity: 'error' | 'warning';
  migration: string;
  sql: string;
  harm: string;
  instead: string;
  /** The position of a syntax error in the SQL, in characters. */
  position?: number | undefined;
  /** Where the statement stands if it runs inside of another, and the rows that would be lost if there is a database. */
  details: string[];
  statement?: Statement;
}

type LintedMigration = Pick<MigrationFile, 'name' | 'transactional' | 'safeBecause'>;

/**
 * Applies the rules to the statements of a migration and to those that run inside of them. Rules about the duration of a
 * lock do not apply to `smallTables`, the tables known to be small at the moment. `earlier` are the statements of the
 * migrations before this one: from them follow the types of columns, the constraints and the functions.
 */
export function lint(
  migration: LintedMigration,
  statements: readonly Statement[],
  smallTables: ReadonlySet<string> = new Set(),
  earlier: readonly Statement[] = [],
): LintFinding[] {
  const routines: Routines = new Map();
  const known = new KnownSchema(withNested(earlier, routines));
  return lintAfter({ known, routines }, migration, statements, smallTables);
}

/** Lints migrations, each in the light of those before it. */
export function lintAll(migrations: readonly MigrationFile[]): LintFinding[] {
  const history: History = { known: new KnownSchema(), routines: new Map() };
  return migrations.flatMap((migration) => lintAfter(history, migration, migration.up, new Set()));
}

type History = Pick<Context, 'known' | 'routines'>;

/** Lints a migration that comes after this history, and adds it to the history. */
function lintAfter(
  { known, routines }: History,
  migration: LintedMigration,
  statements: readonly Statement[],
  smallTables: ReadonlySet<string>,
): LintFinding[] {
  const findings = invalidReasons(migration);
  const { name, transactional, safeBecause } = migration;
  const nested = withNested(statements, routines);
  const createdTables = new Set<string>();
  const context: Context = {
    transactional,
    statements: nested,
    index: 0,
    known,
    routines,
    createdTables,
    smallTables,
  };
  for (const [index, statement] of nested.entries()) {
    context.index = index;
    for (const rule of RULES) {
      if (safeBecause[rule.code] !== undefined || !rule.matches(statement, context)) continue;
      findings.push(findingOf(rule, statement, context, name));
    }
    const created = createdTable(statement);
    if (created) createdTables.add(created);
    known.apply(statement);
  }
  return findings;
}

/** The statements of the migrations before this one. */
export const statementsBefore = (migration: { name: string }, migrations: readonly MigrationFile[]): Statement[] =>
  migrations
    .slice(
      0,
      Math.max(
        0,
        migrations.findIndex(({ name }) => name === migration.name),
      ),
    )
    .flatMap(({ up }) => up);

function findingOf(rule: Rule, statement: LintedStatement, { known }: Context, migration: string): LintFinding {
  const { sql, within, syntaxError, tree } = statement;
  const { ifPartitioned } = rule;
  const at = syntaxError && syntaxError.position >= 0 ? syntaxError.position : undefined;
  return {
    code: rule.code,
    severity: rule.severity,
    migration,
    sql,
    harm: syntaxError ? `${rule.harm.replace(/\.$/, '')}: ${syntaxError.message}${lineAndColumn(sql, at)}.` : rule.harm,
    instead:
      ifPartitioned && known.isPartitioned(tableKey(tree.relation))
        ? ifPartitioned
        : (rule.insteadOf?.(statement) ?? rule.instead),
    position: at,
    details: within ? [`It stands ${within}.`] : [],
    statement,
  };
}

function lineAndColumn(sql: string, position: number | undefined): string {
  if (position === undefined) return '';
  const lines = [...sql].slice(0, position).join('').split('\n');
  return `, line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

/** The findings as text: the statement, the harm, and what to write instead. */
export function formatLintFindings(findings: readonly LintFinding[]): string {
  return findings
    .map(({ code, severity, migration, sql, harm, instead, details, position }) =>
      [
        `${migration}: ${severity} ${code}`,
        ...excerpt(sql, position),
        `  ${harm}`,
        `  Instead: ${instead}`,
        ...details.map((line) => `  ${line}`),
      ].join('\n'),
    )
    .join('\n\n');
}

/** The rules as text, for `migration:lint --rules`. */
export const formatRules = () =>
  [...RULES, LOSE_VALUES]
    .map(({ code, severity, harm, instead }) => `${code} (${severity})\n  ${harm}\n  Instead: ${instead}`)
    .join('\n\n');

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
    ...([...RULES, LOSE_VALUES].some((rule) => rule.code === code)
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
