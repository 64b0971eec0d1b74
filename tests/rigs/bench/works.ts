/** What is measured, and how each way of asking asks for it. All servers answer the same, once `read` has unwrapped it. */

export const WORKS = {
  feed: { title: 'feed page: 20 articles, author, tags, flags', bar: { postgraphile: 1.4, floor: 0.65 } },
  article: { title: 'article page: article, author, 20 comments', bar: { postgraphile: 1.4, floor: 0.65 } },
  profile: { title: 'profile page: counts, 10 articles, 10 favourites', bar: { postgraphile: 1.25, floor: 0.5 } },
  home: { title: 'home page: 10 articles and 20 tags', bar: { postgraphile: 1.25, floor: 0.5 } },
  createArticle: {
    title: 'createArticle with 3 tags',
    bar: { postgraphile: 1, floor: 0.5 },
    writes: 'articles',
  },
  favoriteArticle: { title: 'favoriteArticle', bar: { postgraphile: 1, floor: 0.5 }, writes: 'favorites' },
  addComment: { title: 'addComment', bar: { postgraphile: 1, floor: 0.5 }, writes: 'comments' },
} as const satisfies Record<string, Work>;

export type WorkName = keyof typeof WORKS;

export interface Work {
  title: string;
  /** How many times as fast as the peer ours has to be. */
  bar: { postgraphile: number; floor: number };
  /** The table that has one row more after each answer. */
  writes?: 'articles' | 'favorites' | 'comments';
}

/** Who and what in the seeded blog the requests are about; they take turns. */
export interface Subjects {
  viewers: readonly { id: number; token: string }[];
  /** With at least 20 comments. */
  discussed: readonly string[];
  /** With at least 10 articles and 10 favourites. */
  usernames: readonly string[];
  /** Articles that no viewer has marked yet. */
  unmarked: readonly string[];
  tags: readonly string[];
}

/** One request: the n-th of a work, for writes another one each time. */
export interface Asked {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  body?: string;
}

export type Way = Record<WorkName, { ask: (subjects: Subjects, n: number) => Asked; read: (answer: any) => unknown }>;

export const turn = <T>(all: readonly T[], n: number): T => all[n % all.length] as T;

/** The n-th article: a title that nobody has had, and three of the tags, in one order for all. */
export function newArticle({ tags }: Subjects, n: number) {
  const tagList = [...new Set([turn(tags, n * 7), turn(tags, n * 13 + 5), turn(tags, n * 29 + 11)])].toSorted();
  return {
    title: `Measured again, number ${n}`,
    description: 'What the bench writes while it measures.',
    body: 'A paragraph of some length, as people write them when nobody watches. '.repeat(20).trim(),
    tagList,
  };
}

/** For servers that believe who asks, and for ours, which wants a token. */
export function headersFor({ viewers }: Subjects, n: number | null) {
  const viewer = n === null ? null : turn(viewers, n);
  return {
    'content-type': 'application/json',
    ...(viewer && { 'x-viewer': String(viewer.id), authorization: `Token ${viewer.token}` }),
  };
}

export interface GraphqlWork {
  document: string;
  /** Whether somebody asks who is signed in. */
  signedIn?: true;
  variables?: (subjects: Subjects, n: number) => object;
  /** From the answer's data to what all servers are compared by. */
  read: (data: any) => unknown;
}

export function overGraphql(works: Record<WorkName, GraphqlWork>): Way {
  const way = Object.entries(works).map(([name, { document, signedIn, variables, read }]) => {
    const query = document.replaceAll(/\s+/g, ' ').trim();
    const ask = (subjects: Subjects, n: number): Asked => ({
      method: 'POST',
      path: '/graphql',
      headers: headersFor(subjects, signedIn ? n : null),
      body: JSON.stringify({ query, variables: variables?.(subjects, n) }),
    });
    return [name, { ask, read: ({ data, errors }: any) => (errors ? { errors } : read(data)) }];
  });
  return Object.fromEntries(way) as Way;
}
