/** `npm run bench`: the server beside its peers; options.ts says all it can do. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { BenchDatabase } from './database.ts';
import { growth } from './growth.ts';
import { CONNECTIONS, load } from './load.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { type Figure, machine, median, type Rounds, summaryOf, table } from './report.ts';
import { availableServers, does, Running, SERVERS, type ServerName, versions } from './servers.ts';
import { SHARE, Shares } from './share.ts';
import { type Subjects, WORKS, type Work, type WorkName } from './works.ts';

const say = (line: string) => process.stderr.write(`${line}\n`);

async function bench(options: Options): Promise<void> {
  const available = availableServers(say);
  const database = await BenchDatabase.make(options.articles);
  const servers: Running[] = [];
  try {
    const subjects = await database.subjects();
    const works = (Object.keys(WORKS) as WorkName[]).filter((work) => options.parts.has(work));
    for (const name of available) {
      if (works.some((work) => does(name, work))) servers.push(await Running.start(name, database.url));
    }
    for (const work of works) await compareAnswers(work, servers, subjects);
    if (works.length > 0) say('All servers answer the same.');

    const rounds: Rounds = {};
    const figures: Figure[] = [];
    for (const work of works) rounds[work] = await measure(work, servers, { subjects, database, options });
    await stopAll(servers);
    if (options.parts.has('start')) figures.push(...(await startAndMemory(database, subjects, options)));
    if (options.parts.has('workers')) figures.push(await workers(database, subjects, options));

    console.log(table(rounds, figures));
    const about = {
      command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
      measuredAt: new Date().toISOString(),
      machine: machine(),
      versions: { postgresql: database.version, ...versions(available) },
      connections: CONNECTIONS,
      ...options,
      parts: [...options.parts],
    };
    if (options.json) {
      writeFileSync(options.json, JSON.stringify({ about, works: summaryOf(rounds), figures, rounds }, null, 2));
      say(`The figures are in ${options.json}.`);
    }
  } finally {
    await stopAll(servers);
    await database.drop();
  }
}

/** A fast answer counts only if it is the right one: each server's, to several requests, has to equal the floor's. */
async function compareAnswers(work: WorkName, servers: readonly Running[], subjects: Subjects): Promise<void> {
  const asked = servers.filter(({ name }) => does(name, work));
  for (let n = 0; n < COMPARED; n += 1) {
    let expected: unknown;
    for (const server of asked.toSorted(
      (left, right) => Number(right.name === 'floor') - Number(left.name === 'floor'),
    )) {
      const { ask, read } = SERVERS[server.name].way[work];
      const raw = await server.ask(ask(subjects, n));
      let answer: unknown;
      try {
        answer = normalized(read(raw));
      } catch {
        throw new Error(`${server.name} does not answer ${work}: ${JSON.stringify(raw).slice(0, 500)}`);
      }
      expected ??= answer;
      assert.deepEqual(answer, expected, `${server.name} answers ${work} in another way than ${asked[0]?.name}.`);
    }
  }
}

/** Instants in one spelling; keys that are undefined left out. */
const normalized = (answer: unknown): unknown =>
  JSON.parse(JSON.stringify(answer), (_key, value) =>
    typeof value === 'string' && INSTANT.test(value) ? new Date(value).toISOString() : value,
  );

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

interface Setting {
  subjects: Subjects;
  database: BenchDatabase;
  options: Options;
}

/** Everyone warms up; then they take turns, each round beginning with another one, so that a slow minute is everyone's. */
async function measure(work: WorkName, all: readonly Running[], { subjects, database, options }: Setting) {
  const { writes } = WORKS[work] as Work;
  const servers = all.filter(({ name }) => does(name, work));
  const turns: Partial<Record<ServerName, Awaited<ReturnType<typeof load>>[]>> = {};
  const turn = async (server: Running, seconds: number) => {
    const { ask } = SERVERS[server.name].way[work];
    const before = writes ? await database.rowsOf(writes) : 0;
    const result = await load(server, seconds, () => ask(subjects, nextOf(work)));
    const written = writes ? (await database.rowsOf(writes)) - before : result.answers;
    if (written < result.answers) {
      throw new Error(`${server.name} answered ${work} ${result.answers} times and wrote ${written} rows.`);
    }
    return result;
  };
  for (const server of servers) await turn(server, Math.max(1, Math.ceil(options.seconds / 2)));
  for (let round = 0; round < options.rounds; round += 1) {
    for (let place = 0; place < servers.length; place += 1) {
      const server = servers[(place + round) % servers.length] as Running;
      const result = await turn(server, options.seconds);
      turns[server.name] = [...(turns[server.name] ?? []), result];
      say(`${work}, round ${round + 1} of ${options.rounds}: ${server.name} ${result.rate.toFixed(0)} requests/s`);
    }
  }
  return Object.fromEntries(servers.map(({ name }) => [name, turns[name] ?? []]));
}

