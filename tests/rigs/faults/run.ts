/**
 * `npm run test:faults`: tests the server's guarantees on PostgreSQL clusters that restart, stop responding or are too
 * slow, and with responses that are lost, edits that compete and commands that are killed. `-- --short` is the form for CI,
 * `-- --json` prints only the figures; names of rigs run only those. Only the long form asserts durations, on an otherwise idle
 * machine. Exits with 77 if PostgreSQL's programs are not installed, and with 1 if a guarantee was broken.
 */
import { existsSync } from 'node:fs';
import { readRigArguments } from '../rig-arguments.ts';
import { backfill } from './backfill.ts';
import { BINARIES } from './cluster.ts';
import { shareCores } from './cores.ts';
import { drips } from './drips.ts';
import { edits } from './edits.ts';
import { enumeration } from './enumeration.ts';
import { failover } from './failover.ts';
import { kills } from './kills.ts';
import { overload } from './overload.ts';
import { pooler } from './pooler.ts';
import { restarts } from './restarts.ts';
import { retries } from './retries.ts';
import { type Figures, type Rig, withBlog } from './rig.ts';
import { shutdowns } from './shutdowns.ts';
import { silence } from './silence.ts';
import { soak } from './soak.ts';
import { tls } from './tls.ts';

const RIGS: Record<string, (rig: Rig) => Promise<Figures>> = {
  restarts,
  kills,
  silence,
  shutdowns,
  overload,
  drips,
  enumeration,
  retries,
  edits,
  backfill,
  soak,
  tls,
  failover,
  pooler,
};
const NOT_INSTALLED = 77;

const { selected, short, json } = readRigArguments('test:faults', Object.keys(RIGS), ['short', 'json']);
const say = (line: string) => (json ? console.error(line) : console.log(line));

if (!existsSync(BINARIES)) {
  say(`faults: skipped, PostgreSQL's programs are not in ${BINARIES}`);
  process.exit(NOT_INSTALLED);
}
const report: Record<string, Figures | { broken: string }> = {};
for (const [name, run] of Object.entries(RIGS)) {
  if (selected.length > 0 && !selected.includes(name)) continue;
  const start = performance.now();
  try {
    const figures = await withBlog((blog) => run({ ...blog, short, note: (line) => say(`${name}: ${line}`) }));
    report[name] = figures;
    for (const [figure, value] of Object.entries(figures)) say(`${name}: ${figure}: ${value}`);
    say(`${name}: passed, ${((performance.now() - start) / 1000).toFixed(0)} s`);
  } catch (error) {
    report[name] = { broken: error instanceof Error ? error.message : String(error) };
    say(`${name}: BROKEN: ${error instanceof Error ? error.stack : String(error)}`);
  }
  shareCores();
}
const failed = Object.values(report).filter((figures) => 'broken' in figures).length;
if (json) console.log(JSON.stringify({ short, rigs: report }, null, 2));
say(`faults: ${Object.keys(report).length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
