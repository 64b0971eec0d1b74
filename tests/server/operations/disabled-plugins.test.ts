import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { Readiness } from '../../../src/server/http/health.ts';
import { buildServer } from '../../../src/server/server.ts';
import { orm, settings } from '../../support/blog.ts';

test('nothing is reported to Apollo, also where the environment has a key for that', async () => {
  vi.stubEnv('APOLLO_KEY', 'service:conduit:of-another-program');
  vi.stubEnv('APOLLO_GRAPH_REF', 'conduit@main');
  vi.stubEnv('APOLLO_SCHEMA_REPORTING', 'true');
  const asked = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('Nobody is asked anything.'));
  const readiness = new Readiness(orm, null, 'not checked');
  const server = await buildServer({ em: orm.em, log: pino({ level: 'silent' }), settings, readiness });
  const { statusCode } = await server.inject({ method: 'POST', url: '/graphql', payload: { query: '{ __typename }' } });
  await server.close();
  expect(statusCode).toBe(200);
  expect(asked).not.toHaveBeenCalled();
});
