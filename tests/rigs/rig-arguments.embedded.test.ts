import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const run = (rigs: string, argument: string) =>
  spawnSync(process.execPath, ['--import', '@oxc-node/core/register', `tests/rigs/${rigs}/run.ts`, argument], {
    encoding: 'utf8',
  });

test.each([
  ['faults', 'restart', 'There is no rig "restart"'],
  ['faults', '--shrot', '--shrot'],
  ['durability', 'kill', 'There is no rig "kill"'],
])('%s run with %s runs nothing and exits with 1', (rigs, argument, message) => {
  expect(run(rigs, argument)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(message) });
});

test.each(['faults', 'durability'])('%s --help lists the rigs and runs none', (rigs) => {
  expect(run(rigs, '--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Rigs: .*kills/m) });
});