/** No two requests of a work that writes are the same, nor the same as one that the answers were compared by. */
const numbers = new Map<WorkName, number>();
function nextOf(work: WorkName): number {
  const next = (numbers.get(work) ?? COMPARED) + 1;
  numbers.set(work, next);
  return next;
}

const COMPARED = 5;

async function startAndMemory(database: BenchDatabase, subjects: Subjects, options: Options): Promise<Figure[]> {
  const starts: number[] = [];
  const peaks: number[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const begun = performance.now();
    const server = await Running.start('ours', database.url);
    starts.push((performance.now() - begun) / 1000);
    try {
      let peak = 0;
      const watch = setInterval(() => {
        peak = Math.max(peak, server.memory());
      }, 200);
      for (const work of ['feed', 'article', 'profile', 'home', 'createArticle', 'addComment'] as const) {
        await load(server, options.seconds, () => SERVERS.ours.way[work].ask(subjects, nextOf(work)));
      }
      clearInterval(watch);
      peaks.push(peak);
      say(`start, round ${round + 1}: ${starts.at(-1)?.toFixed(2)} s; memory under load: ${peak.toFixed(0)} MB`);
    } finally {
      await server.stop();
    }
  }
  const start = median(starts);
  const peak = Math.max(...peaks);
  return [
    { title: 'from start to first answer', value: start, unit: 's', bar: '<= 1', holds: start <= 1 },
    { title: 'memory under load, the most', value: peak, unit: 'MB', bar: '<= 250', holds: peak <= 250 },
  ];
}

/**
 * The feed page by one worker and by two, in turns. Each is held to a quarter of a core: two that have all of a small machine
 * only take it from the database, and from who asks.
 */
async function workers(database: BenchDatabase, subjects: Subjects, options: Options): Promise<Figure> {
  const { ask } = SERVERS.ours.way.feed;
  const rates: Record<string, number[]> = { 1: [], 2: [] };
  const areHeld = await Shares.areThere();
  if (!areHeld) say('Workers are not held to a share of a core each: that takes Linux, control groups and root.');
  for (let round = 0; round < options.rounds; round += 1) {
    for (const count of ['1', '2']) {
      // So slow, some would wait longer for their turn than a server lets them.
      const patient = { WEB_CONCURRENCY: count, MAX_WAIT_MILLISECONDS: '10000' };
      const server = await Running.start('ours', database.url, patient);
      const shares = new Shares();
      try {
        await load(server, 4 * options.seconds, () => ask(subjects, nextOf('feed'))); // until each of them is warm
        if (areHeld) shares.hold(server.serving());
        const { rate } = await load(server, options.seconds, () => ask(subjects, nextOf('feed')));
        rates[count]?.push(rate);
        say(`workers, round ${round + 1}: WEB_CONCURRENCY=${count} ${rate.toFixed(0)} requests/s`);
      } finally {
        await server.stop();
        await shares.end();
      }
    }
  }
  const ratio = median(rates[2] ?? []) / median(rates[1] ?? []);
  return {
    title: `two workers against one, ${areHeld ? `each with ${SHARE} of a core` : 'not held apart'}, feed page`,
    value: ratio,
    unit: 'times',
    bar: '>= 1.7',
    holds: ratio >= 1.7,
  };
}

async function stopAll(servers: Running[]): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
}

try {
  const [first, ...rest] = process.argv.slice(2);
  if (first === 'growth') await growth(rest);
  else {
    const options = readOptions(process.argv.slice(2));
    if (options.help) process.stdout.write(HELP);
    else await bench(options);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
