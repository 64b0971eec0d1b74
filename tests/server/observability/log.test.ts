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
