// @module-tag security
import { expect, test } from 'vitest';
import { hashPassword, verifyPassword } from '../../src/auth/password.ts';

test('two passwords are hashed at a time, 32 are queued and more are refused', async () => {
  const hashes = await Promise.allSettled(Array.from({ length: 40 }, () => hashPassword('a password')));
  expect(hashes.slice(0, 34).every(({ status }) => status === 'fulfilled')).toBe(true);
  for (const refused of hashes.slice(34)) {
    expect(refused).toMatchObject({ reason: { extensions: { code: 'RATE_LIMITED' } } });
  }
});

test('a queue that is full on the first check without a hash does not break later ones', async () => {
  const hashes = Promise.allSettled(Array.from({ length: 40 }, () => hashPassword('a password')));
  await Promise.allSettled([verifyPassword('a password', null)]);
  expect((await hashes).filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
  await expect(verifyPassword('a password', null)).resolves.toBe(false);
});
