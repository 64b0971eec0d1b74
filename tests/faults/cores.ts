import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Rig } from './rig.ts';
import type { ServerProcess } from './server-process.ts';

/**
 * A server and its PostgreSQL with a core of their own, whatever this process, which has another one, asks of them: who
 * takes the processor from what he measures, measures himself. Machines with one core, and others than Linux, share.
 */
export async function serverApart({ cluster, server }: Pick<Rig, 'cluster' | 'server'>): Promise<ServerProcess> {
  keepTo(0, cluster.pid); // before it forks for the server's connections
  const started = await server();
  keepTo(0, started.child.pid);
  keepTo(1, process.pid);
  return started;
}

function keepTo(core: number, pid: number | undefined): void {
  if (process.platform !== 'linux' || availableParallelism() < 2) return;
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)]);
}
