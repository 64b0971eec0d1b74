import { send } from './client.ts';
import { assertEqual, type Figures, query, type Rig } from './rig.ts';
import type { ServerProcess } from './server-process.ts';

/** Edits of one article through two servers, each with the version that its writer has read. */
export async function edits({ short, cluster, server, token }: Rig): Promise<Figures> {
  const count = short ? 200 : 2_000;
  const servers = [await server(), await server()] as const;
  const content = 'title: "Edited", description: "d", body: "first"';
  const { createArticle } = await mutate(servers[0], `createArticle(input: { ${content} })`, token);
  const id = createArticle?.article?.id;
  const acknowledged = new Map<number, string>();
  let [next, stale, later] = [0, 0, 0];
  const writer = async (n: number) => {
    let version = 1;
    while (next < count) {
      const body = `edit ${next++}`;
      const input = `{ article: { id: "${id}" }, body: "${body}", expectedVersion: ${version} }`;
      const { updateArticle } = await mutate(servers[n % 2 === 0 ? 0 : 1], `updateArticle(input: ${input})`, token);
      const { article, errors = [] } = updateArticle ?? {};
      if (article) {
        const own = version + 1;
        assertEqual('the version that the answer shows is that of the edit, or later', article.version >= own, true);
        assertEqual('edits acknowledged before of the same version', acknowledged.has(own), false);
        acknowledged.set(own, body);
        later += article.version > own ? 1 : 0; // answers show the article as it is when they are made
        version = article.version;
      } else {
        const [error] = errors;
        assertEqual('the error of a refused edit', error?.__typename, 'StaleVersionError');
        assertEqual('the current version is later', (error?.currentVersion ?? 0) > version, true);
        version = error?.currentVersion ?? 0;
        stale += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, n) => writer(n)));

  const [stored] = await query<{ version: number; body: string }>(cluster.url, 'select version, body from articles');
  assertEqual('the version at the end', stored?.version, 1 + acknowledged.size);
  assertEqual('the text at the end', stored?.body, acknowledged.get(stored?.version ?? 0));
  return {
    edits: count,
    acknowledged: acknowledged.size,
    'refused as stale': stale,
    'answers that show a later edit': later,
    'version at the end': stored?.version ?? 0,
  };
}

interface Payload {
  article: { id: string; version: number } | null;
  errors: { __typename: string; currentVersion?: number }[];
}

async function mutate({ url }: ServerProcess, mutation: string, token: string) {
  const errors = 'errors { __typename ... on StaleVersionError { currentVersion } }';
  const { body } = await send(url, { query: `mutation { ${mutation} { article { id version } ${errors} } }`, token });
  const { data } = body as { data?: Record<string, Payload> };
  if (!data) throw new Error(JSON.stringify(body));
  return data;
}
