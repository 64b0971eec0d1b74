import { parseArgs } from 'node:util';
import { WORKLOADS, type WorkloadName } from './workloads.ts';

export const HELP = `Compares the server with others that return the same results from the same rows.

  npm run bench                              everything, about a quarter of an hour
  npm run bench -- --short                   two minutes: 10,000 articles, short rounds
  npm run bench -- --only feed,article       only these workloads
  npm run bench -- --json bench.json         write the figures as JSON too
  npm run bench -- growth                    response times as the blog grows; see growth --help

Options
  --articles N   the number of articles; by default 100,000
  --rounds N     the number of rounds; by default 5, with --short 3
  --seconds N    the length of a round for each server; by default 5, with --short 1
  --only NAMES   any of ${[...Object.keys(WORKLOADS), 'start', 'workers'].join(', ')}
  --short        a shorter run
  --json FILE    the file to write the figures of all rounds to
  --help         print this

It needs a PostgreSQL and a role that may create databases: DATABASE_URL, or postgres on 127.0.0.1. The blog is seeded once, into
conduit_bench_N, and kept; the benchmark runs on a copy, which it drops at the end.
The peers are installed in tests/rigs/bench/peers if they are missing. FastAPI is measured if python3
finds fastapi, sqlalchemy, uvicorn and psycopg2 (Debian: python3-fastapi python3-sqlalchemy python3-uvicorn
python3-psycopg2 python3-uvloop python3-httptools).
`;

export type Part = WorkloadName | 'start' | 'workers';

export interface Options {
  articles: number;
  rounds: number;
  seconds: number;
  parts: ReadonlySet<Part>;
  json: string | null;
  help: boolean;
}

/** Parses the command line; throws an Error that describes the first problem. */
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
  const all: Part[] = [...(Object.keys(WORKLOADS) as WorkloadName[]), 'start', 'workers'];
  const wanted = values.only?.split(',') ?? all;
  for (const name of wanted) {
    if (!all.includes(name as Part)) throw new Error(`--only has "${name}"; it must be any of ${all.join(', ')}.`);
  }
  const number = (name: 'articles' | 'rounds' | 'seconds', preset: number, least: number) => {
    const value = values[name] ?? String(preset);
    if (/^\d+$/.test(value) && Number(value) >= least) return Number(value);
    throw new Error(`--${name} is "${value}"; it must be a whole number of at least ${least}.`);
  };
  return {
    // Smaller blogs have too few articles with 20 comments.
    articles: number('articles', values.short ? 10_000 : 100_000, 5_000),
    rounds: number('rounds', values.short ? 3 : 5, 1),
    seconds: number('seconds', values.short ? 1 : 5, 1),
    parts: new Set(wanted as Part[]),
    json: values.json ?? null,
    help: values.help,
  };
}
