import { DatabaseProcess } from '../../embedded-postgres/database-process.ts';
import { GuaranteeBroken, type Rig } from './rig.ts';

/** Second processes on a folder in use, stale locks, and pairs that start at the same moment. */
export async function sharing({ short, folder, note, progress }: Rig): Promise<void> {
  const rounds = short ? 2 : 50;
  await secondProcesses(`${folder}/shared`, rounds, progress);
  note(`${rounds} second processes on a folder in use: all served through its owner, folder intact`);
  await staleLocks(`${folder}/stale`, rounds, progress);
  note(`${rounds} locks left by kill -9: all taken over`);
  await pairs(folder, rounds, progress);
  note(`${rounds} pairs started at the same moment: one owner each, both served`);
}

async function secondProcesses(folder: string, rounds: number, progress: Rig['progress']): Promise<void> {
  const owner = new DatabaseProcess(folder);
  try {
    await owner.reply();
    await owner.query('create table visit (n int)');
    for (let round = 0; round < rounds; round += 1) {
      const second = new DatabaseProcess(folder);
      const opened = await second.reply();
      if (opened.open !== true || opened.isOwner === true)
        throw new GuaranteeBroken(`A second process did not join the owner: ${JSON.stringify(opened)}`);
      await second.query(`insert into visit values (${round})`);
      if ((await second.exit()) !== 0) throw new GuaranteeBroken('A second process failed.');
      progress(round + 1, rounds, 'second processes');
    }
    await expectCount(owner, 'visit', rounds);
  } finally {
    await owner.kill();
  }
  const next = new DatabaseProcess(folder);
  try {
    await next.reply();
    await expectCount(next, 'visit', rounds);
  } finally {
    await next.kill();
  }
}

async function staleLocks(folder: string, rounds: number, progress: Rig['progress']): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    const owner = new DatabaseProcess(folder, { requireOwnership: true, openTimeout: 0 });
    const opened = await owner.reply();
    if (opened.isOwner !== true)
      throw new GuaranteeBroken(`A stale lock was not taken over: ${JSON.stringify(opened)}`);
    await owner.kill();
    progress(round, rounds, 'stale locks');
  }
}

async function pairs(folder: string, rounds: number, progress: Rig['progress']): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    // The first ten rounds create the folder, the others reuse it.
    const name = `${folder}/pair${round % 10}`;
    const both = [new DatabaseProcess(name), new DatabaseProcess(name)];
    try {
      const opened = await Promise.all(both.map((one) => one.reply()));
      const owners = opened.filter(({ isOwner }) => isOwner).length;
      if (owners !== 1 || opened.some(({ open }) => open !== true))
        throw new GuaranteeBroken(`A pair was not served: ${JSON.stringify(opened)}`);
      const results = await Promise.all(both.map((one) => one.query('select 1 as one')));
      if (results.some(({ rows }) => rows?.length !== 1))
        throw new GuaranteeBroken(`A pair was not served: ${JSON.stringify(results)}`);
      progress(round + 1, rounds, 'pairs');
    } finally {
      await Promise.all(both.map((one) => one.kill()));
    }
  }
}

async function expectCount(one: DatabaseProcess, table: string, count: number): Promise<void> {
  const result = await one.query(`select count(*)::int as n from ${table}`);
  if (result.rows?.[0]?.n !== count)
    throw new GuaranteeBroken(`${table} should hold ${count}: ${JSON.stringify(result)}`);
}
