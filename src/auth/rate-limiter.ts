import type { EntityManager } from '@mikro-orm/postgresql';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';

/**
 * Counts in the table rate_limits by PostgreSQL's clock. rate-limiter-flexible uses that of the process, so that a server
 * whose clock is ahead would end the windows that others have started, and guessing would have no limit.
 */
export class RateLimiter extends RateLimiterPostgres {
  constructor(
    private readonly em: EntityManager,
    options: { keyPrefix: string; points: number; duration: number },
  ) {
    super({
      ...options,
      storeClient: em,
      storeType: 'client',
      tableName: 'rate_limits',
      tableCreated: true, // by a migration
    });
  }

  // The methods below are those that rate-limiter-flexible calls, and that each of its stores has.

  /** Adds the points, or starts again if the window is over or is to be set. No window is longer than its duration. */
  async _upsert(key: string, points: number, milliseconds: number, sets = false): Promise<StoredCount[]> {
    const restarts = `kept.expire <= ${NOW} or ${sets}`;
    return this.query(
      `insert into rate_limits as kept (key, points, expire) values ($1, $2, ${NOW} + $3::bigint)
       on conflict (key) do update set
         points = case when ${restarts} then excluded.points else kept.points + excluded.points end,
         expire = case when ${restarts} then excluded.expire else least(kept.expire, excluded.expire) end
       returning points, (expire - ${NOW})::float8 as left`,
      [key, points, milliseconds],
    );
  }

  async _get(key: string): Promise<StoredCount[] | null> {
    const rows = await this.query(
      `select points, (expire - ${NOW})::float8 as left from rate_limits where key = $1 and expire > ${NOW}`,
      [key],
    );
    return rows.length > 0 ? rows : null;
  }

  async _delete(key: string): Promise<boolean> {
    return (await this.query('delete from rate_limits where key = $1 returning points', [key])).length > 0;
  }

  _getRateLimiterRes(_key: string, changed: number, [row]: [StoredCount]): RateLimiterRes {
    const { points, left } = row;
    return new RateLimiterRes(Math.max(this.points - points, 0), Math.max(left, 0), points, points === changed);
  }

  /** Called now and then. */
  async clearExpired(): Promise<void> {
    await this.query(`delete from rate_limits where expire < ${NOW}`, []).catch(() => {});
  }

  private async query(text: string, values: unknown[]): Promise<StoredCount[]> {
    return (await (await this.em.getConnection().getNativeClient()).query(text, values)).rows;
  }
}

interface StoredCount {
  readonly points: number;
  /** Milliseconds until the window is over. */
  readonly left: number;
}

const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';
