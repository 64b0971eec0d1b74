import { describe, expect, test } from 'vitest';
import {
  type CurrentUserQuery,
  DeleteUserDocument,
  FollowUserDocument,
  LoginDocument,
  ProfileDocument,
  RegisterDocument,
  UnfollowUserDocument,
  UpdateUserDocument,
} from '../../schema/generated/graphql.ts';
import { Article } from '../../src/articles/article.entity.ts';
import { Comment } from '../../src/comments/comment.entity.ts';
import { User } from '../../src/users/user.entity.ts';
import { aComment, anArticle, aUser, PASSWORD, reload } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

const EMOJI = '🐉';
const account = { username: 'ann', email: 'ann@example.com', password: 'secret-secret' };
const register = (changes: object = {}) => executeGraphql(RegisterDocument, { input: { ...account, ...changes } });
const users = () => orm.em.fork().count(User);

/** Values that both registering and updating refuse. */
const REFUSED: [field: string, what: string, value: string, code: string, limit?: number][] = [
  ['username', 'blank', ' \t\n', 'BLANK'],
  ['username', 'of 51 characters', 'x'.repeat(51), 'TOO_LONG', 50],
  ['username', 'of 51 emoji', EMOJI.repeat(51), 'TOO_LONG', 50],
  ['username', 'with a NUL', 'an\0n', 'INVALID'],
  ['username', 'with half a character', 'ann\ud83d', 'INVALID'],
  ['username', 'with white space after it', 'ann ', 'INVALID'],
  ['username', 'with a line break after it', 'ann\n', 'INVALID'],
  ['username', 'with a space of no width', 'an\u200bn', 'INVALID'],
  ['username', 'of invisible letters', '\u3164\u1160', 'INVALID'],
  ['username', 'with a joiner that joins nothing', 'ann\u200d', 'INVALID'],
  ['username', 'with a joiner after an emoji', 'ann😀\u200d', 'INVALID'],
  ['username', 'with a joiner between letters that do not join', 'a\u200db', 'INVALID'],
  ['username', 'with a space of no width after an emoji', 'ann😀\u200b', 'INVALID'],
  ['username', 'with two variation selectors', 'ann❤\ufe0f\ufe0f', 'INVALID'],
  ['username', 'with a hidden message in tags', 'ann😀\u{e0061}\u{e0062}', 'INVALID'],
  ['username', 'with a soft hyphen', 'an\u00adn', 'INVALID'],
  ['username', 'with a line separator', 'an\u2028n', 'INVALID'],
  ['username', 'with a space of Braille after it', 'ann\u2800', 'INVALID'],
  ['username', 'of a space of Braille', '\u2800', 'INVALID'],
  ['username', 'of a letter that fills', '\u3164', 'INVALID'],
  ['username', 'of a half-width letter that fills', '\uffa0', 'INVALID'],
  ['username', 'of an accent', '\u0301', 'INVALID'],
  ['username', 'of a null notehead', '\u{1d159}', 'INVALID'],
  ['username', 'with a private character', 'ann\ue000', 'INVALID'],
  ['username', 'with a character that Unicode does not define', 'ann\u0378', 'INVALID'],
  ['username', 'with a control character', 'an\u0007n', 'INVALID'],
  ['username', 'with a change of text direction', '\u202enna', 'INVALID'],
  ['username', 'with a mark of text direction after it', 'ann\u200f', 'INVALID'],
  ['email', 'blank', ' ', 'BLANK'],
  ['email', 'without @', 'ann.example.com', 'INVALID'],
  ['email', 'with two @', 'ann@home@example.com', 'INVALID'],
  ['email', 'with nothing before @', '@example.com', 'INVALID'],
  ['email', 'with nothing after @', 'ann@', 'INVALID'],
  ['email', 'with white space', 'ann smith@example.com', 'INVALID'],
  ['email', 'with a space of no width before it', '\u200bann@example.com', 'INVALID'],
  ['email', 'with a letter that fills', 'ann\u3164@example.com', 'INVALID'],
  ['email', 'with a control character', 'ann\u0007@example.com', 'INVALID'],
  ['email', 'with a change of text direction', 'ann@\u202eexample.com', 'INVALID'],
  ['email', 'of 255 characters', `${'x'.repeat(243)}@example.com`, 'TOO_LONG', 254],
  ['email', 'with a NUL', 'ann\0@example.com', 'INVALID'],
  ['email', 'with half a character', 'ann\udc09@example.com', 'INVALID'],
  ['password', 'of 7 characters', 'x'.repeat(7), 'TOO_SHORT', 8],
  ['password', 'of 7 emoji, which are 14 code units', EMOJI.repeat(7), 'TOO_SHORT', 8],
  ['password', 'of 129 characters', 'x'.repeat(129), 'TOO_LONG', 128],
  ['password', 'with a NUL', 'secret\0secret', 'INVALID'],
  ['password', 'with half a character', 'secret-secret\ud83d', 'INVALID'],
];

