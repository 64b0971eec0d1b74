import { type GraphqlWorkload, graphqlRequests, newArticle, pick, type WorkloadName } from './workloads.ts';

/** The same requests to PostGraphile, in the names that it derives from the tables. */

const TAGS = 'articleTagsByArticleId(orderBy: [POSITION_ASC]) { nodes { tagByTagId { name } } }';

const PREVIEW = `slug title description createdAt favoritesCount ${TAGS} userByAuthorId { username image }`;

const workloads: Record<WorkloadName, GraphqlWorkload> = {
  feed: {
    signedIn: true,
    document: `{ feed(first: 20) { nodes {
      slug title description createdAt updatedAt favoritesCount viewerHasFavorited ${TAGS}
      userByAuthorId { username bio image viewerIsFollowing }
    } } }`,
    read: ({ feed }) => ({ articles: feed.nodes.map(article) }),
  },
  article: {
    document: `query ($slug: String!) { articleBySlug(slug: $slug) {
      slug title description body createdAt updatedAt favoritesCount ${TAGS}
      userByAuthorId { username bio image }
      commentsByArticleId(first: 20, orderBy: [CREATED_AT_ASC, ROW_ID_ASC]) {
        nodes { body createdAt userByAuthorId { username image } }
      }
    } }`,
    variables: ({ discussed }, n) => ({ slug: pick(discussed, n) }),
    read: ({ articleBySlug: { commentsByArticleId, ...rest } }) => ({
      ...article(rest),
      comments: commentsByArticleId.nodes.map(comment),
    }),
  },
  profile: {
    document: `query ($username: String!) { userByUsernameKey(usernameKey: $username) {
      username bio image
      followsByFollowedId { totalCount }
      followsByFollowerId { totalCount }
      articlesByAuthorId(first: 10, condition: { status: "PUBLISHED" }, orderBy: [PUBLISHED_AT_DESC, ROW_ID_DESC]) { totalCount nodes { ${PREVIEW} } }
      favoritesByUserId(first: 10, orderBy: [CREATED_AT_DESC, ARTICLE_ID_DESC]) {
        nodes { articleByArticleId { ${PREVIEW} } }
      }
    } }`,
    variables: ({ usernames }, n) => ({ username: pick(usernames, n) }),
    read: ({ userByUsernameKey: { username, bio, image, ...user } }) => ({
      username,
      bio,
      image,
      followersCount: user.followsByFollowedId.totalCount,
      followingCount: user.followsByFollowerId.totalCount,
      articlesCount: user.articlesByAuthorId.totalCount,
      articles: user.articlesByAuthorId.nodes.map(article),
      favorites: user.favoritesByUserId.nodes.map((favorite: any) => article(favorite.articleByArticleId)),
    }),
  },
  home: {
    document: `{
      allArticles(first: 10, condition: { status: "PUBLISHED" }, orderBy: [PUBLISHED_AT_DESC, ROW_ID_DESC]) { nodes { ${PREVIEW} } }
      allTags(first: 20, orderBy: [ARTICLES_COUNT_DESC, ROW_ID_DESC]) { nodes { name articlesCount } }
    }`,
    read: ({ allArticles, allTags }) => ({ articles: allArticles.nodes.map(article), tags: allTags.nodes }),
  },
  createArticle: {
    signedIn: true,
    document: `mutation ($input: PublishArticleInput!) { publishArticle(input: $input) { result {
      slug title description body favoritesCount ${TAGS} userByAuthorId { username image }
    } } }`,
    variables: (subjects, n) => ({ input: newArticle(subjects, n) }),
    read: ({ publishArticle }) => ({ ...article(publishArticle.result), slug: undefined }),
  },
  favoriteArticle: {
    signedIn: true,
    document: `mutation ($input: FavoriteArticleInput!) { favoriteArticle(input: $input) { result {
      slug viewerHasFavorited favoritesCount
    } } }`,
    variables: ({ unmarked }, n) => ({ input: { slug: pick(unmarked, n) } }),
    read: ({ favoriteArticle }) => favoriteArticle.result,
  },
  addComment: {
    signedIn: true,
    document: `mutation ($input: AddCommentInput!) { addComment(input: $input) { result {
      body createdAt userByAuthorId { username image }
    } } }`,
    variables: ({ unmarked }, n) => ({ input: { slug: pick(unmarked, n), body: `Well said, ${n} times.` } }),
    read: ({ addComment }) => ({ ...comment(addComment.result), createdAt: undefined }),
  },
};

function article({ userByAuthorId, articleTagsByArticleId, ...rest }: any) {
  return {
    ...rest,
    author: userByAuthorId,
    tagList: articleTagsByArticleId.nodes.map(({ tagByTagId }: any) => tagByTagId.name),
  };
}

const comment = ({ userByAuthorId, ...rest }: any) => ({ ...rest, author: userByAuthorId });

export const postgraphileClient = graphqlRequests(workloads);
