import type { MikroORM } from '@mikro-orm/postgresql';
import type { FastifyInstance } from 'fastify';
import type { EmbeddedDatabase } from '../database/embedded/embedded.ts';
import { pendingMigrations } from '../migration-safety/plug.ts';

/** `/healthz`: the process is alive. `/readyz`: it can serve; otherwise 503 and why not. */
export function addHealthChecks(server: FastifyInstance, readiness: Readiness): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const fault = (await readiness.databaseFault()) ?? (await readiness.migrationFault());
    return reply.code(fault ? 503 : 200).send(fault ? { ready: false, fault } : { ready: true });
  });
}

/** What stands in the way of serving, in a sentence; null when nothing does. */
export class Readiness {
  private migrated: boolean;

  constructor(
    private readonly orm: MikroORM,
    private readonly embedded: EmbeddedDatabase | null,
    migrations: 'checked' | 'not checked',
  ) {
    this.migrated = migrations === 'not checked';
  }

  /** Asked before every request: it costs nothing once the database was seen to have every migration. */
  async migrationFault(): Promise<string | null> {
    if (this.migrated) return null;
    const reasons = await pendingMigrations(this.orm);
    this.migrated = reasons.length === 0;
    return this.migrated ? null : `${reasons.join(' ')} Apply what is pending: npx mikro-orm migration:up`;
  }

  /** Asks it: MikroORM calls a database unconnected until the first statement, which an unready server never gets. */
  async databaseFault(): Promise<string | null> {
    if (this.embedded) return this.embedded.health().isReady ? null : 'The embedded database does not answer.';
    try {
      await this.orm.em.fork().execute('select 1');
      return null;
    } catch {
      return 'The database does not answer.';
    }
  }
}
