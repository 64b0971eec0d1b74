import { request } from 'node:http';
import { connections, send } from './client.ts';
import { assertEqual, type Figures, query, type Rig } from './rig.ts';
import type { ServerProcess } from './server-process.ts';

/** Articles created with a key by two servers. Three of ten answers are cut off, and the clients retry until one arrives. */
export async function retries({ short, cluster, server, token, note }: Rig): Promise<Figures> {
  const count = short ? 300 : 5_000;
  const servers = [await server(), await server()] as const;
  const answered = new Map<string, string>();
  let [attempts, cut, next] = [0, 0, 0];
  const client = async () => {
    while (next < count) {
      const key = `key-${next++}`;
      for (let id: string | null = null; id === null; attempts += 1) {
        const to = servers[attempts % 2 === 0 ? 0 : 1];
        const isCut = Math.random() < 0.3;
        cut += isCut ? 1 : 0;
        id = isCut ? await sendAndLeave(to, createOnce(key), token) : await created(to, key, token);
        if (id !== null) answered.set(key, id);
      }
      if (answered.size % 1_000 === 0)
        note(`${answered.size} of ${count} articles, ${cut} of ${attempts} answers cut off`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));

  const [stored] = await query<Record<string, number>>(
    cluster.url,
    `select count(*)::int as rows, count(distinct title)::int as titles,
       (select count(*)::int from idempotency_keys k join articles a on a.id = k.created_id and a.title = k.key) as keys
     from articles where title like 'key-%'`,
  );
  const duplicates = (stored?.rows ?? 0) - (stored?.titles ?? 0);
  const lost = answered.size - (stored?.titles ?? 0);
  assertEqual('keys that were answered', answered.size, count);
  assertEqual('articles that were created twice', duplicates, 0);
  assertEqual('articles that are lost', lost, 0);
  assertEqual('keys that lead to the article created with them', stored?.keys, count);
  assertEqual('different articles in the answers', new Set(answered.values()).size, count);
  return { articles: count, answers: attempts, 'answers cut off': cut, duplicates, lost };
}

const createOnce = (key: string) =>
  `mutation { createArticle(input: { title: "${key}", description: "d", body: "*b*", tagList: ["one"], idempotencyKey: "${key}" }) { article { id } errors { code } } }`;

/** The id of the article; null if the server asks to try again. */
async function created({ url }: ServerProcess, key: string, token: string): Promise<string | null> {
  const { status, body } = await send(url, { query: createOnce(key), token });
  if (status === 503) return null;
  const { data } = body as { data?: { createArticle?: { article?: { id: string } | null; errors: unknown[] } | null } };
  const { article } = data?.createArticle ?? {};
  if (!article) throw new Error(`${key}: ${status} ${JSON.stringify(body)}`);
  return article.id;
}

/** Closes the connection at some moment before the end of the answer, which is not read. */
function sendAndLeave({ url }: ServerProcess, query: string, token: string): Promise<null> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', authorization: `Token ${token}` };
    const sent = request(`${url}/graphql`, { method: 'POST', headers, agent: connections });
    const leave = () => sent.destroy();
    if (Math.random() < 0.5) sent.on('finish', () => setTimeout(leave, Math.random() * 30));
    sent.on('response', leave).on('error', () => {});
    sent.on('close', () => resolve(null));
    sent.end(JSON.stringify({ query }));
  });
}
