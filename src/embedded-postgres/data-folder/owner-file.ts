import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Contents of owner.json: the process that holds the lock and where it listens. May be stale; only the lock decides. */
export interface OwnerInfo {
  pid: number;
  command: string;
  since: string;
  host: string;
  port: number;
  /** The password for connections over TCP, where file permissions cannot restrict access. */
  secret?: string;
}

export function writeOwnerFile(path: string, owner: OwnerInfo): void {
  // Renamed into place, so that no other process reads half of it.
  writeFileSync(`${path}.new`, `${JSON.stringify(owner, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function readOwnerFile(path: string): OwnerInfo | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as OwnerInfo;
  } catch {
    return undefined;
  }
}

/** The command line of this process, shortened for display. */
export function processCommand(): string {
  const [, script = 'node', ...rest] = process.argv;
  const name = script.replace(/^.*[\\/]node_modules[\\/]/, '').replace(`${process.cwd()}/`, '');
  return [name, ...rest].join(' ').slice(0, 200);
}
