/** How many characters the name of a tag may have. */
export const TAG_LIMITS = { name: 50 } as const;
