/** `npm run bench -- growth`: the same lists asked of blogs of several sizes; growth-options.ts says all it can do. */
import { writeFileSync } from 'node:fs';
import { GrowthDatabase } from './growth-database.ts';
import { askFor, type GrowthSubjects, LISTS, type ListName } from './growth-lists.ts';
import { GROWTH_HELP, type GrowthOptions, readGrowthOptions } from './growth-options.ts';
import { growthOf, growthTable, type Times } from './growth-report.ts';
import { machine } from './report.ts';
import { Running } from './servers.ts';

export async function growth(args: string[]): Promise<void> {
  const options = readGrowthOptions(args);
  if (options.help) {
    process.stdout.write(GROWTH_HELP);
    return;
  }
  const blogs: Blog[] = [];
  try {
    for (const articles of options.sizes) blogs.push(await open(articles));
    for (const blog of blogs) await checkAnswers(blog);
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
      say(`The figures are in ${options.json}.`);
    }
  } finally {
    await Promise.all(blogs.map((blog) => blog.server.stop()));
    for (const { database } of blogs) await database.signOut();
  }
}

interface Blog {
  articles: number;
  database: GrowthDatabase;
  server: Running;
  subjects: GrowthSubjects;
}

async function open(articles: number): Promise<Blog> {
  say(`The blog of ${articles.toLocaleString('en')} articles:`);
  const database = await GrowthDatabase.make(articles);
  const server = await Running.start('ours', database.url);
  const known = await database.subjects();
  // Ten a page: of the smallest blog, page 1,000 is the last.
  const query = '{ articles(first: 10, offset: 9980) { pageInfo { endCursor } } }';
  const headers = { 'content-type': 'application/json' };
  const answer: any = await server.ask({ method: 'POST', path: '/graphql', headers, body: JSON.stringify({ query }) });
  return { articles, database, server, subjects: { ...known, page999: answer.data.articles.pageInfo.endCursor } };
}

/** What is fast because it is empty, or an error, does not count. */
async function checkAnswers({ articles, server, subjects }: Blog): Promise<void> {
  for (const name of names) {
    for (let n = 0; n < TURNS; n += 1) {
      const answer: any = await server.ask(askFor(name, subjects, n));
      const text = JSON.stringify(answer);
      const isFull = LISTS[name].bar === null ? /"totalCount":[1-9]/.test(text) : text.includes('"nodes":[{');
      if (answer.errors || !isFull) throw new Error(`The blog of ${articles} answers ${name} with ${text}.`);
    }
  }
}

/** One request at a time, each list of one blog after another, to and fro: what disturbs the machine disturbs all alike. */
async function measure(blogs: readonly Blog[], { rounds }: GrowthOptions): Promise<Times> {
  const empty = () => Object.fromEntries(blogs.map(({ articles }): [number, number[]] => [articles, []]));
  const times = Object.fromEntries(names.map((name) => [name, empty()])) as Times;
  for (let round = -WARMING; round < rounds; round += 1) {
    for (const name of names) {
      // Counting a million takes its time, and needs no hundreds of rounds to show it.
      if (LISTS[name].bar === null && round % COUNTED !== 0) continue;
      const turns = round % 2 === 0 ? blogs : blogs.toReversed();
      for (const { articles, server, subjects } of turns) {
        const request = askFor(name, subjects, round + WARMING);
        const begun = performance.now();
        await server.ask(request);
        const took = performance.now() - begun;
        if (round >= 0) times[name][articles]?.push(took);
      }
    }
    if (round > 0 && round % Math.ceil(rounds / 10) === 0) say(`${round} of ${rounds} rounds`);
  }
  return times;
}

const names = Object.keys(LISTS) as ListName[];
const TURNS = 10;
const COUNTED = 10;

/** So many rounds are not counted: PostgreSQL settles on its plans, and V8 on its code. */
const WARMING = 40;

const say = (line: string) => process.stderr.write(`${line}\n`);
