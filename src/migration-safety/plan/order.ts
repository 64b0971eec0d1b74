import { MigrationProblem } from '../problems.ts';
import { byStep, type Operation, type PlannedMigration } from './operation.ts';

/**
 * Puts the operations into an order in which each comes after those that it waits for, and cuts the order into
 * migrations. A migration in a transaction locks one existing table: one that locks two waits for the second while
 * it blocks the first.
 */
export function toMigrations(operations: Operation[]): PlannedMigration[] {
  const waiting = new Set(operations);
  const planned: { migration: PlannedMigration; table: string | undefined; open: boolean }[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].filter(({ after }) => ![...after].some((each) => waiting.has(each))).sort(byStep);
    const last = planned.at(-1);
    const joins = ({ alone, table }: Operation) =>
      last?.open && !alone && (table === undefined || last.table === undefined || table === last.table);
    // What is alone comes as late as it can, so that the statements before it share a migration.
    const next = ready.find(joins) ?? ready.find(({ alone }) => !alone) ?? ready[0];
    if (!next) throw circular([...waiting]);
    waiting.delete(next);
    if (last && joins(next)) {
      last.migration.up.push(...next.up);
      last.migration.down.unshift(...next.down);
      last.table ??= next.table;
    } else {
      planned.push({
        migration: { transactional: next.alone !== 'concurrent', up: [...next.up], down: [...next.down] },
        table: next.table,
        open: !next.alone,
      });
    }
  }
  return planned.map(({ migration }) => migration);
}

/** All operations as one migration in a transaction, in the same order. */
export const toOneMigration = (operations: Operation[]): PlannedMigration => {
  const planned = toMigrations(operations.map((each) => Object.assign(each, { alone: undefined, table: undefined })));
  return {
    transactional: true,
    up: planned.flatMap(({ up }) => up),
    down: [...planned].reverse().flatMap(({ down }) => down),
  };
};

const circular = (operations: Operation[]) =>
  new MigrationProblem(
    'create-failed',
    `These changes wait for each other, so there is no order for them:\n${operations.map(({ up }) => `  ${up[0]}`).join('\n')}\nMake one of them in a migration before. No file was written.`,
  );