const ACCEPTED: [field: string, what: string, value: string][] = [
  ['username', 'of 1 character', 'x'],
  ['username', 'of 50 emoji', EMOJI.repeat(50)],
  ['username', 'of any script and sign', 'Änne O’Neill-王 <b>'],
  ['username', 'with emoji that are joined', '👩🏽\u200d💻 ❤\ufe0f'],
  ['username', 'with the joiner of its script', 'علی\u200cرضا'],
  ['username', 'with the joiners of Devanagari and Bengali', 'क्\u200dष র\u200d\u09cdযা'],
  [
    'username',
    'with a flag of tags and a keycap',
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} 1\ufe0f\u20e3',
  ],
  ['username', 'with a variant of a Han character', '葛\u{e0100}西'],
  ['username', 'in Braille', '⠁⠝⠝\u2800⠃'],
  ['username', 'that means something to JavaScript', '__proto__'],
  ['email', 'of 254 characters', `${'x'.repeat(242)}@example.com`],
  ['email', 'of any script', 'änne@bücher.example'],
  ['password', 'of 8 characters', 'x'.repeat(8)],
  ['password', 'of 128 emoji', EMOJI.repeat(128)],
];

describe('registering', () => {
  test.each(REFUSED)('refuses a %s %s', async (field, _, value, code, limit = null as never) => {
    const response = await register({ [field]: value });
    expect(response).toFailWith(`${code} input ${field}`);
    expect(response.data.register).toMatchObject({
      viewer: null,
      token: null,
      refreshToken: null,
      errors: [{ limit }],
    });
    expect(await users()).toBe(0);
  });

  test.each(ACCEPTED)('accepts a %s %s and stores it unchanged', async (field, _, value) => {
    const { data } = await register({ [field]: value });
    expect(data.register?.errors).toEqual([]);
    const given = { ...account, [field]: value };
    const { email, password } = given;
    const login = await executeGraphql(LoginDocument, { input: { email, password } });
    const stored = {
      username: login.data.login?.viewer?.user.username,
      email: login.data.login?.viewer?.email,
      password,
    };
    expect(stored).toEqual(given);
  });

  test('reports every error at once', async () => {
    expect(await register({ username: '', email: 'ann', password: 'short' })).toFailWith(
      'BLANK input username',
      'INVALID input email',
      'TOO_SHORT input password',
    );
  });

  test('reports a blank email only as BLANK', async () => {
    expect(await register({ email: '  ' })).toFailWith('BLANK input email');
  });

  test.each([
    ['ann', 'ANN'],
    ['Straße', 'STRASSE'],
    ['ｆｕｌｌ', 'full'],
    ['caf\u00e9', 'cafe\u0301'],
    ['Ὀδυσσεύς', 'ὈΔΥΣΣΕΎΣ'],
    ['ann❤', 'ann❤\ufe0f'],
    ['علی\u200cرضا', 'علیرضا'],
    ['ann smith', 'ann\u00a0 smith'],
  ])('refuses a username with the case-folded form of another: %s and %s', async (first, second) => {
    expect(await register({ username: first })).toSucceed();
    expect(await register({ username: second, email: 'other@example.com' })).toFailWith('TAKEN input username');
    expect(await users()).toBe(1);
    const { data } = await executeGraphql(ProfileDocument, { username: second });
    expect(data.user?.username).toBe(first);
  });

  test('refuses an email that differs from another only in case', async () => {
    await register();
    expect(await register({ username: 'other', email: 'Ann@EXAMPLE.com' })).toFailWith('TAKEN input email');
  });

  test.each<[what: string, changes: object, ...errors: string[]]>([
    ['a taken username and a taken email', {}, 'TAKEN input username', 'TAKEN input email'],
    [
      'those in another case',
      { username: 'ANN', email: 'ANN@example.com' },
      'TAKEN input username',
      'TAKEN input email',
    ],
    ['those of two accounts', { email: 'bob@example.com' }, 'TAKEN input username', 'TAKEN input email'],
    [
      'both, with a short password',
      { password: 'x' },
      'TAKEN input username',
      'TAKEN input email',
      'TOO_SHORT input password',
    ],
    ['a taken username and an invalid email', { email: 'ann' }, 'TAKEN input username', 'INVALID input email'],
    ['a blank username and a taken email', { username: ' ' }, 'BLANK input username', 'TAKEN input email'],
    [
      'a taken email and a blank password',
      { username: 'new', password: '' },
      'TAKEN input email',
      'BLANK input password',
    ],
  ])('refuses %s with all the errors', async (_, changes, ...errors) => {
    await aUser('ann');
    await aUser('bob');
    expect(await register(changes)).toFailWith(...errors);
    expect(await users()).toBe(2);
  });
});

