import { expect, test } from 'vitest';
import { User } from '../../../src/users/user.entity.ts';
import { blog, orm, sessions } from '../../support/blog.ts';
import { aUser, PASSWORD, type Person } from '../../support/people.ts';
import { scaled, sendQuery } from './rig.ts';

/**
 * A token that was good a moment ago. What ends it is asked of one server, and as soon as that has answered, another one,
 * which was using the token all the while, is asked whether it still takes it.
 */

const EACH = scaled(200, 5);

/** What ends the token; answers whether it was done. */
const WAYS: Record<string, (ann: Person) => Promise<unknown>> = {
  'signing out': (as) => blog('mutation { logout { ok } }', { as }),
  'signing out everywhere, elsewhere': async (ann) =>
    blog('mutation { logout(input: { everywhere: true }) { ok } }', { as: await elsewhere(ann) }),
  'a new password, elsewhere': async (ann) =>
    blog('mutation { updateViewer(input: { password: "another-password" }) { errors { code } } }', {
      as: await elsewhere(ann),
    }),
  'a refresh token used twice': async ({ refreshToken }) => {
    const query = `mutation { refreshSession(input: { refreshToken: "${refreshToken}" }) { errors { code } } }`;
    await blog(query);
    return blog(query);
  },
  'a deleted account': (as) =>
    blog(`mutation { deleteViewer(input: { password: "${PASSWORD}" }) { errors { code } } }`, { as }),
};

test.each(Object.entries(WAYS))('%s ends a token with the next request, on every server', async (way, end) => {
  const taken: string[] = [];
  let late = 0;
  for (let count = 0; count < EACH; count += 1) {
    const ann = await aUser(`ann${count}`);
    const isTaken = async () => (await ask(ann)).includes(ann.email);
    expect(await isTaken()).toBe(true);
    const meanwhile = Array.from({ length: 5 }, isTaken);
    await end(ann);
    const answer = await ask(ann);
    if (!answer.includes('UNAUTHENTICATED') || answer.includes(ann.email)) taken.push(answer);
    late += (await Promise.all(meanwhile)).filter(Boolean).length;
  }
  console.log(`${way}: ${EACH} tokens ended, ${taken.length} taken afterwards; ${late} uses before`);
  expect(taken).toEqual([]);
});

const ask = async ({ token }: Person) =>
  (await sendQuery('{ viewer { email } }', {}, { authorization: `Token ${token}` })).text;

async function elsewhere({ id }: Person) {
  const em = orm.em.fork();
  return sessions.open(em, em.getReference(User, id));
}
