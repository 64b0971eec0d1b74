import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { BlogServer } from './blog-server.ts';
import { GuaranteeBroken, pause, type Rig, randomBetween, withMount } from './rig.ts';
import { type Acknowledged, check, Writers } from './writers.ts';

/**
 * Simulates power cuts: copies the image under a mounted ext4 without a sync, so that the copy lacks what is only in the
 * page cache. The server is stopped during the copy and continued after it.
 */
export async function powerCuts({ short, folder, note, progress }: Rig): Promise<void> {
  const rounds = short ? 2 : 100;
  const image = `${folder}/disk.img`;
  execFileSync('truncate', ['-s', '1G', image]);
  execFileSync('mkfs.ext4', ['-q', '-F', image]);
  await withMount(['-o', 'loop', image], `${folder}/disk`, async () => {
    const writers = new Writers();
    await whileWriting(writers, `${folder}/disk/data`, async (server) => {
      for (let round = 0; round < rounds; round += 1) {
        await pause(randomBetween(200, 1200));
        const acknowledged = cutPower(server, writers, folder);
        await withCopy(folder, () => checkCopy(`${folder}/copy/data`, acknowledged));
        progress(round + 1, rounds, 'power cuts');
      }
    });
    const { acknowledgements } = writers;
    note(
      `${rounds} power cuts under load with checkpoints, ${acknowledgements} acknowledged: 0 lost, every folder opened`,
    );

    // The control: without fsync something must be lost, or the rig cannot detect losses.
    execFileSync('sync', ['-f', `${folder}/disk`]);
    const before = writers.acknowledgements;
    await whileWriting(
      writers,
      `${folder}/disk/data`,
      async (server) => {
        await writers.until('writes were acknowledged', () => writers.acknowledgements > before + 20);
        const acknowledged = cutPower(server, writers, folder);
        const outcome = await withCopy(folder, () => checkCopy(`${folder}/copy/data`, acknowledged)).catch(
          (error: Error) => error,
        );
        if (outcome === undefined)
          throw new GuaranteeBroken('Nothing was lost without fsync: this rig does not detect losses.');
        note(`control with EMBEDDED_FSYNC=off: ${outcome.message.slice(0, 200)}`);
      },
      { EMBEDDED_FSYNC: 'off' },
    );
  });
}

/** Runs `work` while clients write to a server on `data`, with regular checkpoints. */
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
    const checkpoints = server.withClient(async (client) => {
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

/** Copies the disk as a power cut now would leave it; returns what was acknowledged before. */
function cutPower(server: BlogServer, writers: Writers, folder: string): Acknowledged {
  const acknowledged = writers.snapshot();
  server.process.kill('SIGSTOP');
  execFileSync('cp', ['--sparse=always', `${folder}/disk.img`, `${folder}/copy.img`]);
  server.process.kill('SIGCONT');
  return acknowledged;
}

async function withCopy(folder: string, work: () => Promise<void>): Promise<void> {
  try {
    await withMount(['-o', 'loop', `${folder}/copy.img`], `${folder}/copy`, work);
  } finally {
    rmSync(`${folder}/copy.img`);
  }
}

async function checkCopy(data: string, acknowledged: Acknowledged): Promise<void> {
  const server = await BlogServer.start(data);
  try {
    await check(server, acknowledged);
  } finally {
    await server.kill();
  }
}
