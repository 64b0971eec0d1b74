import { type Configuration, isRaw } from '@mikro-orm/core';
import { PostgreSqlConnection, PostgreSqlDriver } from '@mikro-orm/postgresql';
import type { Statement } from './statement-pipeline.ts';

/**
 * The transaction context of an entity manager that records its writes, so that they are sent later in one message: see
 * `PreparedStatements.transaction`. A recorded write returns nothing, so whoever writes must know the ids (`nextId`). Reads are
 * sent at once, and see nothing of what is recorded.
 */
export class WriteBatch {
  readonly statements: Statement[] = [];

  /** `proof` resolves once the request may write, with the statement that has to come before its writes. */
  constructor(readonly proof: () => Promise<Statement>) {}

  record(query: string, params: readonly unknown[]): void {
    const values: unknown[] = [];
    const text = numberParameters(query, params, values);
    this.statements.push({ text, values });
  }
}

/** Replaces MikroORM's `?` by `$1`, `$2`, …, and raw fragments by their text. */
function numberParameters(query: string, params: readonly unknown[], values: unknown[]): string {
  let next = 0;
  return query.replaceAll(/\\\?|\?/g, (found) => {
    if (found !== '?') return '?';
    const param = params[next++];
    return isRaw(param) ? numberParameters(param.sql, param.params, values) : `$${values.push(param)}`;
  });
}

/** MikroORM's driver for PostgreSQL, whose statements a `WriteBatch` may record. */
export class RecordingDriver extends PostgreSqlDriver {
  constructor(config: Configuration) {
    super(config);
    Object.assign(this, { connection: new RecordingConnection(config) });
  }
}

class RecordingConnection extends PostgreSqlConnection {
  // biome-ignore lint/suspicious/noExplicitAny: MikroORM's signature
  override async execute(...args: Parameters<PostgreSqlConnection['execute']>): Promise<any> {
    const [query, params = [], method = 'all', batch, loggerContext] = args;
    if (!(batch instanceof WriteBatch)) return super.execute(...args);
    const { sql, params: values } =
      typeof query === 'string' ? { sql: query, params } : 'toRaw' in query ? query.toRaw() : query;
    if (method === 'run') {
      batch.record(sql, values as readonly unknown[]);
      return { affectedRows: 0, insertId: 0, rows: [] };
    }
    if (!/^\s*select\b/i.test(sql)) throw new Error(`A write that is recorded returns no rows: ${sql}`);
    return super.execute(sql, values, method, undefined, loggerContext);
  }
}
