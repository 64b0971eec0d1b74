import type { Engine } from './engine/engine.ts';
import type { SessionHolder, SessionQueue } from './wire/session-queue.ts';
import { InternalQueryError, newClientState, RESET_SESSION, type SharedSession } from './wire/shared-session.ts';

/**
 * The work of PostgreSQL's background processes, which PGlite does not have: checkpoints, which keep the WAL and the
 * next start short, and vacuum and analyze, which limit the size of tables and keep plans accurate.
 */
export class Maintenance implements SessionHolder {
  private timer: NodeJS.Timeout | undefined;
  private lastCheckpoint = Date.now();
  private lastPosition = '';
  /** Its own, so that it does not run with the role and settings of the previous client. */
  private readonly state = newClientState();

  constructor(
    private readonly engine: Engine,
    private readonly session: SharedSession,
    private readonly queue: SessionQueue,
    private readonly log: (line: string) => void,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.runWhenIdle(), CHECK_INTERVAL).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  idleFor(): number {
    return 0;
  }

  evict(): void {}

  /** Runs `work` while no client uses the session. */
  async runExclusively<T>(work: (session: SharedSession) => Promise<T>): Promise<T> {
    await this.queue.acquire(this, 0);
    try {
      await this.session.apply(this.state, { usesUnnamed: false, readOnly: false });
      return await work(this.session);
    } finally {
      this.queue.release(this);
    }
  }

  async shutdownCheckpoint(): Promise<void> {
    await this.session.query(`rollback; ${RESET_SESSION}; checkpoint`).catch(() => {}); // recovery replays the WAL instead
  }

  private async runWhenIdle(): Promise<void> {
    if (this.engine.state !== 'open' || this.queue.holder !== undefined) return;
    await this.runExclusively(() => this.run()).catch((error: unknown) => {
      // Any other error is a restart of the engine; the next interval tries again.
      if (error instanceof InternalQueryError) {
        this.log(`embedded database: checkpoint or vacuum failed: ${error.message}`);
      }
    });
  }

  private async run(): Promise<void> {
    const [[position = '', walSize = '0'] = []] = (await this.session.query(
      'select pg_current_wal_insert_lsn(), pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) from pg_control_checkpoint()',
    )) as string[][];
    if (position === this.lastPosition) return;
    if (Number(walSize) > MAX_WAL_SIZE || Date.now() - this.lastCheckpoint > CHECKPOINT_TIMEOUT) {
      await this.session.query('checkpoint');
      this.lastCheckpoint = Date.now();
    }
    // A session reports its statistics late, by a timer that PGlite lacks.
    await this.session.query('select pg_stat_force_next_flush()');
    const tables = await this.session.query(TABLES_TO_VACUUM);
    for (const [table] of tables) await this.session.query(`vacuum (analyze) ${table}`);
    this.lastPosition = position;
  }
}

const CHECK_INTERVAL = 5000;
const MAX_WAL_SIZE = 64 * 1024 * 1024;
const CHECKPOINT_TIMEOUT = 5 * 60 * 1000;

/** PostgreSQL's own thresholds for autovacuum and autoanalyze; two tables at a time, because clients have to wait. */
const TABLES_TO_VACUUM = `
  select relid::regclass
  from pg_stat_user_tables join pg_class on pg_class.oid = relid
  where n_dead_tup > 50 + 0.2 * greatest(reltuples, 0) or n_mod_since_analyze > 50 + 0.1 * greatest(reltuples, 0)
  order by n_dead_tup + n_mod_since_analyze desc limit 2`;
