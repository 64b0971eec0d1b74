import { parseArgs } from 'node:util';

export const GROWTH_HELP = `Measures how response times change as the blog grows, and for searches also those of PostGraphile.

  npm run bench -- growth                              10,000, 100,000 and 1,000,000 articles, about two minutes
  npm run bench -- growth --short                      10,000 and 100,000 articles, half a minute
  npm run bench -- growth --json growth.json           write the figures as JSON too

Options
  --articles N,M,...  the sizes of the blogs, the smallest first
  --rounds N          the number of requests per list and blog; by default 300, with --short 100
  --short             a shorter run
  --json FILE         the file to write the figures of all rounds to
  --help              print this

It needs a PostgreSQL and a role that may create databases: DATABASE_URL, or postgres on 127.0.0.1. Each blog is seeded once,
into conduit_bench_N, and kept; twenty of its articles get a rare word to search for; a million articles take about five minutes and 4 GB.
`;

export interface GrowthOptions {
  sizes: readonly number[];
  rounds: number;
  json: string | null;
  help: boolean;
}

/** Parses the command line; throws an Error that describes the first problem. */
export function readGrowthOptions(args: string[]): GrowthOptions {
  const { values } = parseArgs({
    args,
    options: {
      articles: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      short: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { short, json = null, help } = values;
  const articles = values.articles ?? (short ? '10000,100000' : '10000,100000,1000000');
  const sizes = articles.split(',').map(Number);
  // Page 1,000 must exist.
  const isRising = sizes.every((size, at) => Number.isInteger(size) && size >= 10_000 && size > (sizes[at - 1] ?? 0));
  if (!isRising) {
    throw new Error(`--articles is "${articles}"; it must be whole numbers from 10000 up, the smallest first.`);
  }
  const rounds = values.rounds ?? (short ? '100' : '300');
  if (!/^[1-9]\d*$/.test(rounds)) throw new Error(`--rounds is "${rounds}"; it must be a whole number of at least 1.`);
  return { sizes, rounds: Number(rounds), json, help };
}
