/** Maximum lengths of a user's texts, in characters. */
export const USER_LIMITS = { username: 50, email: 254, bio: 1_000, image: 2_048 } as const;
