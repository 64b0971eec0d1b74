/** `npm run bench -- growth`: measures the same lists on blogs of several sizes. */
import { writeFileSync } from 'node:fs';
import { GrowthDatabase } from './growth-database.ts';
import { askFor, type GrowthSubjects, LISTS, type ListName } from './growth-lists.ts';
import { GROWTH_HELP, type GrowthOptions, readGrowthOptions } from './growth-options.ts';
import { growthOf, growthTable, type Times } from './growth-report.ts';
import { machine } from './report.ts';
import { availableServers, RunningServer } from './servers.ts';

export async function growth(args: string[]): Promise<void> {
  const options = readGrowthOptions(args);
  if (options.help) {
    process.stdout.write(GROWTH_HELP);
    return;
  }
  const blogs: Blog[] = [];
  availableServers(say);
  try {
    for (const articles of options.sizes) blogs.push(await open(articles));
    for (const blog of blogs) await checkResults(blog);
    const times = await measure(blogs, options);
    const figures = growthOf(times, options.sizes);
    console.log(growthTable(figures, options.sizes));
    if (options.json) {
      const about = {
        command: ['npm run bench -- growth', ...args].join(' '),
        measuredAt: new Date().toISOString(),
        machine: machine(),
        versions: { node: process.version, postgresql: blogs[0]?.database.version },
        subjects: blogs.map(({ articles, subjects: { tokens: _, ...subjects } }) => ({ articles, ...subjects })),
      };
      writeFileSync(options.json, JSON.stringify({ about, figures, times }, null, 2));
      say(`Figures written to ${options.json}.`);
    }
  } finally {
    await Promise.all(blogs.flatMap(({ server, peer }) => [server.stop(), peer.stop()]));
    for (const { database } of blogs) await database.signOut();
  }
}

interface Blog {
  articles: number;
  database: GrowthDatabase;
  server: RunningServer;
  /** PostGraphile. */
  peer: RunningServer;
  subjects: GrowthSubjects;
}

async function open(articles: number): Promise<Blog> {
  say(`The blog of ${articles.toLocaleString('en')} articles:`);
  const database = await GrowthDatabase.make(articles);
  const server = await RunningServer.start('ours', database.url);
  const peer = await RunningServer.start('postgraphile', database.url);
  const known = await database.subjects();
  // With ten articles a page, page 1,000 is the last one of the smallest blog.
  const query = '{ articles(first: 10, offset: 9980) { pageInfo { endCursor } } }';
  const headers = { 'content-type': 'application/json' };
  const response: any = await server.ask({
    method: 'POST',
    path: '/graphql',
    headers,
    body: JSON.stringify({ query }),
  });
  return {
    articles,
    database,
    server,
    peer,
    subjects: { ...known, page999: response.data.articles.pageInfo.endCursor },
  };
}

/** Fails if a list is empty or an error, and would be fast for that reason. */
async function checkResults({ articles, subjects, ...blog }: Blog): Promise<void> {
  for (const name of names) {
    for (let n = 0; n < CHECKED; n += 1) {
      const response: any = await serverOf(name, blog).ask(askFor(name, subjects, n));
      const text = JSON.stringify(response);
      const isFull = isCount(name) ? /"totalCount":[1-9]/.test(text) : text.includes('"nodes":[{');
      if (response.errors || !isFull) throw new Error(`The blog of ${articles} returns ${text} for ${name}.`);
    }
  }
}

/** One request at a time, alternating between the blogs for each list, so that disturbances affect all of them. */
async function measure(blogs: readonly Blog[], { rounds }: GrowthOptions): Promise<Times> {
  const empty = () => Object.fromEntries(blogs.map(({ articles }): [number, number[]] => [articles, []]));
  const times = Object.fromEntries(names.map((name) => [name, empty()])) as Times;
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const name of names) {
      // Counting a million rows takes long, as does PostGraphile's search, and a tenth of the rounds shows it.
      if ((isCount(name) || isPeers(name)) && round % SLOW_EVERY !== 0) continue;
      const order = round % 2 === 0 ? blogs : blogs.toReversed();
      for (const { articles, subjects, ...blog } of order) {
        const request = askFor(name, subjects, round + WARM_UP_ROUNDS);
        const begun = performance.now();
        await serverOf(name, blog).ask(request);
        const took = performance.now() - begun;
        if (round >= 0) times[name][articles]?.push(took);
      }
    }
    if (round > 0 && round % Math.ceil(rounds / 10) === 0) say(`${round} of ${rounds} rounds`);
  }
  return times;
}

const serverOf = (name: ListName, { server, peer }: Pick<Blog, 'server' | 'peer'>) => (isPeers(name) ? peer : server);

const isPeers = (name: ListName) => 'inPostgraphile' in LISTS[name];

const isCount = (name: ListName) => name.startsWith('countOf');

const names = Object.keys(LISTS) as ListName[];
const CHECKED = 10;
const SLOW_EVERY = 10;

/** Rounds that are not measured, until PostgreSQL and V8 have settled on their plans and code. */
const WARM_UP_ROUNDS = 40;

const say = (line: string) => process.stderr.write(`${line}\n`);
