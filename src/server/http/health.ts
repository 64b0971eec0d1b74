import type { MikroORM } from '@mikro-orm/postgresql';
import type { FastifyInstance } from 'fastify';
import { isTransientDatabaseError } from '../../database/database-errors.ts';
import { pendingMigrations } from '../../migration-safety/index.ts';

/** `/healthz`: the process is alive. `/readyz`: it can serve; otherwise 503 and the reason. */
export function addHealthChecks(server: FastifyInstance, readiness: Readiness): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const fault = await readiness.notReadyReason();
    return reply.code(fault ? 503 : 200).send(fault ? { ready: false, fault } : { ready: true });
  });
}

/** Each check returns the reason as a sentence, or null. */
export class Readiness {
  isShuttingDown = false;
  private migrated: boolean;
  private migrationCheck: Promise<string | null> | undefined;

  constructor(
    private readonly orm: MikroORM,
    private readonly database: MonitoredDatabase | null,
    migrations: 'checked' | 'not checked',
  ) {
    this.migrated = migrations === 'not checked';
  }

  /** Whether every migration is applied, or none is checked. */
  get isMigrated(): boolean {
    return this.migrated;
  }

  /** Why a load balancer should not send requests here. */
  async notReadyReason(): Promise<string | null> {
    if (this.isShuttingDown) return 'The server is shutting down.';
    const { isReady, fault = DATABASE_UNAVAILABLE } = this.database?.health() ?? READY;
    if (!isReady) return fault;
    try {
      return await this.migrationProblem();
    } catch (error) {
      if (isTransientDatabaseError(error)) return DATABASE_UNAVAILABLE;
      throw error;
    }
  }

  /** Why a request cannot be served. Runs before each request: it costs nothing once migrations are applied. */
  async unavailableReason(): Promise<string | null> {
    const { isLost, fault = DATABASE_UNAVAILABLE } = this.database?.health() ?? READY;
    return isLost ? fault : this.migrationProblem();
  }

  /** Why the database does not fit this code. Concurrent calls share one check. */
  async migrationProblem(): Promise<string | null> {
    if (this.migrated) return null;
    this.migrationCheck ??= this.checkMigrations().finally(() => {
      this.migrationCheck = undefined;
    });
    return this.migrationCheck;
  }

  private async checkMigrations(): Promise<string | null> {
    const reasons = await pendingMigrations(this.orm);
    this.migrated = reasons.length === 0;
    return this.migrated ? null : `Apply what is pending: npx mikro-orm migration:up. ${reasons.join(' ')}`;
  }
}

/** A database whose heartbeat or owner knows its state. */
export interface MonitoredDatabase {
  /** `isLost`: every statement, or every write, fails at the moment. `fault` says why, if it is known. */
  health(): { isReady: boolean; isLost?: boolean; fault?: string };
}

/** Of a database that is not monitored. */
const READY: ReturnType<MonitoredDatabase['health']> = { isReady: true, isLost: false };

const DATABASE_UNAVAILABLE = 'The database does not answer.';
