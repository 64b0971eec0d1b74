/** How many characters the texts of an article may have, how many tags it may carry, and how many a filter may list. */
export const ARTICLE_LIMITS = {
  slug: 100,
  title: 200,
  description: 500,
  body: 100_000,
  tags: 20,
  tagsInFilter: 20,
} as const;
