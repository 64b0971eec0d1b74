import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** The share of a core for each process of a server; low enough that the database is never the limit. */
export const CPU_LIMIT = 0.25;

/** Microseconds. */
const PERIOD = 20_000;
const QUOTA = PERIOD * CPU_LIMIT;

/** The files of Linux's control groups, version 1 and 2. */
const VERSIONS = [
  { folder: '/sys/fs/cgroup/cpu', files: { 'cpu.cfs_period_us': `${PERIOD}`, 'cpu.cfs_quota_us': `${QUOTA}` } },
  { folder: '/sys/fs/cgroup', files: { 'cpu.max': `${QUOTA} ${PERIOD}` } },
];

/** Limits processes to a share of a core each. Call `remove` once they have exited. */
export class CpuLimits {
  private readonly groups: string[] = [];

  /** Whether this user can create control groups on this machine. */
  static async areAvailable(): Promise<boolean> {
    const limits = new CpuLimits();
    try {
      limits.group('trial');
      return true;
    } catch {
      return false;
    } finally {
      await limits.remove();
    }
  }

  apply(pids: readonly number[]): void {
    for (const pid of pids) writeFileSync(`${this.group(String(pid))}/cgroup.procs`, String(pid));
  }

  async remove(): Promise<void> {
    for (const group of this.groups.splice(0)) {
      for (let attempt = 1; !isRemoved(group) && attempt < 200; attempt += 1) await sleep(10);
    }
  }

  private group(name: string): string {
    const version = VERSIONS.find(({ folder }) => existsSync(`${folder}/cgroup.procs`));
    if (!version) throw new Error('Control groups are not available.');
    const group = `${version.folder}/conduit-bench-${name}`;
    mkdirSync(group);
    this.groups.push(group);
    for (const [file, value] of Object.entries(version.files)) writeFileSync(`${group}/${file}`, value);
    return group;
  }
}

/** A group with a process cannot be removed. */
function isRemoved(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}
