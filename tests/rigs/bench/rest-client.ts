import { type BenchRequest, type Client, headersFor, newArticle, pick, type Subjects } from './workloads.ts';

/** The requests to the servers without GraphQL, which respond in the form that is compared. */
export const restClient: Client = {
  feed: { ask: (subjects, n) => get('/feed', headersFor(subjects, n)), read: identity },
  article: { ask: (subjects, n) => get(`/article/${pick(subjects.discussed, n)}`), read: identity },
  profile: { ask: (subjects, n) => get(`/profile/${pick(subjects.usernames, n)}`), read: identity },
  home: { ask: () => get('/home'), read: identity },
  createArticle: {
    ask: (subjects, n) => post('/createArticle', subjects, n, { ...newArticle(subjects, n), slug: `by-floor-${n}` }),
    read: (article) => ({ ...article, slug: undefined }),
  },
  favoriteArticle: {
    ask: (subjects, n) => post('/favoriteArticle', subjects, n, { slug: pick(subjects.unmarked, n) }),
    read: identity,
  },
  addComment: {
    ask: (subjects, n) =>
      post('/addComment', subjects, n, { slug: pick(subjects.unmarked, n), body: `Well said, ${n} times.` }),
    read: (comment) => ({ ...comment, createdAt: undefined }),
  },
};

const get = (path: string, headers = {}): BenchRequest => ({ method: 'GET', path, headers });

const post = (path: string, subjects: Subjects, n: number, body: object): BenchRequest => ({
  method: 'POST',
  path,
  headers: headersFor(subjects, n),
  body: JSON.stringify(body),
});

function identity(response: unknown): unknown {
  return response;
}
