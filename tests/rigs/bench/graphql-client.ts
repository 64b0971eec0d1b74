import { type GraphqlWorkload, graphqlRequests, newArticle, pick, type WorkloadName } from './workloads.ts';

/** The requests to this server's API, of which the stock server implements a part. */

const PREVIEW = 'slug title description tagList createdAt favoritesCount author { username image }';

const workloads: Record<WorkloadName, GraphqlWorkload> = {
  feed: {
    signedIn: true,
    document: `{ viewer { feed(first: 20) { nodes {
      slug title description tagList createdAt updatedAt favoritesCount viewerHasFavorited
      author { username bio image viewerIsFollowing }
    } } } }`,
    read: ({ viewer }) => ({ articles: viewer.feed.nodes }),
  },
  article: {
    document: `query ($slug: String!) { article(by: { slug: $slug }) {
      slug title description body tagList createdAt updatedAt favoritesCount
      author { username bio image }
      comments(first: 20) { nodes { body createdAt author { username image } } }
    } }`,
    variables: ({ discussed }, n) => ({ slug: pick(discussed, n) }),
    read: ({ article }) => ({ ...article, comments: article.comments.nodes }),
  },
  profile: {
    document: `query ($username: String!) { user(by: { username: $username }) {
      username bio image followersCount followingCount articlesCount
      articles(first: 10) { nodes { ${PREVIEW} } }
      favorites(first: 10) { nodes { ${PREVIEW} } }
    } }`,
    variables: ({ usernames }, n) => ({ username: pick(usernames, n) }),
    read: ({ user }) => ({ ...user, articles: user.articles.nodes, favorites: user.favorites.nodes }),
  },
  home: {
    document: `{
      articles(first: 10) { nodes { ${PREVIEW} } }
      tags(first: 20) { nodes { name articlesCount } }
    }`,
    read: ({ articles, tags }) => ({ articles: articles.nodes, tags: tags.nodes }),
  },
  createArticle: {
    signedIn: true,
    document: `mutation ($input: CreateArticleInput!) { createArticle(input: $input) { article {
      slug title description body tagList favoritesCount author { username image }
    } } }`,
    variables: (subjects, n) => ({ input: newArticle(subjects, n) }),
    read: ({ createArticle: { article } }) => ({ ...article, slug: undefined }),
  },
  favoriteArticle: {
    signedIn: true,
    document: `mutation ($input: ArticleInput!) { favoriteArticle(input: $input) { article {
      slug viewerHasFavorited favoritesCount
    } } }`,
    variables: ({ unmarked }, n) => ({ input: { article: { slug: pick(unmarked, n) } } }),
    read: ({ favoriteArticle: { article } }) => article,
  },
  addComment: {
    signedIn: true,
    document: `mutation ($input: AddCommentInput!) { addComment(input: $input) { comment {
      body createdAt author { username image }
    } } }`,
    variables: ({ unmarked }, n) => ({
      input: { article: { slug: pick(unmarked, n) }, body: `Well said, ${n} times.` },
    }),
    read: ({ addComment: { comment } }) => ({ ...comment, createdAt: undefined }),
  },
};

export const graphqlClient = graphqlRequests(workloads);
