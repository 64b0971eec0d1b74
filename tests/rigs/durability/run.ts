/**
 * `npm run test:durability`: what the embedded database promises, tried on the built server with kill -9, cut power and
 * bad disks. `-- --short` is the form for CI; names of rigs run only those. It exits with 77 where it had to leave out those that
 * need root, and with 1 where a promise was broken.
 */
import { fullDisk } from './full-disk.ts';
import { ioErrors } from './io-errors.ts';
import { kills } from './kills.ts';
import { powerCuts } from './power-cuts.ts';
import { isRoot, type Rig, withFolder } from './rig.ts';
import { sharing } from './sharing.ts';
import { throughput } from './throughput.ts';
import { watchdog } from './watchdog.ts';

const RIGS: Record<string, { run: (rig: Rig) => Promise<void>; needsRoot?: boolean; onlyByName?: boolean }> = {
  kills: { run: kills },
  'power-cuts': { run: powerCuts, needsRoot: true },
  sharing: { run: sharing },
  watchdog: { run: watchdog },
  'full-disk': { run: fullDisk, needsRoot: true },
  'io-errors': { run: ioErrors },
  throughput: { run: throughput, onlyByName: true },
};
const NEEDS_ROOT = 77;

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const short = process.argv.includes('--short');
let passed = 0;
let failed = 0;
let leftOut = 0;

for (const [name, { run, needsRoot = false, onlyByName = false }] of Object.entries(RIGS)) {
  if (wanted.length > 0 ? !wanted.includes(name) : onlyByName) continue;
  if (needsRoot && !isRoot) {
    console.log(`${name}: left out, it mounts a disk and needs root`);
    leftOut += 1;
    continue;
  }
  const start = performance.now();
  try {
    const note = (line: string) => console.log(`${name}: ${line}`);
    await withFolder((folder) => run({ short, folder, note, round: everyTenth(note) }));
    passed += 1;
    console.log(`${name}: held, ${((performance.now() - start) / 1000).toFixed(0)} s`);
  } catch (error) {
    failed += 1;
    console.log(`${name}: BROKEN: ${error instanceof Error ? error.message : String(error)}`);
  }
}
console.log(`durability: ${passed} passed, ${failed} failed${leftOut > 0 ? `, ${leftOut} skipped` : ''}`);
process.exit(failed > 0 ? 1 : leftOut > 0 ? NEEDS_ROOT : 0);

function everyTenth(note: (line: string) => void): Rig['round'] {
  return (done, of, what) => {
    if (done > 0 && done < of && done % 10 === 0) note(`… ${done} of ${of}${what === undefined ? '' : ` ${what}`}`);
  };
}
