import { graphqlClient } from './graphql-client.ts';
import { type BenchRequest, type Client, headersFor, newArticle, pick, type Subjects } from './workloads.ts';

/** The requests to the servers without GraphQL, which respond in the form that is compared. */
export const restClient: Client = {
  feed: reading('feed'),
  article: reading('article'),
  profile: reading('profile'),
  home: reading('home'),
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

/** Reads get the body that this server gets, to which they owe the same work. */
function reading(workload: 'feed' | 'article' | 'profile' | 'home') {
  const ask = (subjects: Subjects, n: number): BenchRequest => ({
    ...graphqlClient[workload].ask(subjects, n),
    path: `/${workload}`,
  });
  return { ask, read: identity };
}

const post = (path: string, subjects: Subjects, n: number, body: object): BenchRequest => ({
  method: 'POST',
  path,
  headers: headersFor(subjects, n),
  body: JSON.stringify(body),
});

function identity(response: unknown): unknown {
  return response;
}
