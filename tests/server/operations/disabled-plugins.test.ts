import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { Readiness } from '../../../src/server/http/health.ts';
import { buildServer } from '../../../src/server/server.ts';
import { orm, settings } from '../../support/test-server.ts';

test('nothing is reported to Apollo, even with APOLLO_KEY', async () => {
  vi.stubEnv('APOLLO_KEY', 'service:conduit:of-another-program');
  vi.stubEnv('APOLLO_GRAPH_REF', 'conduit@main');
  vi.stubEnv('APOLLO_SCHEMA_REPORTING', 'true');
  const fetched = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('No request is expected.'));
  const readiness = new Readiness(orm, null, 'not checked');
  const server = await buildServer({ em: orm.em, log: pino({ level: 'silent' }), settings, readiness });
  const { statusCode } = await server.inject({ method: 'POST', url: '/graphql', payload: { query: '{ __typename }' } });
  await server.close();
  expect(statusCode).toBe(200);
  expect(fetched).not.toHaveBeenCalled();
});
