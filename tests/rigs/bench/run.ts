/** `npm run bench`: compares the server with its peers. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { CPU_LIMIT, CpuLimits } from './cpu-limit.ts';
import { cpuTimeOfChildren } from './cpu-time.ts';
import { BenchDatabase } from './database.ts';
import { growth } from './growth.ts';
import { CONNECTIONS, load, type MeasuredLoad } from './load.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { type Figure, machine, median, type Rounds, summaryOf, table } from './report.ts';
import { availableServers, RunningServer, SERVERS, type ServerName, supports, versions } from './servers.ts';
import { type Subjects, WORKLOADS, type Workload, type WorkloadName } from './workloads.ts';

const say = (line: string) => process.stderr.write(`${line}\n`);

async function bench(options: Options): Promise<void> {
  const available = availableServers(say);
  const database = await BenchDatabase.make(options.articles);
  const servers: RunningServer[] = [];
  try {
    const subjects = await database.subjects();
    const workloads = (Object.keys(WORKLOADS) as WorkloadName[]).filter((workload) => options.parts.has(workload));
    for (const name of available) {
      if (workloads.some((workload) => supports(name, workload)))
        servers.push(await RunningServer.start(name, database.url));
    }
    for (const workload of workloads) await compareResults(workload, servers, subjects);
    if (workloads.length > 0) say('All servers return the same results.');

    const rounds: Rounds = {};
    const figures: Figure[] = [];
    for (const workload of workloads)
      rounds[workload] = await measure(workload, servers, { subjects, database, options });
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
      writeFileSync(options.json, JSON.stringify({ about, workloads: summaryOf(rounds), figures, rounds }, null, 2));
      say(`Figures written to ${options.json}.`);
    }
  } finally {
    await stopAll(servers);
    await database.drop();
  }
}

/** Fails unless every server returns the same as the floor to several requests of the workload. */
async function compareResults(
  workload: WorkloadName,
  servers: readonly RunningServer[],
  subjects: Subjects,
): Promise<void> {
  const compared = servers.filter(({ name }) => supports(name, workload));
  for (let n = 0; n < COMPARED; n += 1) {
    let expected: unknown;
    for (const server of compared.toSorted(
      (left, right) => Number(right.name === 'floor') - Number(left.name === 'floor'),
    )) {
      const { ask, read } = SERVERS[server.name].client[workload];
      const raw = await server.ask(ask(subjects, n));
      let result: unknown;
      try {
        result = normalized(read(raw));
      } catch {
        throw new Error(`${server.name} fails ${workload}: ${JSON.stringify(raw).slice(0, 500)}`);
      }
      expected ??= result;
      assert.deepEqual(
        result,
        expected,
        `${server.name} returns another result of ${workload} than ${compared[0]?.name}.`,
      );
    }
  }
}

/** Writes timestamps in one form, and drops undefined keys. */
const normalized = (result: unknown): unknown =>
  JSON.parse(JSON.stringify(result), (_key, value) =>
    typeof value === 'string' && TIMESTAMP.test(value) ? new Date(value).toISOString() : value,
  );

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

interface Context {
  subjects: Subjects;
  database: BenchDatabase;
  options: Options;
}

