/** Maximum lengths of a comment's texts, in characters. */
export const COMMENT_LIMITS = { body: 10_000 } as const;
