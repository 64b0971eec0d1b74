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
    users: given.users ?? within(SIZE_LIMITS.users, Math.ceil(articles / 20), 10),
    tags: given.tags ?? within(SIZE_LIMITS.tags, Math.min(200, Math.ceil(articles / 10)), 10),
    seed: given.seed ?? 1,
  };
}

export const SIZE_LIMITS = {
  articles: { min: 1, max: 10_000_000 },
  /** A follow takes two users. */
  users: { min: 2, max: 1_000_000 },
  /** Every article has three. */
  tags: { min: 3, max: 1000 },
  seed: { min: 0, max: 1_000_000 },
} as const;

const within = ({ max }: { max: number }, wish: number, min: number) => Math.max(min, Math.min(max, wish));
