import type { Engine } from './engine/engine.ts';
import type { Holder, Turns } from './wire/session-queue.ts';
import { AS_NOBODY, type Belongings, type Session, SessionFault } from './wire/shared-session.ts';

/**
 * What PostgreSQL's background processes do elsewhere, and nobody in PGlite: checkpoints, so that the log and the next
 * start stay short, and vacuum and analyze, so that tables don't swell and plans fit.
 */
export class Upkeep implements Holder {
  private timer: NodeJS.Timeout | undefined;
  private checkpointed = Date.now();
  private lastLog = '';
  private readonly engine: Engine;
  private readonly session: Session;
  private readonly turns: Turns;
  private readonly log: (line: string) => void;

  constructor(house: { engine: Engine; session: Session; turns: Turns; log: (line: string) => void }) {
    this.engine = house.engine;
    this.session = house.session;
    this.turns = house.turns;
    this.log = house.log;
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), LOOKS_EVERY).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  idleFor(): number {
    return 0;
  }

  evict(): void {}

  /** Runs `work` while no client uses the session. */
  async alone<T>(work: (session: Session) => Promise<T>): Promise<T> {
    await this.turns.take(this, 0);
    try {
      await this.session.dress(NOBODYS, { usesUnnamed: false, readOnly: false });
      return await work(this.session);
    } finally {
      this.turns.give(this);
    }
  }

  async lastCheckpoint(): Promise<void> {
    await this.session.select(`rollback; ${AS_NOBODY}; checkpoint`).catch(() => {}); // the log has everything all the same
  }

  private async look(): Promise<void> {
    if (this.engine.state !== 'open' || this.turns.holder !== undefined) return;
    await this.alone(() => this.care()).catch((error: unknown) => {
      // When the engine restarted meanwhile, the next look comes soon.
      if (error instanceof SessionFault) this.log(`embedded database: checkpoint or vacuum failed: ${error.message}`);
    });
  }

  private async care(): Promise<void> {
    const [[position = '', behind = '0'] = []] = (await this.session.select(
      'select pg_current_wal_insert_lsn(), pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) from pg_control_checkpoint()',
    )) as string[][];
    if (position === this.lastLog) return;
    if (Number(behind) > LONGEST_LOG || Date.now() - this.checkpointed > LONGEST_WITHOUT_CHECKPOINT) {
      await this.session.select('checkpoint');
      this.checkpointed = Date.now();
    }
    // A session counts to itself for a while after it wrote, and only its own timer, which PGlite lacks, would end that.
    await this.session.select('select pg_stat_force_next_flush()');
    const tables = await this.session.select(TABLES_IN_NEED);
    for (const [table] of tables) await this.session.select(`vacuum (analyze) ${table}`);
    this.lastLog = position;
  }
}

/** Its own session, lest it look with the rights and settings of the client before it. */
const NOBODYS: Belongings = { settings: new Map(), statements: new Map(), unnamed: undefined, unsettled: false };

const LOOKS_EVERY = 5000;
const LONGEST_LOG = 64 * 1024 * 1024;
const LONGEST_WITHOUT_CHECKPOINT = 5 * 60 * 1000;

/** PostgreSQL's own thresholds for autovacuum and autoanalyze; a few at a time, because clients wait meanwhile. */
const TABLES_IN_NEED = `
  select relid::regclass
  from pg_stat_user_tables join pg_class on pg_class.oid = relid
  where n_dead_tup > 50 + 0.2 * greatest(reltuples, 0) or n_mod_since_analyze > 50 + 0.1 * greatest(reltuples, 0)
  order by n_dead_tup + n_mod_since_analyze desc limit 2`;
