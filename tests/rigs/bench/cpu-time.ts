import { readdirSync, readFileSync } from 'node:fs';

/** The CPU time that processes have used, in microseconds: theirs, and the kernel's for them. Zero where there is no /proc. */
export const cpuTimeOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + (statOf(pid)?.used ?? 0), 0);

/** The CPU time of all children that a process has or had, in microseconds. */
export function cpuTimeOfChildren(parent: number): number {
  const children = allPids().filter((pid) => statOf(pid)?.parent === parent);
  return cpuTimeOf(children) + (statOf(parent)?.usedByEnded ?? 0);
}

export const parentOf = (pid: number): number | null => statOf(pid)?.parent ?? null;

/** What proc(5) says of a process; null once it has ended. */
function statOf(pid: number): { parent: number; used: number; usedByEnded: number } | null {
  try {
    // The name before it, in parentheses, may contain spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').map(Number) ?? [];
    const [user = 0, system = 0, userOfEnded = 0, systemOfEnded = 0] = fields.slice(11, 15);
    const microseconds = (ticks: number) => ticks * 10_000;
    return {
      parent: fields[1] ?? 0,
      used: microseconds(user + system),
      usedByEnded: microseconds(userOfEnded + systemOfEnded),
    };
  } catch {
    return null;
  }
}

function allPids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Boolean);
  } catch {
    return [];
  }
}
