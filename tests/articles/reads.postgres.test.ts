import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { databaseOn } from '../support/migrated-template.ts';
import { anArticle } from '../support/test-data.ts';
import { orm, settings } from '../support/test-server.ts';

/** Server processes that count reads together, and end in the middle of it. */

test('10,000 reads at once over two servers, some of them sent to both, are counted exactly', {
  timeout: 300_000,
}, async () => {
  const article = await anArticle();
  const servers = [await startServer(), await startServer()];
  await forEachAtOnce(10_000, async (reader) => {
    for (const server of reader % 10 === 0 ? servers : servers.slice(reader % 2, 1 + (reader % 2))) {
      await server.read(article, reader);
    }
  });
  for (const server of servers) expect(await server.end('SIGTERM')).toBe(0);
  expect(await readCountOf(article)).toBe(10_000);
});

test('a server that is stopped has counted every read', { timeout: 120_000 }, async () => {
  const article = await anArticle();
  const server = await startServer();
  await forEachAtOnce(100, (reader) => server.read(article, reader));
  expect(await server.end('SIGTERM')).toBe(0);
  expect(await readCountOf(article)).toBe(100);
});

test('a server that is killed loses only reads since it last wrote them, and these count when they are sent again', {
  timeout: 120_000,
}, async () => {
  const article = await anArticle();
  const server = await startServer();
  await forEachAtOnce(100, (reader) => server.read(article, reader));
  await expect.poll(() => readCountOf(article), { timeout: 30_000 }).toBe(100);
  for (let reader = 100; reader < 150; reader += 1) await server.read(article, reader);
  await server.end('SIGKILL');
  const counted = await readCountOf(article);
  expect(counted).toBeGreaterThanOrEqual(100);
  expect(counted).toBeLessThanOrEqual(150);

  const next = await startServer();
  await forEachAtOnce(150, (reader) => next.read(article, reader));
  await next.end('SIGTERM');
  expect(await readCountOf(article)).toBe(150);
});

type StoredArticle = Awaited<ReturnType<typeof anArticle>>;

async function readCountOf({ id }: StoredArticle): Promise<number> {
  const [row] = await orm.em
    .fork()
    .execute<{ read_count: number }[]>('select read_count from articles where id = ?', [id]);
  return row?.read_count ?? Number.NaN;
}

async function forEachAtOnce(count: number, act: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      await act(next - 1);
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

async function startServer() {
  const template = inject('template');
  if (template.kind !== 'postgres') throw new Error('This test needs a PostgreSQL server.');
  const [row] = await orm.em.fork().execute<{ name: string }[]>('select current_database() as name');
  const port = await freePort();
  const child = spawn(process.execPath, ['--import', '@oxc-node/core/register', 'src/main.ts'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: databaseOn(template.server, row?.name ?? ''),
      HOST: '127.0.0.1',
      PORT: String(port),
      SECRET_KEY: settings.secretKey,
      MIGRATE_ON_START: 'off',
      LOG_LEVEL: 'error',
      MAX_WAIT_MILLISECONDS: '60000',
    },
  });
  onTestFinished(() => void end(child, 'SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await expect
    .poll(
      () =>
        fetch(`${url}/readyz`).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 60_000 },
    )
    .toBe(200);
  return {
    end: (signal: NodeJS.Signals) => end(child, signal),
    read: async ({ slug }: StoredArticle, reader: number) => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': `Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0 (${reader})`,
        },
        body: JSON.stringify({
          query:
            'mutation ($slug: String!) { recordArticleRead(input: { article: { slug: $slug } }) { errors { code } } }',
          variables: { slug },
        }),
      });
      expect(await response.json()).toMatchObject({ data: { recordArticleRead: { errors: [] } } });
    },
  };
}

/** The exit code. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
  return child.exitCode;
}