describe('updating the account', () => {
  test.each(REFUSED)('refuses a %s %s and changes nothing', async (field, _, value, code, limit = null as never) => {
    const ann = await aUser('ann');
    const before = await orm.em.fork().execute('select * from users');
    const response = await executeGraphql(UpdateUserDocument, { as: ann, input: { bio: 'I write.', [field]: value } });
    expect(response).toFailWith(`${code} input ${field}`);
    expect(response.data.updateViewer).toMatchObject({ viewer: null, token: null, errors: [{ limit }] });
    expect(await orm.em.fork().execute('select * from users')).toEqual(before);
  });

  test.each([
    ['bio', 'of 1,001 characters', 'x'.repeat(1001), 'TOO_LONG', 1000],
    ['bio', 'of 1,001 emoji', EMOJI.repeat(1001), 'TOO_LONG', 1000],
    ['bio', 'with a NUL', 'I\0write', 'INVALID', null],
    ['bio', 'with half a character', '\ud83d', 'INVALID', null],
    ['bio', 'with a control character', 'I\u0007write', 'INVALID', null],
    ['bio', 'with a reversed direction', 'I \u202ewrite\u202c', 'INVALID', null],
    ['bio', 'with a direction that does not end', 'I \u2067write', 'INVALID', null],
    ['bio', 'of nothing but a reversed direction', '\u202e', 'INVALID', null],
    ['bio', 'of nothing but a direction that does not end', '\u2067', 'INVALID', null],
    ['image', 'without a scheme', 'example.com/ann.png', 'INVALID', null],
    ['image', 'of another scheme', 'javascript:alert(1)', 'INVALID', null],
    ['image', 'of data', 'data:image/png;base64,AAAA', 'INVALID', null],
    ['image', 'without a host', 'https://', 'INVALID', null],
    ['image', 'with white space', 'https://example.com/a b.png', 'INVALID', null],
    ['image', 'with three slashes', 'https:///x.png', 'INVALID', null],
    ['image', 'with one slash', 'https:/example.com/x.png', 'INVALID', null],
    ['image', 'with backslashes', 'https:\\\\example.com\\x.png', 'INVALID', null],
    ['image', 'with a tab in it', 'https://example.com/\tx.png', 'INVALID', null],
    ['image', 'with an empty label in its host', 'https://a..b/', 'INVALID', null],
    ['image', 'with an ending quote', 'https://x/"><script>', 'INVALID', null],
    ['image', 'with quotes in its host', 'https://"onerror="alert(1)"/x', 'INVALID', null],
    ['image', 'with a backtick in its host', 'https://a`b/', 'INVALID', null],
    ['image', 'with braces in its host', 'https://{a}/', 'INVALID', null],
    ['image', 'with single quotes in its host', "https://'onerror='alert(1)'/x", 'INVALID', null],
    ['image', 'with a comma in its host', 'https://a,b/', 'INVALID', null],
    ['image', 'with a backtick in its query', 'https://example.com/?a=`b`', 'INVALID', null],
    ['image', 'with braces in its query', 'https://example.com/?{a}', 'INVALID', null],
    ['image', 'with a bar in its path', 'https://example.com/a|b', 'INVALID', null],
    ['image', 'with a number for a host', 'https://2130706433/', 'INVALID', null],
    ['image', 'with half an IP address for a host', 'https://127.1/', 'INVALID', null],
    ['image', 'with an encoded host', 'https://ex%61mple.com/', 'INVALID', null],
    ['image', 'with a password', 'https://ann:secret@example.com/', 'INVALID', null],
    ['image', 'with a path that goes up', 'https://example.com/a/../x.png', 'INVALID', null],
    ['image', 'with half an encoded character', 'https://example.com/%zz', 'INVALID', null],
    ['image', 'with a port that is none', 'https://example.com:99999/', 'INVALID', null],
    ['image', 'with a label of 64 characters', `https://${'x'.repeat(64)}.com/`, 'INVALID', null],
    ['image', 'that is too long once it is encoded', `https://example.com/${'ä'.repeat(2000)}`, 'TOO_LONG', 2048],
    ['image', 'of white space', '   ', 'INVALID', null],
    ['image', 'of 2,049 characters', `https://example.com/${'x'.repeat(2029)}`, 'TOO_LONG', 2048],
    ['image', 'with a NUL', 'https://example.com/\0', 'INVALID', null],
  ])('refuses a %s %s', async (field, _, value, code, limit) => {
    const ann = await aUser('ann');
    const response = await executeGraphql(UpdateUserDocument, { as: ann, input: { [field]: value } });
    expect([...new Set(response.data.updateViewer?.errors.map(({ path }) => path?.join(' ')))]).toEqual([
      `input ${field}`,
    ]);
    expect(response.data.updateViewer?.errors).toContainEqual(expect.objectContaining({ code, limit }));
    expect(await reload(await orm.em.fork().findOneOrFail(User, ann.id))).toMatchObject({ bio: null, image: null });
  });

  test.each([
    ['bio', 'of 1,000 emoji', EMOJI.repeat(1000)],
    ['bio', 'of lines and signs', ' \r\n\t<b>"\\ \u2067שלום\u2069 \u00ad\u200b '],
    ['image', 'of 2,048 characters', `https://example.com/${'x'.repeat(2028)}`],
    ['image', 'with a query and a fragment', "https://example.com/a[1].png?u=https://a.b/&x=%20#'face'"],
    ['image', 'of an IP address', 'http://127.0.0.1:8080/x.png'],
    ['image', 'with an ending dot in its host', 'https://example.com./'],
    ['image', 'with an underscore in its host', 'https://my_blog.example.com/'],
  ])('stores a %s %s unchanged', async (field, _, value) => {
    const ann = await aUser('ann');
    const { data } = await executeGraphql(UpdateUserDocument, { as: ann, input: { [field]: value } });
    expect(data.updateViewer).toMatchObject({ errors: [], viewer: { user: { [field]: value } } });
    expect((await executeGraphql(ProfileDocument, { username: 'ann' })).data.user).toMatchObject({ [field]: value });
  });

  test.each(['', ' ', '\n\t', '\u200b', '\u3164', '\u0301'])('clears a bio that becomes %j', async (bio) => {
    const ann = await aUser('ann');
    await executeGraphql(UpdateUserDocument, { as: ann, input: { bio: 'I write' } });
    const { data } = await executeGraphql(UpdateUserDocument, { as: ann, input: { bio } });
    expect(data.updateViewer).toMatchObject({ errors: [], viewer: { user: { bio: null } } });
  });

  test.each([
    ['https://example.com', 'https://example.com/'],
    ['HTTP://Example.com:80/Änne.png?size=1&x=%20#face', 'http://example.com/%C3%84nne.png?size=1&x=%20#face'],
    ['https://Bücher.example/x', 'https://xn--bcher-kva.example/x'],
    ["https://example.com/?q='x'", 'https://example.com/?q=%27x%27'],
  ])('stores the image %s as it is serialized', async (image, serialized) => {
    const ann = await aUser('ann');
    const { data } = await executeGraphql(UpdateUserDocument, { as: ann, input: { image } });
    expect(data.updateViewer).toMatchObject({ errors: [], viewer: { user: { image: serialized } } });
    const again = await executeGraphql(UpdateUserDocument, { as: ann, input: { image: serialized } });
    expect(again.data.updateViewer).toMatchObject({ errors: [], viewer: { user: { image: serialized } } });
  });

  test('keeps absent fields unchanged', async () => {
    const ann = await aUser('ann');
    const image = 'https://example.com/ann.png';
    await executeGraphql(UpdateUserDocument, { as: ann, input: { bio: 'I write.', image } });
    for (const input of [{}, { username: 'anna' }, { email: 'anna@example.com' }]) {
      const { data } = await executeGraphql(UpdateUserDocument, { as: ann, input });
      expect(data.updateViewer?.viewer?.user).toMatchObject({ bio: 'I write.', image });
    }
    const { data } = await executeGraphql<CurrentUserQuery, object>(
      '{ viewer { email user { username bio image } } }',
      {
        as: ann,
      },
    );
    expect(data.viewer).toEqual({ email: 'anna@example.com', user: { username: 'anna', bio: 'I write.', image } });
  });

  test.each([['bio'], ['image']])('clears only the %s, with null and with ""', async (field) => {
    const ann = await aUser('ann');
    const full = { bio: 'I write.', image: 'https://example.com/ann.png' };
    for (const nothing of [null, '']) {
      await executeGraphql(UpdateUserDocument, { as: ann, input: full });
      const { data } = await executeGraphql(UpdateUserDocument, { as: ann, input: { [field]: nothing } });
      expect(data.updateViewer?.viewer?.user).toMatchObject({ ...full, [field]: null });
      const [row] = await orm.em.fork().execute(`select ${field} from users`);
      expect(row).toEqual({ [field]: null });
    }
  });

  test.each([['username'], ['email'], ['password']])('refuses null and "" for the %s', async (field) => {
    const ann = await aUser('ann');
    for (const nothing of [null, '']) {
      const response = await executeGraphql(UpdateUserDocument, {
        as: ann,
        input: { bio: 'I write.', [field]: nothing },
      });
      expect(response).toFailWith(`BLANK input ${field}`);
    }
    expect((await executeGraphql(ProfileDocument, { username: 'ann' })).data.user?.bio).toBeNull();
  });

  test('refuses a taken username or email, but accepts its own in another case', async () => {
    const ann = await aUser('ann');
    await aUser('bob');
    const change = (input: object) => executeGraphql(UpdateUserDocument, { as: ann, input });
    expect(await change({ username: 'BOB' })).toFailWith('TAKEN input username');
    expect(await change({ email: 'Bob@example.com' })).toFailWith('TAKEN input email');
    expect(await change({ username: 'Ann', email: 'ANN@example.com' })).toSucceed();
    expect((await executeGraphql(ProfileDocument, { username: 'ann' })).data.user?.username).toBe('Ann');
  });

  test.each<[what: string, changes: object, ...errors: string[]]>([
    ['a taken username and a taken email', {}, 'TAKEN input username', 'TAKEN input email'],
    ['those of two accounts', { email: 'eve@example.com' }, 'TAKEN input username', 'TAKEN input email'],
    [
      'both, with a short password',
      { password: 'x' },
      'TAKEN input username',
      'TAKEN input email',
      'TOO_SHORT input password',
    ],
    [
      'a taken username and an invalid image',
      { email: undefined, image: 'x' },
      'TAKEN input username',
      'INVALID input image',
    ],
    ['null for the username and a taken email', { username: null }, 'BLANK input username', 'TAKEN input email'],
    ['its own username and a taken email', { username: 'ann' }, 'TAKEN input email'],
  ])('refuses %s with all the errors, and changes nothing', async (_, changes, ...errors) => {
    const ann = await aUser('ann');
    await aUser('bob');
    await aUser('eve');
    const before = await orm.em.fork().execute('select * from users order by id');
    const input = { username: 'bob', email: 'bob@example.com', bio: 'I write.', ...changes };
    expect(await executeGraphql(UpdateUserDocument, { as: ann, input })).toFailWith(...errors);
    expect(await orm.em.fork().execute('select * from users order by id')).toEqual(before);
  });

  test('frees the old name', async () => {
    const ann = await aUser('ann');
    await executeGraphql(UpdateUserDocument, { as: ann, input: { username: 'anna' } });
    expect((await executeGraphql(ProfileDocument, { username: 'ann' })).data.user).toBeNull();
    expect(await register({ email: 'new@example.com' })).toSucceed();
  });
});

