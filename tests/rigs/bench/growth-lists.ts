import type { BenchRequest } from './workloads.ts';

/** A word that growth-database.ts adds to some articles of every blog. */
export const RARE = 'quokka';

/** In a tenth of the articles, and two words that a hundredth have. */
const COMMON = 'history';
const TWO_WORDS = 'history advice';

/** The lists to measure, and the largest ratio allowed between the largest and the smallest blog. */
export const LISTS = {
  newest: { title: 'newest', target: 1.3, document: `{ articles(first: 20) { PAGE } }` },
  author: {
    title: 'by author',
    target: 1.3,
    document: `query ($author: String!) { articles(first: 20, filter: { author: $author }) { PAGE } }`,
  },
  authorByTitle: {
    title: 'by author, by title',
    target: 1.3,
    document: `query ($author: String!) {
      articles(first: 20, filter: { author: $author }, orderBy: { field: TITLE, direction: ASC }) { PAGE }
    }`,
  },
  mostUsedTag: {
    title: 'by the most used tag',
    target: 1.3,
    document: `query ($mostUsedTag: String!) { articles(first: 20, filter: { tag: $mostUsedTag }) { PAGE } }`,
  },
  leastUsedTag: {
    title: 'by the least used tag',
    target: 1.3,
    document: `query ($leastUsedTag: String!) { articles(first: 20, filter: { tag: $leastUsedTag }) { PAGE } }`,
  },
  favorites: {
    title: 'favourites of a user',
    target: 1.3,
    document: `query ($fan: String!) { user(by: { username: $fan }) { favorites(first: 20) { PAGE } } }`,
  },
  favoritedBy: {
    title: 'favourited by (filter)',
    target: 1.3,
    document: `query ($fan: String!) { articles(first: 20, filter: { favoritedBy: $fan }) { PAGE } }`,
  },
  feed: { title: 'feed', target: 1.3, signedIn: true, document: `{ viewer { feed(first: 20) { PAGE } } }` },
  page1000: {
    title: 'page 1,000 by cursor',
    target: 1.3,
    document: `query ($page999: String!) { articles(first: 10, after: $page999) { PAGE } }`,
  },
  tagsByPrefix: {
    title: 'tags by prefix',
    target: 3,
    document: `query ($prefix: String!) { tags(first: 20, prefix: $prefix) { nodes { name articlesCount } } }`,
  },
  searchRare: { title: 'search, a rare word', target: 3, ...searchFor(RARE) },
  searchRareInPostgraphile: { title: 'the same in PostGraphile', target: null, ...inPostgraphile(RARE) },
  searchCommon: { title: 'search, a common word', target: 3, ...searchFor(COMMON) },
  searchCommonInPostgraphile: { title: 'the same in PostGraphile', target: null, ...inPostgraphile(COMMON) },
  searchTwoWords: { title: 'search, two words', target: 3, ...searchFor(TWO_WORDS) },
  searchTwoWordsInPostgraphile: { title: 'the same in PostGraphile', target: null, ...inPostgraphile(TWO_WORDS) },
  countOfAll: { title: '`totalCount` of all articles', target: null, document: `{ articles { totalCount } }` },
  countOfTag: {
    title: '`totalCount` of the most used tag',
    target: null,
    document: `query ($mostUsedTag: String!) { articles(filter: { tag: $mostUsedTag }) { totalCount } }`,
  },
} as const satisfies Record<string, GrowingList>;

export type ListName = keyof typeof LISTS;

export interface GrowingList {
  title: string;
  /** Null if the time is known to grow with the blog. */
  target: number | null;
  document: string;
  signedIn?: true;
  /** A function of postgraphile-search.sql answers it, over the same index. */
  inPostgraphile?: true;
}

function searchFor(words: string) {
  return { document: `{ articles(first: 20, filter: { query: "${words}" }) { PAGE } }` } as const;
}

function inPostgraphile(words: string) {
  const tags = 'articleTagsByArticleId(orderBy: [POSITION_ASC]) { nodes { tagByTagId { name } } }';
  const fields = `slug title description createdAt updatedAt favoritesCount ${tags}
    userByAuthorId { username bio image }`;
  const document = `{ searchArticles(query: "${words}", first: 20) { nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`;
  return { document, inPostgraphile: true } as const;
}

/** The users and tags that the requests name in turn; they have the same rank in a blog of any size. */
export interface GrowthSubjects {
  /** From the eleventh to the twentieth most productive. */
  authors: readonly string[];
  mostUsedTag: string;
  leastUsedTag: string;
  /** Those with about as many favourites as the average. */
  fans: readonly string[];
  /** Of those who follow about as many as the average. */
  tokens: readonly string[];
  prefixes: readonly string[];
  /** Where the page before page 1,000 ends, by ten articles a page. */
  page999: string;
}

const PAGE = `nodes {
  slug title description tagList createdAt updatedAt favoritesCount viewerHasFavorited
  author { username bio image viewerIsFollowing }
} pageInfo { hasNextPage endCursor }`;

/** The request for a list, about the n-th of its subjects. */
export function askFor(name: ListName, subjects: GrowthSubjects, n: number): BenchRequest {
  const { document, signedIn }: GrowingList = LISTS[name];
  const nth = (all: readonly string[]) => all[n % all.length];
  const { mostUsedTag, leastUsedTag, page999 } = subjects;
  const all = { author: nth(subjects.authors), fan: nth(subjects.fans), prefix: nth(subjects.prefixes) };
  const given = Object.entries({ ...all, mostUsedTag, leastUsedTag, page999 });
  const variables = Object.fromEntries(given.filter(([variable]) => document.includes(`$${variable}:`)));
  const query = document.replace('PAGE', PAGE).replaceAll(/\s+/g, ' ');
  return {
    method: 'POST',
    path: '/graphql',
    headers: {
      'content-type': 'application/json',
      ...(signedIn && { authorization: `Token ${nth(subjects.tokens)}` }),
    },
    body: JSON.stringify({ query, variables }),
  };
}
