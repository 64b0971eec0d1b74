import { expect, test } from 'vitest';
import { createLogger } from '../../../src/server/observability/log.ts';

const lines: string[] = [];
const log = createLogger('info', { write: (line) => lines.push(line) });
const written = () => JSON.parse(lines.splice(0).join(''));

test('secrets are redacted from the log, at any depth and of any type', () => {
  const input = {
    email: 'ann@example.com',
    Password: 'hunter2',
    sessions: [{ token: ['a', 'b'], refreshToken: null }],
  };
  log.info({ request: { headers: { Authorization: 'Token abc' }, body: { input } }, secretKey: { key: 'k' } }, 'asked');
  expect(written()).toMatchObject({
    msg: 'asked',
    secretKey: '[secret]',
    request: {
      headers: { Authorization: '[secret]' },
      body: {
        input: {
          email: 'ann@example.com',
          Password: '[secret]',
          sessions: [{ token: '[secret]', refreshToken: '[secret]' }],
        },
      },
    },
  });
});

test('text that mentions passwords is logged unchanged', () => {
  log.info({ title: 'How to choose a "password": it is long', tokens: 3 }, 'said "token":');
  expect(written()).toMatchObject({
    title: 'How to choose a "password": it is long',
    tokens: 3,
    msg: 'said "token":',
  });
});

test('each event is one line', () => {
  log.info({ password: 'a\nb' }, 'one\nevent');
  expect(lines.splice(0)).toEqual([expect.stringMatching(/^\{.*\}\n$/)]);
});

test('a terminal shows what happened, without the fields that programs read, and without secrets', () => {
  const shown: string[] = [];
  const terminal = createLogger('info', { write: (line) => shown.push(line) }, true);
  terminal.info({ token: 'a secret' }, 'GraphQL at http://localhost:4000/graphql');
  terminal.info({ number: 3, of: 45 }, 'Applied Migration20261121030753_create_comments');
  terminal.warn('The disk is nearly full');
  const request = { method: 'POST', status: 200, ms: 12.3, type: 'mutation', field: 'login', user: 7 };
  terminal.info({ ...request, outcome: 'ok' }, 'request');
  terminal.info({ ...request, outcome: 'INVALID_CREDENTIALS' }, 'request');
  terminal.info({ method: 'GET', route: '/api/tags', status: 503, ms: 1, type: 'none', field: 'none' }, 'request');
  terminal.error({ err: new Error("duplicate key 'ann'") }, 'Unhandled error');
  expect(shown.slice(0, -1)).toEqual([
    'GraphQL at http://localhost:4000/graphql\n',
    'Applied Migration20261121030753_create_comments (3 of 45)\n',
    'Warning: The disk is nearly full\n',
    'POST mutation login 200 12.3 ms\n',
    'POST mutation login 200 12.3 ms INVALID_CREDENTIALS\n',
    'GET /api/tags 503 1 ms\n',
  ]);
  expect(shown.at(-1)).toMatch(/^Error: Unhandled error\nError: duplicate key '…'\n +at /);
});
