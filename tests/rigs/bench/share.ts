import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of a core, for each process of a server. So little that what is beside it, the database above all, is never the limit. */
export const SHARE = 0.25;

/** Microseconds. */
const PERIOD = 20_000;
const QUOTA = PERIOD * SHARE;

/** What Linux's control groups want to be told, in their first form and in their second. */
const FORMS = [
  { folder: '/sys/fs/cgroup/cpu', files: { 'cpu.cfs_period_us': `${PERIOD}`, 'cpu.cfs_quota_us': `${QUOTA}` } },
  { folder: '/sys/fs/cgroup', files: { 'cpu.max': `${QUOTA} ${PERIOD}` } },
];

/** Holds processes to a share of a core each; what it has made for that goes with `end`, once they are gone. */
export class Shares {
  private readonly groups: string[] = [];

  /** Whether this machine, and this user, can do so. */
  static async areThere(): Promise<boolean> {
    const shares = new Shares();
    try {
      shares.group('trial');
      return true;
    } catch {
      return false;
    } finally {
      await shares.end();
    }
  }

  hold(pids: readonly number[]): void {
    for (const pid of pids) writeFileSync(`${this.group(String(pid))}/cgroup.procs`, String(pid));
  }

  async end(): Promise<void> {
    for (const group of this.groups.splice(0)) {
      for (let attempt = 1; !isRemoved(group) && attempt < 200; attempt += 1) await sleep(10);
    }
  }

  private group(name: string): string {
    const form = FORMS.find(({ folder }) => existsSync(`${folder}/cgroup.procs`));
    if (!form) throw new Error('There are no control groups.');
    const group = `${form.folder}/conduit-bench-${name}`;
    mkdirSync(group);
    this.groups.push(group);
    for (const [file, value] of Object.entries(form.files)) writeFileSync(`${group}/${file}`, value);
    return group;
  }
}

/** Not while there is still something of a process in it. */
function isRemoved(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}
