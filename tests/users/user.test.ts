import { expect, test } from 'vitest';
import { RegisterDocument } from '../../schema/generated/graphql.ts';
import { blog } from '../support/blog.ts';

test('a blank address is blank, and not invalid besides', async () => {
  const input = { username: 'ann', email: '  ', password: 'secret-secret' };
  expect(await blog(RegisterDocument, { input })).toFailWith('BLANK input email');
});
