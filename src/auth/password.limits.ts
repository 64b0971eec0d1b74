/** How few and how many characters a password may have. */
export const PASSWORD_LIMITS = { min: 8, max: 128 } as const;
