import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import type { FastifyInstance } from 'fastify';

/** GET /version: the build that is running. */
export function addVersionEndpoint(server: FastifyInstance, revision: string | null): void {
  const { name, version } = JSON.parse(readFileSync(findPackageJSON('..', import.meta.url) ?? '', 'utf8'));
  const build = { name, version, ...(revision && { revision }) };
  server.get('/version', () => build);
}
