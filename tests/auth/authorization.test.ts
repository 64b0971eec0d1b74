// @module-tag security
import { type GraphQLNamedType, getNamedType, isCompositeType, isObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { introspectSchema } from '../support/schema.ts';
import { aComment, anArticle, aUser, PASSWORD, type Person } from '../support/test-data.ts';
import { type GraphQLResponse, orm, post } from '../support/test-server.ts';

/**
 * Who may do and see what: a guest, another user, the owner. The mutations and fields come from the schema; one without a
 * row here fails a test, so that its authorization is always decided.
 */

const schema = await introspectSchema();

const WHO = ['guest', 'other', 'owner'] as const;
type Who = (typeof WHO)[number];
type Outcome = 'ok' | 'UNAUTHENTICATED' | 'FORBIDDEN' | 'INVALID_CREDENTIALS' | 'INVALID';

interface Row extends Record<Who, Outcome> {
  /** The call, on data of the owner (ann); mutations of the viewer act on the caller. */
  call: string;
}

const onlySignedIn = (call: string): Row => ({ call, guest: 'UNAUTHENTICATED', other: 'ok', owner: 'ok' });
const onlyOwner = (call: string): Row => ({ call, guest: 'UNAUTHENTICATED', other: 'FORBIDDEN', owner: 'ok' });
const everyone = (call: string): Row => ({ call, guest: 'ok', other: 'ok', owner: 'ok' });

const MUTATIONS: Record<string, Row> = {
  register: everyone('register(input: { username: "new", email: "new@example.com", password: "secret-secret" })'),
  login: everyone(`login(input: { email: "ann@example.com", password: "${PASSWORD}" })`),
  refreshSession: everyone('refreshSession(input: { refreshToken: "REFRESH" })'),
  logout: onlySignedIn('logout'),
  updateViewer: onlySignedIn('updateViewer(input: { bio: "I write." })'),
  deleteViewer: onlySignedIn(`deleteViewer(input: { password: "${PASSWORD}" })`),
  // Users cannot follow themselves.
  followUser: { ...onlySignedIn('followUser(input: { user: { username: "ann" } })'), owner: 'INVALID' },
  unfollowUser: onlySignedIn('unfollowUser(input: { user: { username: "ann" } })'),
  createArticle: onlySignedIn('createArticle(input: { title: "New", description: "d", body: "b" })'),
  updateArticle: onlyOwner('updateArticle(input: { article: { slug: "hers" }, title: "Changed" })'),
  deleteArticle: onlyOwner('deleteArticle(input: { article: { slug: "hers" } })'),
  favoriteArticle: onlySignedIn('favoriteArticle(input: { article: { slug: "hers" } })'),
  unfavoriteArticle: onlySignedIn('unfavoriteArticle(input: { article: { slug: "hers" } })'),
  recordArticleRead: everyone('recordArticleRead(input: { article: { slug: "hers" } })'),
  addComment: onlySignedIn('addComment(input: { article: { slug: "hers" }, body: "Well said." })'),
  updateComment: onlyOwner(
    'updateComment(input: { comment: { inArticle: { slug: "bobs", databaseId: 1 } }, body: "Changed" })',
  ),
  deleteComment: onlyOwner('deleteComment(input: { comment: { inArticle: { slug: "cems", databaseId: 2 } } })'),
};

describe('mutations', () => {
  test('all have a row', () => {
    expect(Object.keys(MUTATIONS).toSorted()).toEqual(
      Object.keys(schema.getMutationType()?.getFields() ?? {}).toSorted(),
    );
  });

  const cases = Object.entries(MUTATIONS).flatMap(([name, row]) =>
    WHO.map((who): [string, string, string, Who] => [row[who], name, who, who]),
  );
  test.each(cases)('%s is the result of %s for the %s', async (outcome, name, who) => {
    const people = await aBlog();
    const before = await contents();
    const call = MUTATIONS[name]?.call.replace('REFRESH', people.owner.refreshToken);
    const type = schema.getMutationType()?.getFields()[name]?.type;
    const errors = isObjectType(type) && 'errors' in type.getFields() ? 'errors { code }' : '';
    const response = await ask(`mutation { ${call} { __typename ${errors} } }`, people[who as Who]);
    if (outcome === 'ok') {
      expect(response).toSucceed();
    } else {
      expect(response).toFailWith(outcome);
      expect(await contents()).toEqual(before);
    }
  });
});

/** Who sees a field: everyone the same value, each viewer their own, or only the viewer. */
const FIELDS: Record<string, { public?: string; viewerRelative?: string; private?: string }> = {
  Query: { public: 'node nodes article articles user tag tags search', private: 'viewer' },
  User: {
    public:
      'id username bio image createdAt followersCount followingCount articlesCount articles favorites followers following',
    viewerRelative: 'viewerIsFollowing isViewer',
  },
  Viewer: { private: 'user email feed drafts' },
  Article: {
    public:
      'id slug title description body bodyHtml excerpt readingTimeMinutes coverImage tags tagList author status createdAt updatedAt publishedAt version favoritesCount commentsCount readCount comments',
    viewerRelative: 'viewerHasFavorited viewerCanUpdate viewerCanDelete',
  },
  Comment: {
    public: 'id databaseId body bodyHtml createdAt updatedAt author article',
    viewerRelative: 'viewerCanUpdate viewerCanDelete',
  },
  Tag: { public: 'id name articlesCount articles' },
};

/** Types without data of their own; the types of their fields are classified above. */
const WRAPPERS: Record<string, string> = {
  PageInfo: 'hasNextPage hasPreviousPage startCursor endCursor',
  ...Object.fromEntries(
    ['Article', 'Comment', 'Search', 'Tag', 'User'].flatMap((noun) => [
      [`${noun}Connection`, 'edges nodes pageInfo totalCount'],
      [`${noun}Edge`, 'cursor node'],
    ]),
  ),
  ArticleEdge: 'cursor node textMatches',
  SearchEdge: 'cursor node textMatches',
  TextMatch: 'field fragment',
  // Payloads are returned only to the user who was allowed to act.
  AuthPayload: 'viewer token expiresAt refreshToken errors',
  UpdateViewerPayload: 'viewer token expiresAt errors',
  LogoutPayload: 'ok',
  DeleteViewerPayload: 'deletedId errors',
  FollowPayload: 'user errors',
  ArticlePayload: 'article errors',
  DeleteArticlePayload: 'deletedId deletedSlug errors',
  CommentPayload: 'comment article errors',
  DeleteCommentPayload: 'deletedId article errors',
  ValidationError: 'message sentence code path limit',
  TakenError: 'message sentence code path',
  NotFoundError: 'message sentence code path resource',
  ForbiddenError: 'message sentence code path resource',
  InvalidCredentialsError: 'message sentence code path',
  StaleVersionError: 'message sentence code path currentVersion',
};

const OBJECTS = Object.values(schema.getTypeMap()).filter(
  (type) => isObjectType(type) && !type.name.startsWith('__') && type !== schema.getMutationType(),
);
const fieldsOf = (type: GraphQLNamedType) => (isObjectType(type) ? Object.keys(type.getFields()).toSorted() : []);
const words = (...texts: (string | undefined)[]) => texts.flatMap((text) => text?.split(' ') ?? []).toSorted();

describe('fields', () => {
  test.each(OBJECTS.map((type) => [type.name, type] as const))('of %s are all classified', (name, type) => {
    const { public: open, viewerRelative, private: closed } = FIELDS[name] ?? {};
    expect(words(WRAPPERS[name], open, viewerRelative, closed)).toEqual(fieldsOf(type));
  });

  test('are classified only for existing types', () => {
    const classified = [...Object.keys(FIELDS), ...Object.keys(WRAPPERS)].toSorted();
    expect(classified).toEqual(OBJECTS.map(({ name }) => name).toSorted());
  });

  test.each(words(FIELDS.Viewer?.private))('Viewer.%s is visible only to its owner', async (field) => {
    const people = await aBlog();
    const shown: Record<string, [selection: string, of: (person: Person) => unknown]> = {
      user: ['user { username }', ({ username }) => ({ username })],
      email: ['email', ({ email }) => email],
      // Ann follows Bob, Bob follows Cem.
      feed: [
        'feed { nodes { author { username } } }',
        ({ username }) => ({ nodes: [{ author: { username: username === 'ann' ? 'bob' : 'cem' } }] }),
      ],
      drafts: ['drafts { nodes { title } }', ({ username }) => ({ nodes: [{ title: `Draft by ${username}` }] })],
    };
    const [selection, of] = shown[field] ?? [];
    if (!selection || !of) throw new Error(`Viewer.${field} has no row.`);
    const query = `{ viewer { ${selection} } }`;
    expect((await ask(query, null)).data).toEqual({ viewer: null });
    expect((await ask(query, people.other)).data).toEqual({ viewer: { [field]: of(people.other) } });
    expect((await ask(query, people.owner)).data).toEqual({ viewer: { [field]: of(people.owner) } });
  });

  test('that are public have the same value for every viewer', async () => {
    const people = await aBlog();
    const plain = (type: string) =>
      words(FIELDS[type]?.public).filter((field) => {
        const found = schema.getType(type);
        return isObjectType(found) && !isCompositeType(getNamedType(found.getFields()[field]?.type));
      });
    const query = `{
      user(by: { username: "ann" }) { ${plain('User').join(' ')} followers { nodes { username } } favorites { nodes { slug } } }
      article(by: { slug: "hers" }) { ${plain('Article').join(' ')} tags { ${plain('Tag').join(' ')} } author { username } }
      node(id: "${Buffer.from('Comment:1').toString('base64url')}") { ... on Comment { ${plain('Comment').join(' ')} author { username } } }
    }`;
    const [asGuest, asOther, asOwner] = await Promise.all(WHO.map((who) => ask(query, people[who])));
    expect(asGuest).toSucceed();
    expect(asOther).toEqual(asGuest);
    expect(asOwner).toEqual(asGuest);
  });

  test('of a user contain no private data', async () => {
    const people = await aBlog();
    for (const who of [null, people.other]) {
      const { data } = await ask('{ user(by: { username: "ann" }) { id username bio image createdAt } }', who);
      const shown = JSON.stringify(data);
      const [row] = await orm.em.fork().execute('select * from users where id = 1');
      for (const secret of [row?.email, row?.password_hash, people.owner.token, people.owner.refreshToken]) {
        expect(shown).not.toContain(secret);
      }
    }
  });
});

describe('viewerCan… fields agree with the mutations', () => {
  const ID = (of: string) => Buffer.from(of).toString('base64url');
  const promises: [field: string, thing: string, mutation: string][] = [
    ['viewerCanUpdate', 'Article:1', `updateArticle(input: { article: { id: "ID" }, title: "Changed" })`],
    ['viewerCanDelete', 'Article:1', `deleteArticle(input: { article: { id: "ID" } })`],
    ['viewerCanUpdate', 'Comment:1', `updateComment(input: { comment: { id: "ID" }, body: "Changed" })`],
    ['viewerCanDelete', 'Comment:1', `deleteComment(input: { comment: { id: "ID" } })`],
    ['viewerCanUpdate', 'Comment:2', `updateComment(input: { comment: { id: "ID" }, body: "Changed" })`],
    ['viewerCanDelete', 'Comment:2', `deleteComment(input: { comment: { id: "ID" } })`],
    ['viewerCanUpdate', 'Comment:3', `updateComment(input: { comment: { id: "ID" }, body: "Changed" })`],
    ['viewerCanDelete', 'Comment:3', `deleteComment(input: { comment: { id: "ID" } })`],
  ];

  test('every viewerCan… field has a row', () => {
    const can = OBJECTS.flatMap((type) =>
      fieldsOf(type)
        .filter((field) => field.startsWith('viewerCan'))
        .map((field) => `${type.name}.${field}`),
    );
    const rows = promises.map(([field, thing]) => `${thing.split(':')[0]}.${field}`);
    expect([...new Set(rows)].toSorted()).toEqual(can.toSorted());
  });

  test.each(promises.flatMap(([field, thing, mutation]) => WHO.map((who) => [field, thing, who, mutation] as const)))(
    '%s of %s to the %s',
    async (field, thing, who, mutation) => {
      const people = await aBlog();
      const [type = ''] = thing.split(':');
      const response = await ask(`{ node(id: "${ID(thing)}") { ... on ${type} { ${field} } } }`, people[who]);
      const promised = (response.data as { node: Record<string, boolean> }).node[field];
      const done = await ask(`mutation { ${mutation.replace('ID', ID(thing))} { errors { code } } }`, people[who]);
      if (promised) expect(done).toSucceed();
      else expect(done).toFailWith(people[who] ? 'FORBIDDEN' : 'UNAUTHENTICATED');
    },
  );

  test('the flags are true only for the owner', async () => {
    const people = await aBlog();
    const query = `{
      article(by: { slug: "hers" }) { viewerCanUpdate viewerCanDelete viewerHasFavorited author { isViewer viewerIsFollowing } }
    }`;
    const flagsFor = async (who: Who) => (await ask(query, people[who])).data;
    const flags = (own: boolean) => ({
      article: {
        viewerCanUpdate: own,
        viewerCanDelete: own,
        viewerHasFavorited: own,
        author: { isViewer: own, viewerIsFollowing: false },
      },
    });
    expect(await flagsFor('guest')).toEqual(flags(false));
    expect(await flagsFor('other')).toEqual(flags(false));
    expect(await flagsFor('owner')).toEqual(flags(true));
  });
});

/**
 * Ann is the owner: of the article "hers", and of comments 1 and 2 on the articles of Bob and Cem. Bob is the other user:
 * comment 3, on Ann's article, is his. Ann follows Bob, Bob follows Cem, and Ann has favourited her own article.
 */
async function aBlog(): Promise<{ guest: null; other: Person; owner: Person }> {
  const [owner, other, third] = [await aUser('ann'), await aUser('bob'), await aUser('cem')];
  const hers = await anArticle({ by: owner, title: 'Hers', tagList: ['one', 'two'] });
  const bobs = await anArticle({ by: other, title: 'Bobs' });
  const cems = await anArticle({ by: third, title: 'Cems' });
  await aComment({ on: bobs, by: owner });
  await aComment({ on: cems, by: owner });
  await aComment({ on: hers, by: other });
  await ask('mutation { followUser(input: { user: { username: "bob" } }) { __typename } }', owner);
  await ask('mutation { followUser(input: { user: { username: "cem" } }) { __typename } }', other);
  await ask('mutation { favoriteArticle(input: { article: { slug: "hers" } }) { __typename } }', owner);
  for (const author of [owner, other]) {
    const input = `{ title: "Draft by ${author.username}", description: "d", body: "b", status: DRAFT }`;
    await ask(`mutation { createArticle(input: ${input}) { __typename } }`, author);
  }
  return { guest: null, other, owner };
}

async function ask(query: string, as: Person | null): Promise<GraphQLResponse<unknown>> {
  return (await post({ query }, as ? { authorization: `Token ${as.token}` } : {})).body;
}

async function contents(): Promise<unknown> {
  const tables = [
    'users',
    'sessions',
    'follows',
    'articles',
    'article_slugs',
    'article_tags',
    'tags',
    'favorites',
    'comments',
  ];
  return Promise.all(tables.map((table) => orm.em.fork().execute(`select * from ${table} as row order by row`)));
}