describe('finding a user', () => {
  test.each([
    ['a user', 'query($name: String!) { user(by: { username: $name }) { id } }', { user: null }],
    [
      'articles',
      'query($name: String!) { articles(filter: { author: $name }) { totalCount } }',
      { articles: { totalCount: 0 } },
    ],
    [
      'an account',
      'mutation($name: String!) { login(input: { email: $name, password: "x" }) { errors { code } } }',
      { login: { errors: [{ code: 'INVALID_CREDENTIALS' }] } },
    ],
  ])('by as many accents as a request can hold finds none, and quickly: %s', async (_, query, found) => {
    const name = '\u0301\u0316'.repeat(300_000); // putting these in order would take minutes
    expect((await executeGraphql(query, { name })).data).toEqual(found);
  });

  test('by a name with decomposed accents finds the composed form', async () => {
    await aUser('zoë'.normalize('NFC').repeat(16));
    const query = 'query($name: String!) { user(by: { username: $name }) { isViewer } }';
    const { data } = await executeGraphql<any, { name: string }>(query, { name: 'ZOË'.normalize('NFD').repeat(16) });
    expect(data).toEqual({ user: { isViewer: false } });
  });
});

describe('following', () => {
  test('and unfollowing are idempotent', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    const input = { user: { username: 'ann' } };
    for (const _ of [1, 2]) {
      const { data } = await executeGraphql(FollowUserDocument, { as: bob, input });
      expect(data.followUser).toMatchObject({ errors: [], user: { viewerIsFollowing: true, followersCount: 1 } });
    }
    for (const _ of [1, 2]) {
      const { data } = await executeGraphql(UnfollowUserDocument, { as: bob, input });
      expect(data.unfollowUser).toMatchObject({ errors: [], user: { viewerIsFollowing: false, followersCount: 0 } });
    }
    expect((await executeGraphql(ProfileDocument, { username: ann.username })).data.user?.followersCount).toBe(0);
  });

  test('works by id, and by name ignoring case', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    const id = Buffer.from(`User:${ann.id}`).toString('base64url');
    expect(await executeGraphql(FollowUserDocument, { as: bob, input: { user: { id } } })).toSucceed();
    expect(await executeGraphql(UnfollowUserDocument, { as: bob, input: { user: { username: 'ANN' } } })).toSucceed();
  });

  test('is not mutual', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    await executeGraphql(FollowUserDocument, { as: bob, input: { user: { username: 'ann' } } });
    const { data } = await executeGraphql<any, object>(
      '{ user(by: { username: "bob" }) { viewerIsFollowing followingCount } }',
      {
        as: ann,
      },
    );
    expect(data.user).toEqual({ viewerIsFollowing: false, followingCount: 1 });
  });

  test('oneself is refused', async () => {
    const ann = await aUser('ann');
    const response = await executeGraphql(FollowUserDocument, { as: ann, input: { user: { username: 'ann' } } });
    expect(response).toFailWith('INVALID input user');
  });

  test('an unknown user is NOT_FOUND', async () => {
    const ann = await aUser('ann');
    for (const user of [{ username: 'nobody' }, { id: 'VXNlcjo5OQ' }, { id: 'QXJ0aWNsZTox' }, { username: 'a\0' }]) {
      const response = await executeGraphql(FollowUserDocument, { as: ann, input: { user } });
      expect(response).toFailWith('NOT_FOUND input user');
      expect(response.data.followUser?.errors).toMatchObject([{ resource: 'USER' }]);
    }
  });
});