/** Warms up all servers and then measures them alternately, each round in another order, so that disturbances affect all. */
async function measure(
  workload: WorkloadName,
  all: readonly RunningServer[],
  { subjects, database, options }: Context,
) {
  const { writes } = WORKLOADS[workload] as Workload;
  const servers = all.filter(({ name }) => supports(name, workload));
  const results: Partial<Record<ServerName, MeasuredLoad[]>> = {};
  const postmaster = await database.postmaster();
  const databaseCpuTime = () => (postmaster === null ? 0 : cpuTimeOfChildren(postmaster));
  const measureOnce = async (server: RunningServer, seconds: number) => {
    const { ask } = SERVERS[server.name].client[workload];
    const before = writes ? await database.rowsOf(writes) : 0;
    const cpu = [server.cpuTime(), databaseCpuTime()] as const;
    const result = await load(server, seconds, () => ask(subjects, nextOf(workload)));
    const serverCpu = (server.cpuTime() - cpu[0]) / result.responses;
    const databaseCpu = (databaseCpuTime() - cpu[1]) / result.responses;
    const written = writes ? (await database.rowsOf(writes)) - before : result.responses;
    if (written < result.responses) {
      throw new Error(`${server.name} responded ${result.responses} times to ${workload} and wrote ${written} rows.`);
    }
    return { ...result, serverCpu, databaseCpu };
  };
  for (const server of servers) await measureOnce(server, Math.max(1, Math.ceil(options.seconds / 2)));
  for (let round = 0; round < options.rounds; round += 1) {
    for (let place = 0; place < servers.length; place += 1) {
      const server = servers[(place + round) % servers.length] as RunningServer;
      const result = await measureOnce(server, options.seconds);
      results[server.name] = [...(results[server.name] ?? []), result];
      say(`${workload}, round ${round + 1} of ${options.rounds}: ${server.name} ${result.rate.toFixed(0)} requests/s`);
    }
  }
  return Object.fromEntries(servers.map(({ name }) => [name, results[name] ?? []]));
}

/** Numbers the requests of a workload; those that compare results have the first numbers, so that no write is repeated. */
const numbers = new Map<WorkloadName, number>();
function nextOf(workload: WorkloadName): number {
  const next = (numbers.get(workload) ?? COMPARED) + 1;
  numbers.set(workload, next);
  return next;
}

const COMPARED = 5;

async function startAndMemory(database: BenchDatabase, subjects: Subjects, options: Options): Promise<Figure[]> {
  const starts: number[] = [];
  const peaks: number[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const begun = performance.now();
    const server = await RunningServer.start('ours', database.url);
    starts.push((performance.now() - begun) / 1000);
    try {
      let peak = 0;
      const watch = setInterval(() => {
        peak = Math.max(peak, server.memory());
      }, 200);
      for (const workload of ['feed', 'article', 'profile', 'home', 'createArticle', 'addComment'] as const) {
        await load(server, options.seconds, () => SERVERS.ours.client[workload].ask(subjects, nextOf(workload)));
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
    { title: 'from start to first response', value: start, unit: 's', target: '<= 1', holds: start <= 1 },
    { title: 'peak memory under load', value: peak, unit: 'MB', target: '<= 250', holds: peak <= 250 },
  ];
}

/**
 * Measures the feed page with one worker and with two, alternately. Each is limited to a quarter of a core: without the limit two
 * workers on a small machine only compete with the database and the load generator.
 */
async function workers(database: BenchDatabase, subjects: Subjects, options: Options): Promise<Figure> {
  const { ask } = SERVERS.ours.client.feed;
  const rates: Record<string, number[]> = { 1: [], 2: [] };
  const areLimited = await CpuLimits.areAvailable();
  if (!areLimited) say('Workers are not limited to a share of a core: that needs Linux, control groups and root.');
  for (let round = 0; round < options.rounds; round += 1) {
    for (const count of ['1', '2']) {
      // At this speed some requests would exceed the maximum wait.
      const variables = { WEB_CONCURRENCY: count, MAX_WAIT_MILLISECONDS: '10000' };
      const server = await RunningServer.start('ours', database.url, variables);
      const limits = new CpuLimits();
      try {
        await load(server, 4 * options.seconds, () => ask(subjects, nextOf('feed'))); // warms up every worker
        if (areLimited) limits.apply(server.serving());
        const { rate } = await load(server, options.seconds, () => ask(subjects, nextOf('feed')));
        rates[count]?.push(rate);
        say(`workers, round ${round + 1}: WEB_CONCURRENCY=${count} ${rate.toFixed(0)} requests/s`);
      } finally {
        await server.stop();
        await limits.remove();
      }
    }
  }
  const ratio = median(rates[2] ?? []) / median(rates[1] ?? []);
  return {
    title: `two workers against one, ${areLimited ? `${CPU_LIMIT} of a core each` : 'without CPU limits'}, feed page`,
    value: ratio,
    unit: 'times',
    target: '>= 1.7',
    holds: ratio >= 1.7,
  };
}

async function stopAll(servers: RunningServer[]): Promise<void> {
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
