import { type Asked, headersFor, newArticle, type Subjects, turn, type Way } from './works.ts';

/** How one asks the servers without GraphQL, which answer in the very form that all are compared by. */
export const restWay: Way = {
  feed: { ask: (subjects, n) => get('/feed', headersFor(subjects, n)), read: asItIs },
  article: { ask: (subjects, n) => get(`/article/${turn(subjects.discussed, n)}`), read: asItIs },
  profile: { ask: (subjects, n) => get(`/profile/${turn(subjects.usernames, n)}`), read: asItIs },
  home: { ask: () => get('/home'), read: asItIs },
  createArticle: {
    ask: (subjects, n) => post('/createArticle', subjects, n, { ...newArticle(subjects, n), slug: `by-floor-${n}` }),
    read: (article) => ({ ...article, slug: undefined }),
  },
  favoriteArticle: {
    ask: (subjects, n) => post('/favoriteArticle', subjects, n, { slug: turn(subjects.unmarked, n) }),
    read: asItIs,
  },
  addComment: {
    ask: (subjects, n) =>
      post('/addComment', subjects, n, { slug: turn(subjects.unmarked, n), body: `Well said, ${n} times.` }),
    read: (comment) => ({ ...comment, createdAt: undefined }),
  },
};

const get = (path: string, headers = {}): Asked => ({ method: 'GET', path, headers });

const post = (path: string, subjects: Subjects, n: number, body: object): Asked => ({
  method: 'POST',
  path,
  headers: headersFor(subjects, n),
  body: JSON.stringify(body),
});

function asItIs(answer: unknown): unknown {
  return answer;
}