describe('deleting the account', () => {
  test('deletes its articles with their comments, and its favourites and follows', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    const hers = await anArticle({ by: ann, tagList: ['hers', 'both'] });
    const his = await anArticle({ by: bob, title: 'His', tagList: ['both'] });
    await aComment({ on: hers, by: bob });
    await aComment({ on: hers, by: ann });
    const em = orm.em.fork();
    await em.execute(
      `insert into favorites (user_id, article_id) values (${ann.id}, ${his.id}), (${bob.id}, ${hers.id})`,
    );
    await em.execute(
      `insert into follows (follower_id, followed_id) values (${ann.id}, ${bob.id}), (${bob.id}, ${ann.id})`,
    );

    const { data } = await executeGraphql(DeleteUserDocument, { as: ann, input: { password: PASSWORD } });
    expect(data.deleteViewer).toMatchObject({
      deletedId: Buffer.from(`User:${ann.id}`).toString('base64url'),
      errors: [],
    });
    expect(await em.find(Article, {}, { fields: ['title'] })).toMatchObject([{ title: 'His' }]);
    expect(await em.count(Comment)).toBe(0);
    expect(await em.execute('select * from favorites')).toEqual([]);
    expect(await em.execute('select * from follows')).toEqual([]);

    const left = await executeGraphql<any, object>(
      `{
        user(by: { username: "bob" }) { followersCount followingCount articlesCount favorites { totalCount } }
        article(by: { slug: "his" }) { favoritesCount }
        articles { totalCount }
        tags { nodes { name articlesCount } }
      }`,
    );
    expect(left.data).toEqual({
      user: { followersCount: 0, followingCount: 0, articlesCount: 1, favorites: { totalCount: 0 } },
      article: { favoritesCount: 0 },
      articles: { totalCount: 1 },
      tags: { nodes: [{ name: 'both', articlesCount: 1 }] },
    });
  });

  test('keeps its comments on other articles, without an author', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    const comment = await aComment({ on: await anArticle({ by: bob, title: 'His' }), by: ann, body: 'Well said.' });
    await executeGraphql(DeleteUserDocument, { as: ann, input: { password: PASSWORD } });
    const { data } = await executeGraphql<any, object>(
      `{ article(by: { slug: "his" }) { commentsCount comments { totalCount nodes {
        databaseId body author { username } viewerCanUpdate viewerCanDelete
      } } } }`,
      { as: bob },
    );
    const left = { databaseId: comment.id, body: 'Well said.', author: null, viewerCanUpdate: false };
    expect(data.article).toEqual({
      commentsCount: 1,
      comments: { totalCount: 1, nodes: [{ ...left, viewerCanDelete: true }] },
    });
  });

  test('frees its name and email', async () => {
    const ann = await aUser('ann');
    await executeGraphql(DeleteUserDocument, { as: ann, input: { password: PASSWORD } });
    expect((await executeGraphql(ProfileDocument, { username: 'ann' })).data.user).toBeNull();
    expect(await register()).toSucceed();
  });

  test('does not change other accounts', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    const his = await orm.em.fork().findOneOrFail(User, bob.id);
    const before = await reload(his);
    await executeGraphql(DeleteUserDocument, { as: ann, input: { password: PASSWORD } });
    expect(await reload(his)).toEqual(before);
  });
});
