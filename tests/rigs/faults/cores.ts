import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Rig } from './rig.ts';
import type { ServerProcess } from './server-process.ts';

/**
 * Starts a server that shares one core with its PostgreSQL, and moves this process to another, so that the clients do
 * not take CPU time from what they measure. Machines with one core, and other systems than Linux, share the cores.
 */
export async function isolatedServer({ cluster, server }: Pick<Rig, 'cluster' | 'server'>): Promise<ServerProcess> {
  const [theirs, ours] = CORES;
  if (ours === undefined) return server();
  pinTo(String(theirs), cluster.pid); // before it forks for the server's connections
  const started = await server();
  pinTo(String(theirs), started.child.pid);
  pinTo(String(ours), process.pid);
  return started;
}

/** Restores the CPU affinity of this process. */
export function shareCores(): void {
  if (CORES.length > 1) pinTo(ALLOWED, process.pid);
}

function pinTo(cores: string, pid: number | undefined): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)]);
}

/** Such as "0-1,4". */
const ALLOWED =
  process.platform === 'linux'
    ? (/^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '')
    : '';

const CORES = (ALLOWED.match(/[^,]+/g) ?? []).flatMap((range) => {
  const [first = 0, last = first] = range.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
});
