/**
 * `npm run test:durability`: tests the guarantees of the embedded database on the built server, with kill -9, power cuts and
 * disk errors. `-- --short` is for CI; arguments select rigs. Exits with 1 if one is broken, and with 77 if rigs
 * that need root were skipped.
 */
import { readRigArguments } from '../rig-arguments.ts';
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

const { selected, short } = readRigArguments('test:durability', Object.keys(RIGS), ['short']);
let passed = 0;
let failed = 0;
let skipped = 0;

for (const [name, { run, needsRoot = false, onlyByName = false }] of Object.entries(RIGS)) {
  if (selected.length > 0 ? !selected.includes(name) : onlyByName) continue;
  if (needsRoot && !isRoot) {
    console.log(`${name}: skipped, mounting a disk needs root`);
    skipped += 1;
    continue;
  }
  const start = performance.now();
  try {
    const note = (line: string) => console.log(`${name}: ${line}`);
    await withFolder((folder) => run({ short, folder, note, progress: everyTenth(note) }));
    passed += 1;
    console.log(`${name}: passed, ${((performance.now() - start) / 1000).toFixed(0)} s`);
  } catch (error) {
    failed += 1;
    console.log(`${name}: BROKEN: ${error instanceof Error ? error.message : String(error)}`);
  }
}
console.log(`durability: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 ? 1 : skipped > 0 ? NEEDS_ROOT : 0);

function everyTenth(note: (line: string) => void): Rig['progress'] {
  return (done, of, what) => {
    if (done > 0 && done < of && done % 10 === 0) note(`… ${done} of ${of} ${what}`);
  };
}
