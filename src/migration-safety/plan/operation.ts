/** A migration to be written. */
export interface Draft {
  transactional: boolean;
  up: string[];
  down: string[];
  /** Why it is not online DDL. */
  reason?: string;
}

/** The smallest part of a difference that runs on its own, with its exact inverse. */
export interface Operation {
  up: string[];
  down: string[];
  /** The existing table that it locks; one transaction locks only one. */
  table: string | undefined;
  /** A migration of its own: in a transaction, or outside of any. */
  alone: 'transactional' | 'concurrent' | undefined;
  /** Of the operations that may run next, the lowest goes first. */
  rank: number;
  after: Set<Operation>;
}

/** What makes or removes one object: operations that run in this order, with others between them. */
export type Chain = [Operation, ...Operation[]];

export const operation = (
  up: string | string[],
  down: string | string[],
  { table, alone, rank = 50 }: Partial<Pick<Operation, 'table' | 'alone' | 'rank'>> = {},
): Operation => ({ up: [up].flat(), down: [down].flat(), table, alone, rank, after: new Set() });
