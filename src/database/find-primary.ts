import { Client } from 'pg';
import { clientOptions, type PostgresHost, type PostgresServer } from '../postgres-url.ts';

/** The host that is the primary. If none is, the first one, whose error the caller then gets. */
export async function findPrimary(server: PostgresServer): Promise<PostgresHost> {
  const [first, ...others] = server.hosts;
  if (others.length === 0) return first;
  for (const host of server.hosts) if (await isPrimary(server, host)) return host;
  return first;
}

async function isPrimary(server: PostgresServer, host: PostgresHost): Promise<boolean> {
  const client = new Client({ connectionTimeoutMillis: 2_000, ...clientOptions(server, host) });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query('select pg_is_in_recovery() as standby');
    return !rows[0].standby;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
