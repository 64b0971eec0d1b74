import { parseArgs } from 'node:util';

export const GROWTH_HELP = `Measures how the answers slow down as the blog grows.

  npm run bench -- growth                              10,000, 100,000 and 1,000,000 articles, about two minutes
  npm run bench -- growth --short                      10,000 and 100,000 articles, half a minute
  npm run bench -- growth --json growth.json           the figures for programs, beside the table

Options
  --articles N,M,...  how many articles the blogs have, the smallest first
  --rounds N          how often each blog is asked for each list; 300, with --short 100
  --short             the short form
  --json FILE         where to write the figures, with every round
  --help              print this

It wants a PostgreSQL: the one of DATABASE_URL, as a user who may create databases, or postgres on 127.0.0.1. Each blog is
seeded once, into conduit_bench_N, and kept for the next time; a million articles take some five minutes and 4 GB.
`;

export interface GrowthOptions {
  sizes: readonly number[];
  rounds: number;
  json: string | null;
  help: boolean;
}

/** What the command line asks for; throws an Error that says what is wrong with it. */
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
  // Page 1,000 has to be there.
  const isRising = sizes.every((size, at) => Number.isInteger(size) && size >= 10_000 && size > (sizes[at - 1] ?? 0));
  if (!isRising) {
    throw new Error(`--articles is "${articles}"; it must be whole numbers from 10000 up, the smallest first.`);
  }
  const rounds = values.rounds ?? (short ? '100' : '300');
  if (!/^[1-9]\d*$/.test(rounds)) throw new Error(`--rounds is "${rounds}"; it must be a whole number of at least 1.`);
  return { sizes, rounds: Number(rounds), json, help };
}
