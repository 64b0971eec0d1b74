// @module-tag security
import { expect, test } from 'vitest';
import { aSession, aUser, PASSWORD, type Person } from '../../support/test-data.ts';
import { executeGraphql, orm } from '../../support/test-server.ts';
import { scaled, sendQuery } from './rig.ts';

/**
 * Tokens that were valid a moment ago. One server revokes the token; as soon as it has responded, a request to another
 * server, which accepted the token until then, must be refused.
 */

const EACH = scaled(200, 5);

/** What revokes a token. */
const REVOCATIONS: Record<string, (ann: Person) => Promise<unknown>> = {
  'signing out': (as) => executeGraphql('mutation { logout { ok } }', { as }),
  'signing out everywhere, elsewhere': async (ann) =>
    executeGraphql('mutation { logout(input: { everywhere: true }) { ok } }', { as: await aSession(ann) }),
  'a new password, elsewhere': async (ann) =>
    executeGraphql('mutation { updateViewer(input: { password: "another-password" }) { errors { code } } }', {
      as: await aSession(ann),
    }),
  'a refresh token used again after ten seconds': async ({ refreshToken }) => {
    const query = `mutation { refreshSession(input: { refreshToken: "${refreshToken}" }) { errors { code } } }`;
    await executeGraphql(query);
    await orm.em.fork().execute(`update sessions set refreshed_at = refreshed_at - interval '11 seconds'`);
    return executeGraphql(query);
  },
  'a deleted account': (as) =>
    executeGraphql(`mutation { deleteViewer(input: { password: "${PASSWORD}" }) { errors { code } } }`, { as }),
};

test.each(Object.entries(REVOCATIONS))(
  '%s revokes a token for the next request, on every server',
  async (way, revoke) => {
    const accepted: string[] = [];
    let late = 0;
    for (let count = 0; count < EACH; count += 1) {
      const ann = await aUser(`ann${count}`);
      const isAccepted = async () => (await ask(ann)).includes(ann.email);
      expect(await isAccepted()).toBe(true);
      const meanwhile = Array.from({ length: 5 }, isAccepted);
      await revoke(ann);
      const response = await ask(ann);
      if (!response.includes('UNAUTHENTICATED') || response.includes(ann.email)) accepted.push(response);
      late += (await Promise.all(meanwhile)).filter(Boolean).length;
    }
    console.log(`${way}: ${EACH} tokens revoked, ${accepted.length} accepted afterwards; ${late} used meanwhile`);
    expect(accepted).toEqual([]);
  },
);

const ask = async ({ token }: Person) =>
  (await sendQuery('{ viewer { email } }', {}, { authorization: `Token ${token}` })).text;
