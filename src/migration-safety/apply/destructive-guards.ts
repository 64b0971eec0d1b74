import type { MigrationFile } from '../history/migration-file.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { findDataLoss } from '../sql/data-loss.ts';
import { EarlierChanges, nestedData } from '../sql/earlier-changes.ts';
import { executeOf, type Probe } from '../sql/execute.ts';
import type { Statement, Tree } from '../sql/statements.ts';
import { isPermitted, refuseUnlessDisposable } from './disposable.ts';

/** A `down` that drops, deletes or changes data needs the permission of the commands that drop tables. */
export async function refuseDataLoss(
  downs: { migration: MigrationFile; statements: Statement[] }[],
  { driver, settings }: Pick<MigratorParts, 'driver' | 'settings'>,
  probe: Probe,
): Promise<void> {
  if (isPermitted(driver, settings)) return;
  const earlier = new EarlierChanges();
  const losses: string[] = [];
  for (const { migration, statements } of downs) {
    const mayDeleteFrom = (relation: Tree) => migration.dynamic.up || insertsInto(migration, relation);
    losses.push(...(await findDataLoss(statements, { execute: executeOf(probe), probe, earlier, mayDeleteFrom })));
  }
  if (losses.length === 0) return;
  refuseUnlessDisposable(
    driver,
    settings,
    `would lose data for good:\n${losses.map((loss) => `    ${loss}`).join('\n')}\n `,
  );
}

/** The rows that `up` inserts are for `down` to delete. */
const insertsInto = ({ up }: MigrationFile, { relname }: Tree) =>
  up.some(({ kind, tree }) =>
    [[kind, tree] as const, ...nestedData(tree)].some(
      ([nested, node]) => nested === 'InsertStmt' && node.relation.relname === relname,
    ),
  );
