/** How many characters the body of a comment may have. */
export const COMMENT_LIMITS = { body: 10_000 } as const;
