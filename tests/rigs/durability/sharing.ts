import { OtherProcess } from '../../embedded-postgres/processes.ts';
import { Broken, type Rig } from './rig.ts';

/** Second processes on a held folder, stale locks, and pairs that start at the same instant. */
export async function sharing({ short, folder, note, round: told }: Rig): Promise<void> {
  const rounds = short ? 2 : 50;
  await manyGuests(`${folder}/held`, rounds, told);
  note(`${rounds} second processes on a held folder: all served through its owner, folder intact`);
  await staleLocks(`${folder}/stale`, rounds, told);
  note(`${rounds} locks left by kill -9: all taken over`);
  await pairs(folder, rounds, told);
  note(`${rounds} pairs started at one instant: one owner each, both served`);
}

async function manyGuests(folder: string, rounds: number, told: Rig['round']): Promise<void> {
  const owner = new OtherProcess(folder);
  try {
    await owner.heard();
    await owner.ask('create table visit (n int)');
    for (let round = 0; round < rounds; round += 1) {
      const guest = new OtherProcess(folder);
      const hello = await guest.heard();
      if (hello.open !== true || hello.isOwner === true)
        throw new Broken(`A second process was not a guest: ${JSON.stringify(hello)}`);
      await guest.ask(`insert into visit values (${round})`);
      if ((await guest.end()) !== 0) throw new Broken('A guest did not end well.');
      told(round + 1, rounds, 'second processes');
    }
    await expectCount(owner, 'visit', rounds);
  } finally {
    await owner.kill();
  }
  const next = new OtherProcess(folder);
  try {
    await next.heard();
    await expectCount(next, 'visit', rounds);
  } finally {
    await next.kill();
  }
}

async function staleLocks(folder: string, rounds: number, told: Rig['round']): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    const owner = new OtherProcess(folder, { requireOwnership: true, openTimeout: 0 });
    const hello = await owner.heard();
    if (hello.isOwner !== true) throw new Broken(`A lock left behind was not taken over: ${JSON.stringify(hello)}`);
    await owner.kill();
    told(round, rounds, 'locks left behind');
  }
}

async function pairs(folder: string, rounds: number, told: Rig['round']): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    // Now with a folder to make, now with one that is there.
    const name = `${folder}/pair${round % 10}`;
    const both = [new OtherProcess(name), new OtherProcess(name)];
    try {
      const hello = await Promise.all(both.map((one) => one.heard()));
      const owners = hello.filter(({ isOwner }) => isOwner).length;
      if (owners !== 1 || hello.some(({ open }) => open !== true))
        throw new Broken(`A pair was not served: ${JSON.stringify(hello)}`);
      const answers = await Promise.all(both.map((one) => one.ask('select 1 as one')));
      if (answers.some(({ rows }) => rows?.length !== 1))
        throw new Broken(`A pair was not served: ${JSON.stringify(answers)}`);
      told(round + 1, rounds, 'pairs');
    } finally {
      await Promise.all(both.map((one) => one.kill()));
    }
  }
}

async function expectCount(one: OtherProcess, table: string, count: number): Promise<void> {
  const said = await one.ask(`select count(*)::int as n from ${table}`);
  if (said.rows?.[0]?.n !== count) throw new Broken(`${table} should hold ${count}: ${JSON.stringify(said)}`);
}
