/** Maximum lengths of an article's texts, in characters, and maximum numbers of tags. */
export const ARTICLE_LIMITS = {
  slug: 100,
  title: 200,
  description: 500,
  coverImage: 2048,
  body: 100_000,
  tags: 20,
  tagsInFilter: 20,
} as const;

/** An article's headings have ids to link to. */
export const ARTICLE_RENDERING = { headingAnchors: true } as const;
