import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { BlogServer } from './blog-server.ts';
import { Broken, between, mounted, pause, type Rig } from './rig.ts';
import { type Acknowledged, check, Writers } from './writers.ts';

/**
 * A power cut, as far as it can be had: the image under a mounted ext4 is copied without a sync, so that what only the
 * page cache has is not in the copy. The server stands still meanwhile, and goes on after it.
 */
export async function powerCuts({ short, folder, note, round: told }: Rig): Promise<void> {
  const rounds = short ? 2 : 100;
  const image = `${folder}/disk.img`;
  execFileSync('truncate', ['-s', '1G', image]);
  execFileSync('mkfs.ext4', ['-q', '-F', image]);
  await mounted(['-o', 'loop', image], `${folder}/disk`, async () => {
    const writers = new Writers();
    await whileWriting(writers, `${folder}/disk/data`, async (server) => {
      for (let round = 0; round < rounds; round += 1) {
        await pause(between(200, 1200));
        const acknowledged = cutOff(server, writers, folder);
        await withCopy(folder, () => opens(`${folder}/copy/data`, acknowledged));
        told(round + 1, rounds, 'power cuts');
      }
    });
    const { acknowledgements } = writers;
    note(
      `${rounds} power cuts under load with checkpoints, ${acknowledgements} acknowledged: 0 lost, every folder opened`,
    );

    // Without fsync the same must lose something, or the rig proves nothing.
    execFileSync('sync', ['-f', `${folder}/disk`]);
    const before = writers.acknowledgements;
    await whileWriting(
      writers,
      `${folder}/disk/data`,
      async (server) => {
        await writers.until('something was acknowledged', () => writers.acknowledgements > before + 20);
        const told = cutOff(server, writers, folder);
        const outcome = await withCopy(folder, () => opens(`${folder}/copy/data`, told)).catch((error: Error) => error);
        if (outcome === undefined) throw new Broken('Without fsync nothing was lost either: this rig detects no loss.');
        note(`the same with EMBEDDED_FSYNC=off, as a control, loses: ${outcome.message.slice(0, 200)}`);
      },
      { EMBEDDED_FSYNC: 'off' },
    );
  });
}

/** Runs `work` while writers write to a server in `data` and PostgreSQL checkpoints now and then. */
async function whileWriting(
  writers: Writers,
  data: string,
  work: (server: BlogServer) => Promise<void>,
  variables: NodeJS.ProcessEnv = {},
): Promise<void> {
  const server = await BlogServer.start(data, variables);
  let isOver = false;
  try {
    if (writers.acknowledgements === 0) await writers.register(server);
    const writing = writers.write(server);
    const checkpoints = server.connected(async (client) => {
      for (; !isOver; await pause(300)) if (variables.EMBEDDED_FSYNC !== 'off') await client.query('checkpoint');
    });
    await work(server);
    writers.stop();
    isOver = true;
    await Promise.all([writing, checkpoints]);
  } finally {
    isOver = true;
    writers.stop();
    await server.kill();
  }
}

/** Copies the disk as a cut at this moment leaves it; answers with what was acknowledged before. */
function cutOff(server: BlogServer, writers: Writers, folder: string): Acknowledged {
  const told = writers.noted();
  server.process.kill('SIGSTOP');
  execFileSync('cp', ['--sparse=always', `${folder}/disk.img`, `${folder}/copy.img`]);
  server.process.kill('SIGCONT');
  return told;
}

async function withCopy(folder: string, work: () => Promise<void>): Promise<void> {
  try {
    await mounted(['-o', 'loop', `${folder}/copy.img`], `${folder}/copy`, work);
  } finally {
    rmSync(`${folder}/copy.img`);
  }
}

async function opens(data: string, told: Acknowledged): Promise<void> {
  const server = await BlogServer.start(data);
  try {
    await check(server, told);
  } finally {
    await server.kill();
  }
}
