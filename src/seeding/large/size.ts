/** How large a blog, and which of all that large. The same size is the same blog everywhere. */
export interface Size {
  readonly articles: number;
  readonly users: number;
  readonly tags: number;
  readonly seed: number;
}

/** A blog of so many articles, in proportion: 100,000 articles have 5,000 users and 200 tags. */
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
  /** Less than two can not follow each other. */
  users: { least: 2, most: 1_000_000 },
  /** Every article carries three. */
  tags: { least: 3, most: 1000 },
  seed: { least: 0, most: 1_000_000 },
} as const;

const within = ({ most }: { most: number }, wish: number, least: number) => Math.max(least, Math.min(most, wish));
