import { relative } from 'node:path';
import { findMigration } from '../apply/targets.ts';
import { formatLintFindings, type LintFinding, lintAll } from '../lint/lint.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import type { Statement } from '../sql/statements.ts';
import { formatStatuses, readStatus, type Status } from './status.ts';

/** Everything that is known of one migration. */
export interface ShownMigration {
  name: string;
  file: string | undefined;
  /** Undefined if the database was left out. */
  status: Status | undefined;
  transactional: boolean;
  lockTimeout: number | undefined;
  statementTimeout: number | undefined;
  checksum: string;
  safeBecause: Record<string, string>;
  irreversible: boolean;
  /** Its code chooses statements from the data, so that these are not all. */
  dynamic: { up: boolean; down: boolean };
  up: string[];
  down: string[];
  lint: Pick<LintFinding, 'code' | 'severity' | 'sql' | 'harm' | 'instead'>[];
}

/** One migration: its file, options, statements, what lint says of it, and its state in the database. */
export async function readShown(
  migrator: MigratorParts,
  text: string,
  { offline }: { offline: boolean },
): Promise<{ shown: ShownMigration; findings: LintFinding[] }> {
  const files = await migrator.readMigrations();
  const names = files.map(({ name }) => name);
  const head = text === 'head' ? names.at(-1) : undefined;
  const name = head ?? findMigration(text, names, 'migration:show');
  const file = files[names.indexOf(name)];
  if (!file) throw new Error(`${name} is a name without a file.`);
  const findings = lintAll(files).filter(({ migration }) => migration === name);
  const status = offline ? undefined : (await readStatus(migrator)).find((each) => each.name === name);
  const { transactional, lockTimeout, statementTimeout, checksum, safeBecause, irreversible, dynamic } = file;
  const shown = {
    ...{ name, file: file.path && relative(process.cwd(), file.path), status },
    ...{ transactional, lockTimeout, statementTimeout, checksum, safeBecause, irreversible, dynamic },
    up: file.up.map(sqlOf),
    down: file.down.map(sqlOf),
    lint: findings.map(({ code, severity, sql, harm, instead }) => ({ code, severity, sql, harm, instead })),
  };
  return { shown, findings };
}

const sqlOf = ({ sql }: Statement) => sql;

export function formatShown({ shown, findings }: { shown: ShownMigration; findings: LintFinding[] }): string {
  const { name, file, status, transactional, lockTimeout, statementTimeout, checksum, safeBecause } = shown;
  const facts = [
    ['file', file],
    ['state', status && formatStatuses([status]).replace(name, '').replace(/ {2,}/g, '  ')],
    ['runs', transactional ? 'in one transaction' : 'outside a transaction'],
    ['lockTimeout', lockTimeout && `${lockTimeout} ms`],
    ['statementTimeout', statementTimeout && `${statementTimeout} ms`],
    ['checksum', checksum],
    ...Object.entries(safeBecause).map(([code, reason]) => [`safe: ${code}`, reason]),
  ].flatMap(([label, value]) => (value ? [`  ${label}: ${value}`] : []));
  return [
    name,
    ...facts,
    ...statements('up', shown.up, shown.dynamic.up),
    ...(shown.irreversible ? ['', 'down: there is none'] : statements('down', shown.down, shown.dynamic.down)),
    '',
    findings.length > 0 ? formatLintFindings(findings) : 'lint: no findings',
  ].join('\n');
}

const statements = (method: string, sqls: string[], dynamic: boolean) => [
  '',
  `${method}:${sqls.length === 0 && !dynamic ? ' nothing' : ''}`,
  ...sqls.flatMap((sql) => `${sql};`.split('\n').map((line) => `  ${line}`)),
  ...(dynamic ? ['  -- and statements that its code chooses from the data'] : []),
];
