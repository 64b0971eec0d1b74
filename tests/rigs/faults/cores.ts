import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Rig } from './rig.ts';
import type { ServerProcess } from './server-process.ts';

/**
 * A server and its PostgreSQL with a core of their own, whatever this process, which has another one, asks of them: who
 * takes the processor from what he measures, measures himself. Machines with one core, and others than Linux, share.
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

/** Gives this process back the cores that it had. */
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
