import { Agent, request } from 'node:http';

/** Keep-alive connections, as a frontend has them. */
export const connections = new Agent({ keepAlive: true, maxSockets: 400 });

export interface Reply {
  /** 0 if there was no response. */
  status: number;
  headers: Record<string, unknown>;
  body: unknown;
  milliseconds: number;
}

export function send(
  url: string,
  { query, token, from, path = '/graphql' }: { query?: string; token?: string; from?: string; path?: string } = {},
): Promise<Reply> {
  const began = performance.now();
  const headers = {
    'content-type': 'application/json',
    ...(token && { authorization: `Token ${token}` }),
    ...(from && { 'x-forwarded-for': from }),
  };
  return new Promise((resolve) => {
    const nothing = (error: Error) =>
      resolve({ status: 0, headers: {}, body: error.message, milliseconds: performance.now() - began });
    const options = { method: query ? 'POST' : 'GET', headers, agent: connections, timeout: 60_000 };
    const sent = request(url + path, options, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', nothing);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        const body = text.startsWith('{') ? JSON.parse(text) : text;
        const milliseconds = performance.now() - began;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, milliseconds });
      });
    });
    sent.on('error', nothing).on('timeout', () => sent.destroy(new Error('no response in a minute')));
    sent.end(query ? JSON.stringify({ query }) : undefined);
  });
}

export const createArticle = (title: string) =>
  `mutation { createArticle(input: { title: "${title}", description: "d", body: "b", tagList: ["one", "two"] }) { article { slug } errors { code } } }`;

/** The slug of an acknowledged article; null if it was not acknowledged. */
export const slugOf = ({ body }: Reply): string | null =>
  (body as { data?: { createArticle?: { article?: { slug: string } | null } | null } | null }).data?.createArticle
    ?.article?.slug ?? null;

export const READ = '{ articles(first: 20) { nodes { slug title tagList author { username } } } }';

/** Whether a response tells the client to retry. */
export function isRetriable({ status, headers, body }: Reply): boolean {
  const { errors = [] } = body as { errors?: { extensions?: { code?: string; retryable?: boolean } }[] };
  const isTemporary = errors.every(
    ({ extensions }) => extensions?.code === 'SERVICE_UNAVAILABLE' && extensions.retryable,
  );
  return status === 503 && errors.length > 0 && isTemporary && headers['retry-after'] === '1';
}

/** Concurrent clients that repeat an action until they are stopped. */
export class Clients {
  private isDone = false;
  private readonly all: Promise<unknown>;

  constructor(size: number, act: (n: number) => Promise<void>) {
    const one = async (n: number) => {
      while (!this.isDone) await act(n);
    };
    this.all = Promise.all(Array.from({ length: size }, (_, n) => one(n)));
  }

  async stop(): Promise<void> {
    this.isDone = true;
    await this.all;
  }
}
