/** Maximum lengths of a comment's texts, in characters. */
export const COMMENT_LIMITS = { body: 10_000 } as const;

/** A page has many comments, whose headings would have the same ids. */
export const COMMENT_RENDERING = { headingAnchors: false } as const;
