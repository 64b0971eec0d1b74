import { parseArgs } from 'node:util';
import { WORKS, type WorkName } from './works.ts';

export const HELP = `Measures the server beside others that answer the same, on the same rows.

  npm run bench                              everything, about a quarter of an hour
  npm run bench -- --short                   two minutes: 10,000 articles, short rounds
  npm run bench -- --only feed,article       some of it
  npm run bench -- --json bench.json         the figures for programs, beside the table
  npm run bench -- growth                    how answers slow down as the blog grows; growth --help says more

Options
  --articles N   how many articles the blog has; 100,000
  --rounds N     how often each server has its turn at each work; 5, with --short 3
  --seconds N    how long a turn is; 5, with --short 1
  --only NAMES   of ${[...Object.keys(WORKS), 'start', 'workers'].join(', ')}
  --short        the two-minute form
  --json FILE    where to write the figures, with every round
  --help         print this

It wants a PostgreSQL: the one of DATABASE_URL, as a user who may create databases, or postgres on 127.0.0.1. The blog is
seeded once, into conduit_bench_N, and kept for the next time; what is measured is a copy, which goes at the end.
The peers (tests/rigs/bench/peers) are installed into a folder of their own when they are missing. FastAPI is measured where
python3 finds fastapi, sqlalchemy, uvicorn and psycopg2 (Debian: python3-fastapi python3-sqlalchemy python3-uvicorn
python3-psycopg2 python3-uvloop python3-httptools).
`;

export type Part = WorkName | 'start' | 'workers';

export interface Options {
  articles: number;
  rounds: number;
  seconds: number;
  parts: ReadonlySet<Part>;
  json: string | null;
  help: boolean;
}

/** What the command line asks for; throws an Error that says what is wrong with it. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      articles: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
      short: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const all: Part[] = [...(Object.keys(WORKS) as WorkName[]), 'start', 'workers'];
  const wanted = values.only?.split(',') ?? all;
  for (const name of wanted) {
    if (!all.includes(name as Part)) throw new Error(`--only has "${name}"; it must be of ${all.join(', ')}.`);
  }
  const number = (name: 'articles' | 'rounds' | 'seconds', preset: number, least: number) => {
    const value = values[name] ?? String(preset);
    if (/^\d+$/.test(value) && Number(value) >= least) return Number(value);
    throw new Error(`--${name} is "${value}"; it must be a whole number of at least ${least}.`);
  };
  return {
    // With fewer articles there are not enough that are discussed to take turns with.
    articles: number('articles', values.short ? 10_000 : 100_000, 5_000),
    rounds: number('rounds', values.short ? 3 : 5, 1),
    seconds: number('seconds', values.short ? 1 : 5, 1),
    parts: new Set(wanted as Part[]),
    json: values.json ?? null,
    help: values.help,
  };
}
