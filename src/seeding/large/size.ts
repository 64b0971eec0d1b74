/** The size of a blog, and the seed of its contents. Equal values give the same blog on every machine. */
export interface Size {
  readonly articles: number;
  readonly users: number;
  readonly tags: number;
  readonly seed: number;
}

/** Derives users and tags from the number of articles: 100,000 articles have 5,000 users and 200 tags. */
export function sizeFor(articles: number, given: Partial<Omit<Size, 'articles'>> = {}): Size {
  return {
    articles,
    users: given.users ?? within(LIMITS.users, Math.ceil(articles / 20), 10),
    tags: given.tags ?? within(LIMITS.tags, Math.min(200, Math.ceil(articles / 10)), 10),
    seed: given.seed ?? 1,
  };
}

export const LIMITS = {
  articles: { least: 1, most: 10_000_000 },
  /** A follow takes two users. */
  users: { least: 2, most: 1_000_000 },
  /** Every article has three. */
  tags: { least: 3, most: 1000 },
  seed: { least: 0, most: 1_000_000 },
} as const;

const within = ({ most }: { most: number }, wish: number, least: number) => Math.max(least, Math.min(most, wish));
