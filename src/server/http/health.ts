import type { MikroORM } from '@mikro-orm/postgresql';
import type { FastifyInstance } from 'fastify';
import { isTransientDatabaseError } from '../../database/database-errors.ts';
import { pendingMigrations } from '../../migration-safety/index.ts';

/** `/healthz`: the process is alive. `/readyz`: it can serve; otherwise 503 and why not. */
export function addHealthChecks(server: FastifyInstance, readiness: Readiness): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const fault = await readiness.fault();
    return reply.code(fault ? 503 : 200).send(fault ? { ready: false, fault } : { ready: true });
  });
}

/** What stands in the way of serving, in a sentence; null when nothing does. */
export class Readiness {
  isShuttingDown = false;
  private migrated: boolean;
  private looking: Promise<string | null> | undefined;

  constructor(
    private readonly orm: MikroORM,
    private readonly database: MonitoredDatabase | null,
    migrations: 'checked' | 'not checked',
  ) {
    this.migrated = migrations === 'not checked';
  }

  /** Whether it was seen to have every migration, or nobody wants to know. */
  get isMigrated(): boolean {
    return this.migrated;
  }

  /** Why no new requests should be sent here. */
  async fault(): Promise<string | null> {
    if (this.isShuttingDown) return 'The server is shutting down.';
    if (this.database?.health().isReady === false) return NO_ANSWER;
    try {
      return await this.migrationProblem();
    } catch (error) {
      if (isTransientDatabaseError(error)) return NO_ANSWER;
      throw error;
    }
  }

  /** Why a request that is here can not be served. Asked before each: it costs nothing once all was seen to be well. */
  async refusal(): Promise<string | null> {
    return this.database?.health().isLost ? NO_ANSWER : this.migrationProblem();
  }

  /** Why the database does not fit this code. Nobody asks twice at once. */
  async migrationProblem(): Promise<string | null> {
    if (this.migrated) return null;
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async look(): Promise<string | null> {
    const reasons = await pendingMigrations(this.orm);
    this.migrated = reasons.length === 0;
    return this.migrated ? null : `${reasons.join(' ')} Apply what is pending: npx mikro-orm migration:up`;
  }
}

/** A database as whatever looks after it knows it. */
export interface MonitoredDatabase {
  /** `isLost`: whatever is sent to it now fails. */
  health(): { isReady: boolean; isLost?: boolean };
}

const NO_ANSWER = 'The database does not answer.';
