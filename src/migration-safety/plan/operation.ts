/** A migration to be written. */
export interface PlannedMigration {
  transactional: boolean;
  up: string[];
  down: string[];
  /** Why it is not online DDL. */
  reason?: string;
}

/**
 * What operations do. Of those that may run next, the one whose step comes first here goes first. Policies and row
 * security are made as triggers are.
 *
 * Renames come first, because all others use the new names. Then comes what refuses or acts on the changes of rows and columns, and
 * goes; then what others need before those: types before columns, columns before their values, values before what requires them,
 * indexes before constraints that use them. Triggers come after the fills, which would fire them. Indexes, columns and
 * tables are dropped at the end: queries have them until then.
 */
const STEPS = [
  'rename',
  'create schema',
  'create extension',
  'create type',
  'create sequence',
  'alter enum',
  'drop from a table',
  'create function',
  'create table',
  'add column',
  'alter sequence',
  'alter column',
  'own sequence',
  'fill column',
  'require column',
  'validate required column',
  'create index',
  'create index concurrently',
  'add constraint using index',
  'add constraint',
  'validate constraint',
  'create trigger',
  'create view',
  'comment',
  'drop index',
  'drop column',
  'drop table',
  'drop the rest',
] as const;

export type Step = (typeof STEPS)[number];

/** The smallest part of a difference that runs on its own, with its exact inverse. */
export interface Operation {
  up: string[];
  down: string[];
  /** The existing table that it locks; one transaction locks only one. */
  table: string | undefined;
  /** A migration of its own: in a transaction, or outside of any. */
  alone: 'transactional' | 'concurrent' | undefined;
  step: Step;
  after: Set<Operation>;
  /** Whether it removes what is made again: it comes as late as it can, so that what the object does is missed shortly. */
  late: boolean;
}

/** What makes or removes one object: operations that run in this order, with others between them. */
export type Chain = [Operation, ...Operation[]];

export const operation = (
  up: string | string[],
  down: string | string[],
  { table, alone, step }: Partial<Pick<Operation, 'table' | 'alone'>> & Pick<Operation, 'step'>,
): Operation => ({ up: [up].flat(), down: [down].flat(), table, alone, step, after: new Set(), late: false });

/** Each operation after the one before. */
export function chain(first: Operation, ...others: Operation[]): Chain {
  for (const [i, each] of others.entries()) each.after.add(i === 0 ? first : (others[i - 1] as Operation));
  return [first, ...others];
}

export const byStep = (a: Operation, b: Operation): number => STEPS.indexOf(a.step) - STEPS.indexOf(b.step);
