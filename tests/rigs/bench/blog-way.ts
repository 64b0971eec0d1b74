import { type GraphqlWork, newArticle, overGraphql, turn, type WorkName } from './works.ts';

/** How a frontend asks our API, and the stock server that offers a part of it. */

const PREVIEW = 'slug title description tagList createdAt favoritesCount author { username image }';

const works: Record<WorkName, GraphqlWork> = {
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
    variables: ({ discussed }, n) => ({ slug: turn(discussed, n) }),
    read: ({ article }) => ({ ...article, comments: article.comments.nodes }),
  },
  profile: {
    document: `query ($username: String!) { user(by: { username: $username }) {
      username bio image followersCount followingCount articlesCount
      articles(first: 10) { nodes { ${PREVIEW} } }
      favorites(first: 10) { nodes { ${PREVIEW} } }
    } }`,
    variables: ({ usernames }, n) => ({ username: turn(usernames, n) }),
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
    variables: ({ unmarked }, n) => ({ input: { article: { slug: turn(unmarked, n) } } }),
    read: ({ favoriteArticle: { article } }) => article,
  },
  addComment: {
    signedIn: true,
    document: `mutation ($input: AddCommentInput!) { addComment(input: $input) { comment {
      body createdAt author { username image }
    } } }`,
    variables: ({ unmarked }, n) => ({
      input: { article: { slug: turn(unmarked, n) }, body: `Well said, ${n} times.` },
    }),
    read: ({ addComment: { comment } }) => ({ ...comment, createdAt: undefined }),
  },
};

export const blogWay = overGraphql(works);
