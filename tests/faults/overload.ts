import { ask, Crowd, createArticle, type Heard, isRetriable } from './client.ts';
import { type Figures, mustBe, mustBeAtMost, pause, percentile, type Rig } from './rig.ts';

/** Ten times as many requests as the server can do, whoever is turned away coming again at once as somebody else. */
export async function overload({ short, server, token }: Rig): Promise<Figures> {
  const { url, metric } = await server();
  for (let n = 0; n < 100; n += 1) await ask(url, { token, query: createArticle(`Title ${n}`) });
  const { body } = await ask(url, { query: PAGE });
  mustBe('what is wrong with the page', (body as { errors?: unknown }).errors, undefined);
  await atTheMost(url, 1_000);
  const peak = await atTheMost(url, short ? 2_000 : 10_000);
  const seconds = short ? 4 : 60;
  const all = await atARate(url, peak * 10, seconds);
  const accepted = all.filter(({ status }) => status === 200);
  const refused = all.filter(({ status }) => status !== 200);
  const goodput = accepted.length / seconds;
  const p99 = percentile(
    accepted.map(({ milliseconds }) => milliseconds),
    0.99,
  );
  const after = await ask(url, { query: PAGE });
  const figures = {
    'peak, requests/s': Math.round(peak),
    'offered, requests/s': Math.round(all.length / seconds),
    'goodput, requests/s': Math.round(goodput),
    'goodput, % of the peak': Math.round((100 * goodput) / peak),
    'p99 of the accepted, ms': p99,
    'p99 of the refused, ms': percentile(
      refused.map(({ milliseconds }) => milliseconds),
      0.99,
    ),
    'turned away': await metric('graphql_requests_shed'),
  };
  mustBe('an answer right after it', after.status, 200);
  mustBe(
    'refusals that do not pass',
    refused.filter((answer) => !isRetriable(answer)).map(({ status, body }) => `${status} ${body}`)[0],
    undefined,
  );
  const measured = JSON.stringify(figures);
  mustBeAtMost({ short }, `goodput lost, requests/s (${measured})`, peak - goodput, 0.2 * peak);
  mustBeAtMost({ short }, `p99 of the accepted, ms (${measured})`, p99, 1_000);
  return figures;
}

/** A page as heavy as the limits let it be. */
const PAGE =
  '{ articles(first: 100) { totalCount nodes { slug title description tagList favoritesCount author { username followersCount articles(first: 10) { nodes { slug viewerHasFavorited commentsCount } } } } } }';

async function atTheMost(url: string, milliseconds: number): Promise<number> {
  let answered = 0;
  const began = performance.now();
  const crowd = new Crowd(20, async () => {
    if ((await ask(url, { query: PAGE })).status === 200) answered += 1;
  });
  await pause(milliseconds);
  const rate = (1000 * answered) / (performance.now() - began);
  await crowd.stop();
  return rate;
}

/** Sends at the rate, whatever comes back: those who ask do not know of each other. */
async function atARate(url: string, rate: number, seconds: number): Promise<Heard[]> {
  const all: Promise<Heard>[] = [];
  const began = performance.now();
  for (let elapsed = 0; elapsed < 1000 * seconds; elapsed = performance.now() - began) {
    while (all.length < (rate * elapsed) / 1000) all.push(ask(url, { query: PAGE }));
    await pause(2);
  }
  return Promise.all(all);
}
