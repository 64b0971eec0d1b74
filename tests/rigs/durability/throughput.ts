import { execFileSync } from 'node:child_process';
import { BlogServer } from './blog-server.ts';
import { percentile, type Rig } from './rig.ts';

const SEED = new URL('../../../dist/src/seeding/seed.js', import.meta.url).pathname;

/**
 * Measures what durability costs, on two servers with and without fsync, in alternating rounds: single-row commits and
 * pages of a feed; and the memory of the durable one.
 */
export async function throughput({ short, folder, note }: Rig): Promise<void> {
  const rounds = short ? 2 : 10;
  const sides = [await side(`${folder}/on`, 'on', short), await side(`${folder}/off`, 'off', short)];
  const [durable] = sides as [Side, Side];
  try {
    note(`memory: ${durable.server.memory().now} MB idle after the first start`);
    for (let round = 0; round < rounds; round += 1) {
      for (const one of round % 2 === 0 ? sides : sides.toReversed()) {
        one.commits.push(await perSecond(short ? 200 : 1000, commit(one)));
        one.pages.push(await perSecond(short ? 100 : 400, page(one)));
      }
    }
    const { now, peak } = durable.server.memory();
    note(`memory: ${now} MB after ${rounds} rounds, ${peak} MB peak`);
  } finally {
    for (const { server } of sides) await server.kill();
  }
  for (const what of ['commits', 'pages'] as const) {
    const [on = 0, off = 0] = sides.map((one) => percentile(one[what], 0.5));
    const ratios = durable[what].map((value, round) => value / (sides[1]?.[what][round] as number));
    const ratio =
      percentile(
        ratios.map((one) => one * 1000),
        0.5,
      ) / 1000;
    note(`${what} a second, median of ${rounds} rounds: ${on} durable, ${off} not; ratio ${ratio.toFixed(2)}`);
  }
  const restarted = await BlogServer.start(`${folder}/on`);
  note(`memory: ${restarted.memory().now} MB idle after another start`);
  await restarted.kill();
}

interface Side {
  server: BlogServer;
  token: string;
  commits: number[];
  pages: number[];
}

/** A server with a seeded blog, and a signed-in user who follows some of its authors. */
async function side(folder: string, fsync: 'on' | 'off', short: boolean): Promise<Side> {
  const variables = { EMBEDDED_FSYNC: fsync };
  const server = await BlogServer.start(folder, variables);
  const environment = { ...process.env, DATABASE_URL: '', DB_HOST: '', DATA_FOLDER: folder, ...variables };
  const output = execFileSync(process.execPath, [SEED, '--articles', short ? '200' : '2000', '--json'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { login } = await server.query<{ login: { token: string } }>(LOGIN, { input: JSON.parse(`${output}`).signIn });
  await server.withClient((client) => client.query('create table single_rows (id serial primary key, at timestamptz)'));
  return { server, token: login.token, commits: [], pages: [] };
}

function commit({ server }: Side): Work {
  return (times) =>
    server.withClient(async (client) => {
      for (let n = 0; n < times; n += 1) await client.query('insert into single_rows (at) values (now())');
    });
}

function page({ server, token }: Side): Work {
  return async (times) => {
    for (let n = 0; n < times; n += 1) await server.query(FEED, {}, token);
  };
}

type Work = (times: number) => Promise<void>;

const CLIENTS = 4;

async function perSecond(times: number, work: Work): Promise<number> {
  const start = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, () => work(times / CLIENTS)));
  return Math.round((times * 1000) / (performance.now() - start));
}

const LOGIN = 'mutation ($input: LoginInput!) { login(input: $input) { token } }';
const FEED = `{ viewer { feed(first: 20) { nodes {
  slug title description tagList createdAt viewerHasFavorited favoritesCount author { username image viewerIsFollowing }
} pageInfo { endCursor hasNextPage } } } }`;
