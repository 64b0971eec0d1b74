/** The workloads. `read` converts the response of each API to one form, which is the same for all servers. */

export const WORKLOADS = {
  feed: { title: 'feed page: 20 articles, author, tags, flags', target: { postgraphile: 1.8, floor: 0.65 } },
  article: { title: 'article page: article, author, 20 comments', target: { postgraphile: 1.5, floor: 0.55 } },
  profile: { title: 'profile page: counts, 10 articles, 10 favourites', target: { postgraphile: 1.5, floor: 0.5 } },
  home: { title: 'home page: 10 articles and 20 tags', target: { postgraphile: 1.5, floor: 0.55 } },
  createArticle: {
    title: 'createArticle with 3 tags',
    target: { postgraphile: 1, floor: 0.4 },
    writes: 'articles',
  },
  favoriteArticle: { title: 'favoriteArticle', target: { postgraphile: 1, floor: 0.4 }, writes: 'favorites' },
  addComment: { title: 'addComment', target: { postgraphile: 1, floor: 0.4 }, writes: 'comments' },
} as const satisfies Record<string, Workload>;

export type WorkloadName = keyof typeof WORKLOADS;

export interface Workload {
  title: string;
  /** The server's requests/s relative to the peer's. */
  target: { postgraphile: number; floor: number };
  /** The table to which each request adds a row. */
  writes?: 'articles' | 'favorites' | 'comments';
}

/** The users, articles and tags that the requests name in turn. */
export interface Subjects {
  viewers: readonly { id: number; token: string }[];
  /** With at least 20 comments. */
  discussed: readonly string[];
  /** With at least 10 articles and 10 favourites. */
  usernames: readonly string[];
  /** Articles that are no favourite of any viewer. */
  unmarked: readonly string[];
  tags: readonly string[];
}

/** The n-th request of a workload. */
export interface BenchRequest {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  body?: string;
}

export type Client = Record<
  WorkloadName,
  { ask: (subjects: Subjects, n: number) => BenchRequest; read: (response: any) => unknown }
>;

export const pick = <T>(all: readonly T[], n: number): T => all[n % all.length] as T;

/** The n-th article to create: a new title and three of the tags, sorted. */
export function newArticle({ tags }: Subjects, n: number) {
  const tagList = [...new Set([pick(tags, n * 7), pick(tags, n * 13 + 5), pick(tags, n * 29 + 11)])].toSorted();
  return {
    title: `Measured again, number ${n}`,
    description: 'What the bench writes while it measures.',
    body: 'A paragraph of some length, as people write them when nobody watches. '.repeat(20).trim(),
    tagList,
  };
}

/** A token for the server, and a header that the peers trust. */
export function headersFor({ viewers }: Subjects, n: number | null) {
  const viewer = n === null ? null : pick(viewers, n);
  return {
    'content-type': 'application/json',
    ...(viewer && { 'x-viewer': String(viewer.id), authorization: `Token ${viewer.token}` }),
  };
}

export interface GraphqlWorkload {
  document: string;
  /** Whether the request has a viewer. */
  signedIn?: true;
  variables?: (subjects: Subjects, n: number) => object;
  /** Converts `data` to the form that is compared. */
  read: (data: any) => unknown;
}

export function graphqlRequests(workloads: Record<WorkloadName, GraphqlWorkload>): Client {
  const client = Object.entries(workloads).map(([name, { document, signedIn, variables, read }]) => {
    const query = document.replaceAll(/\s+/g, ' ').trim();
    const ask = (subjects: Subjects, n: number): BenchRequest => ({
      method: 'POST',
      path: '/graphql',
      headers: headersFor(subjects, signedIn ? n : null),
      body: JSON.stringify({ query, variables: variables?.(subjects, n) }),
    });
    return [name, { ask, read: ({ data, errors }: any) => (errors ? { errors } : read(data)) }];
  });
  return Object.fromEntries(client) as Client;
}
