import { once } from 'node:events';
import autocannon, { type Options, type Request } from 'autocannon';
import { send } from './client.ts';
import { isolatedServer } from './cores.ts';
import { assertAtMost, assertEqual, type Figures, percentile, query, type Rig, until } from './rig.ts';

/** Ten times as many requests as the server can serve, regardless of the responses. */
export async function overload({ short, cluster, server, note }: Rig): Promise<Figures> {
  await query(cluster.url, ARTICLES);
  await query(cluster.url, 'vacuum analyze articles');
  const { url, metric } = await isolatedServer({ cluster, server });
  const { body } = await send(url, { query: PAGE });
  assertEqual('what is wrong with the page', (body as { errors?: unknown }).errors, undefined);
  const warmUp = short ? 2 : 20; // until all are connected: Node accepts one connection per iteration of its event loop
  const best = await measure(url, { connections: 20, warmUp: short ? 1 : 5, seconds: short ? 2 : 15 });
  assertEqual('requests refused at the peak', best.refused.length, 0);
  const peak = best.accepted.length / best.seconds;
  note(`${Math.round(peak)} requests/s are the peak; sending ten times as many`);
  const many = { connections: 1_000, rate: Math.round(10 * peak), warmUp, seconds: short ? 4 : 60 };
  const { accepted, refused, others, seconds } = await measure(url, many);
  await until('a response after it', async () => (await send(url, { query: PAGE })).status === 200, 5_000);
  const goodput = accepted.length / seconds;
  const offered = (accepted.length + refused.length) / seconds;
  const p99 = percentile(accepted, 0.99);
  const figures = {
    'peak, requests/s': Math.round(peak),
    'offered, requests/s': Math.round(offered),
    'goodput, requests/s': Math.round(goodput),
    'goodput, % of the peak': Math.round((100 * goodput) / peak),
    'p50 of the accepted, ms': percentile(accepted, 0.5),
    'p99 of the accepted, ms': p99,
    'p99 of the refused, ms': percentile(refused, 0.99),
    'turned away': await metric('graphql_requests_shed'),
  };
  assertEqual('responses that are neither a page nor a refusal with Retry-After', others[0], undefined);
  const measured = JSON.stringify(figures);
  assertAtMost({ short }, `missing of ten times the peak, requests/s (${measured})`, 10 * peak - offered, peak);
  assertAtMost({ short }, `goodput lost, requests/s (${measured})`, peak - goodput, 0.2 * peak);
  assertAtMost({ short }, `p99 of the accepted, ms (${measured})`, p99, 1_000);
  return figures;
}

const ARTICLES = `insert into articles (slug, title, description, body, author_id, published_at)
  select 'title-' || n, 'Title ' || n, 'd', 'b', 1, now() - n * interval '1 minute' from generate_series(1, 20000) n`;

/** Nearly as costly as the limits allow, with a small response, so that the clients need little CPU time. */
const PAGE = `{
  all: articles(filter: { publishedAfter: "2000-01-01T00:00:00Z" }) { totalCount }
  late: articles(filter: { publishedAfter: "2001-01-01T00:00:00Z" }) { totalCount }
  early: articles(filter: { publishedBefore: "2100-01-01T00:00:00Z" }) { totalCount }
  articles(first: 20, filter: { author: "writer" }) { totalCount nodes { slug title tagList author { username } } }
}`;

/** Milliseconds of the accepted requests and of those refused with 503; all other responses as text. */
interface Responses {
  accepted: number[];
  refused: number[];
  others: string[];
  seconds: number;
}

/** Concurrent connections that send requests as fast as they can, or together at the given rate. */
async function measure(url: string, { connections, seconds, warmUp, rate }: Load): Promise<Responses> {
  const responses: Responses = { accepted: [], refused: [], others: [], seconds };
  const counted = performance.now() + 1_000 * warmUp;
  const options: Options = {
    url: `${url}/graphql`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: PAGE }),
    connections,
    duration: warmUp + seconds,
    timeout: 30,
    requests: [
      { onResponse: (...response) => isExpected(response) || responses.others.push(response.slice(0, 2).join(' ')) },
    ],
    ...(rate && { overallRate: rate, ignoreCoordinatedOmission: true }),
  };
  const clients = autocannon(options, () => {});
  clients.on('response', (_client, status, _bytes, milliseconds) => {
    if (performance.now() > counted) (status === 200 ? responses.accepted : responses.refused).push(milliseconds);
  });
  clients.on('reqError', (error) => responses.others.push(String(error)));
  await once(clients, 'done');
  responses.seconds = (performance.now() - counted) / 1000;
  return responses;
}

type Reply = Parameters<Extract<Request['onResponse'], (...args: never[]) => void>>;

/** The whole page, or a 503 that tells the client to retry. */
function isExpected([status, body, _context, headers = {}]: Reply): boolean {
  if (status === 200) return body.startsWith('{"data":{"all":{"totalCount" : 20000}');
  return status === 503 && body.includes('"SERVICE_UNAVAILABLE","retryable":true') && 'retry-after' in headers;
}

interface Load {
  connections: number;
  seconds: number;
  /** Seconds before the measurement. */
  warmUp: number;
  /** Requests per second. */
  rate?: number;
}
