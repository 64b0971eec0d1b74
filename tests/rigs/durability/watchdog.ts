import { BlogServer } from './blog-server.ts';
import { GuaranteeBroken, pause, type Rig } from './rig.ts';

/** A slow statement does not delay the rest of the server; it is cancelled at its timeout, and the next one works. */
export async function watchdog({ folder, note, short }: Rig): Promise<void> {
  const server = await BlogServer.start(folder);
  try {
    const idle = await slowestOf(server, '/healthz', pause(SECONDS * 1000));
    const slow = await slowestOf(server, '/healthz', slowStatement(server));
    note(`/healthz took at most ${slow.longest} ms during a ${SECONDS} s statement, ${idle.longest} ms without one`);
    const limit = short ? (SECONDS * 1000) / 2 : 100; // on a busy machine, check only that it does not wait for the statement
    if (slow.longest > idle.longest + limit)
      throw new GuaranteeBroken(`A slow statement delayed /healthz by over ${limit} ms.`);
    const ready = await slowestOf(server, '/readyz', slowStatement(server));
    await server.query('{ articles { totalCount } }');
    note('the statement was cancelled with 57014 at its timeout, and the next query worked');
    if (slow.statuses.some((status) => status !== 200))
      throw new GuaranteeBroken(`/healthz was not 200: ${slow.statuses}`);
    if (!ready.statuses.includes(503))
      throw new GuaranteeBroken(`/readyz stayed ${ready.statuses} while the database did not respond.`);
    if ((await server.status('/readyz')) !== 200) throw new GuaranteeBroken('/readyz did not recover.');
    note('/readyz was 503 while the database did not respond, and 200 after; /healthz was 200 throughout');
  } finally {
    await server.kill();
  }
}

const SECONDS = 3;

async function slowStatement(server: BlogServer): Promise<void> {
  const outcome = await server.withClient(
    (client) => client.query('select count(*) from generate_series(1, 100000000000)').catch((error) => error.code),
    { statement_timeout: SECONDS * 1000 },
  );
  if (outcome !== '57014') throw new GuaranteeBroken(`The slow statement ended with ${outcome}.`);
}

/** Requests `path` repeatedly until `meanwhile` settles. */
async function slowestOf(server: BlogServer, path: string, meanwhile: Promise<unknown>) {
  let isOver = false;
  const ended = meanwhile.finally(() => {
    isOver = true;
  });
  ended.catch(() => {});
  let longest = 0;
  const statuses = new Set<number>();
  while (!isOver) {
    const start = performance.now();
    statuses.add(await server.status(path));
    longest = Math.max(longest, Math.round(performance.now() - start));
    await pause(10);
  }
  await ended;
  return { longest, statuses: [...statuses] };
}
