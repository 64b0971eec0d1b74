import type { Transaction } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { sqlState } from '../problems.ts';
import { literal } from './quote.ts';

/** Runs a query on the caller's connection: the embedded database has only one. */
export type Execute = (sql: string) => Promise<Row[]>;

export type Row = Record<string, unknown>;

/**
 * Asks the database something that it may refuse to answer: runs the statements in a transaction that is rolled back, and
 * returns the rows of the last one, or the error.
 */
export type Probe = (...statements: string[]) => Promise<{ rows: Row[]; error?: unknown }>;

export interface ProbeOptions {
  /** The schema that the migration runs in, if it is not the default. */
  schema?: string | undefined;
  /** The caller's open transaction, if there is one. */
  transaction?: unknown;
  /** How long to wait, in milliseconds, for a table that another session has locked. */
  lockTimeout: number;
}

/** A probe on this driver. It takes no lock but ACCESS SHARE, and only for one question. */
export function probeOf(driver: AbstractSqlDriver, { schema, transaction, lockTimeout }: ProbeOptions): Probe {
  const connection = driver.getConnection();
  const settings = [['lock_timeout', String(lockTimeout)], ...(schema ? [['search_path', `"${schema}"`]] : [])];
  const prepare = `select ${settings.map(([name, value]) => `set_config(${literal(name)}, ${literal(value)}, true)`).join(', ')}`;
  return async (...statements) => {
    const context = await connection.begin((transaction ? { ctx: transaction } : {}) as never);
    try {
      let rows: Row[] = [];
      for (const sql of [prepare, ...statements])
        rows = await connection.execute(sql, [], 'all', context as Transaction);
      return { rows };
    } catch (error) {
      return answerOf(error);
    } finally {
      await connection.rollback(context as never).catch(() => {});
    }
  };
}

/** A probe on the connection of a migration that is running: in its transaction, or in one of its own. */
export const probeOn =
  (execute: Execute, inTransaction: boolean): Probe =>
  async (...statements) => {
    await execute(inTransaction ? 'savepoint probe' : 'begin');
    try {
      let rows: Row[] = [];
      for (const sql of statements) rows = await execute(sql);
      return { rows };
    } catch (error) {
      return answerOf(error);
    } finally {
      await execute(inTransaction ? 'rollback to savepoint probe' : 'rollback').catch(() => {});
    }
  };

/** A lost connection is no answer. */
function answerOf(error: unknown): { rows: Row[]; error: unknown } {
  if (!sqlState(error) || /^(08|57P)/.test(sqlState(error) ?? '')) throw error;
  return { rows: [], error };
}

/** Asks what the database has to answer: an error is thrown. */
export const executeOf =
  (probe: Probe): Execute =>
  async (sql) => {
    const { rows, error } = await probe(sql);
    if (error) throw error;
    return rows;
  };
