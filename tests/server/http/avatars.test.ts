import { expect, test } from 'vitest';
import { address } from '../../support/test-server.ts';

const avatar = (name: string) => fetch(`${address}/avatars/${encodeURIComponent(name)}.svg`);
const drawn = async (name: string) => (await avatar(name)).text();

test('a name always has the same face, another name another one', async () => {
  expect(await drawn('johndoe')).toBe(await drawn('johndoe'));
  expect(await drawn('johndoe')).not.toBe(await drawn('mira'));
});

test('pages of every origin may show a face, and browsers keep it', async () => {
  const { status, headers } = await avatar('johndoe');
  expect([status, headers.get('content-type')]).toEqual([200, 'image/svg+xml; charset=utf-8']);
  expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
  expect(headers.get('cache-control')).toMatch(/^public, max-age=/);
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
});

test.each([
  'a.b',
  'a.svg',
  '张伟',
  'a/b',
  ' ',
  '</svg><script>alert(1)</script>',
  '" onload="alert(1)',
  '../../etc/passwd',
])('the face of %j is a drawing without the name in it', async (name) => {
  const response = await avatar(name);
  expect(response.status).toBe(200);
  expect(await response.text()).toMatch(/^<svg [\w:/."= -]+>(<\/?(rect|g|circle|path)( [\w:/."#=(),; -]+)?>)+<\/svg>$/);
});
