/** Maximum lengths of a tag's texts, in characters. */
export const TAG_LIMITS = { name: 50 } as const;
