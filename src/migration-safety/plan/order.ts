import { MigrationProblem } from '../problems.ts';
import { byStep, type Operation, type PlannedMigration } from './operation.ts';

/**
 * The operations as migrations. One in a transaction locks one existing table: one that locks two waits for the second
 * while it blocks the first.
 */
export const toMigrations = (operations: Operation[]): PlannedMigration[] => arrange(operations, (each) => each);

/** The operations as one migration in a transaction, whatever they lock. */
export const toOneMigration = (operations: Operation[]): PlannedMigration =>
  arrange(operations, () => NO_LIMITS)[0] ?? { transactional: true, up: [], down: [] };

/** What decides which operations share a migration. */
type Limits = Pick<Operation, 'alone' | 'table'>;

const NO_LIMITS: Limits = { alone: undefined, table: undefined };

/**
 * Puts the operations into an order in which each comes after those that it waits for, and cuts the order into
 * migrations.
 */
function arrange(operations: Operation[], limitsOf: (operation: Operation) => Limits): PlannedMigration[] {
  const waiting = new Set(operations);
  const planned: { migration: PlannedMigration; table: string | undefined; open: boolean }[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].filter(({ after }) => ![...after].some((each) => waiting.has(each))).sort(byStep);
    const last = planned.at(-1);
    const joins = (each: Operation) => {
      const { alone, table } = limitsOf(each);
      return last?.open && !alone && (table === undefined || last.table === undefined || table === last.table);
    };
    const isAlone = (each: Operation) => limitsOf(each).alone !== undefined;
    // What waits for it is not kept by anything else, or only by what can go in the same migration.
    const isDue = (each: Operation) =>
      [...waiting].every(
        ({ after }) =>
          !after.has(each) ||
          [...after].every((other) => !waiting.has(other) || (other.late && ready.includes(other) && !isAlone(other))),
      );
    const soon = ready.filter((each) => !each.late || (!isAlone(each) && isDue(each)));
    // What is alone comes as late as it can, so that the statements before it share a migration. Of what is late, it comes
    // first, so that it does not come between what is removed and what makes it again.
    const next =
      soon.find(joins) ??
      soon.find((each) => !isAlone(each)) ??
      soon[0] ??
      ready.find(isAlone) ??
      ready.find(joins) ??
      ready[0];
    if (!next) throw circular([...waiting]);
    waiting.delete(next);
    const { alone, table } = limitsOf(next);
    if (last && joins(next)) {
      last.migration.up.push(...next.up);
      last.migration.down.unshift(...next.down);
      last.table ??= table;
    } else {
      planned.push({
        migration: { transactional: alone !== 'concurrent', up: [...next.up], down: [...next.down] },
        table,
        open: !alone,
      });
    }
  }
  return planned.map(({ migration }) => migration);
}

const circular = (operations: Operation[]) =>
  new MigrationProblem(
    'create-failed',
    `These changes wait for each other, so there is no order for them:\n${operations.map(({ up }) => `  ${up[0]}`).join('\n')}\nMake one of them in a migration before. No file was written.`,
  );
