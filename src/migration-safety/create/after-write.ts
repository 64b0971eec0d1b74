import { spawn } from 'node:child_process';
import type { MigratorParts } from '../migrator-parts.ts';
import { MigrationProblem } from '../problems.ts';

/** Runs the command of MIGRATION_AFTER_WRITE, such as a formatter, with the paths of the written files after it. */
export async function runAfterWrite({ settings, config }: MigratorParts, paths: string[]): Promise<void> {
  const command = settings.afterWrite;
  if (!command || paths.length === 0) return;
  // The shell puts "$@" in place of the arguments that follow, whatever characters they have.
  const child = spawn('sh', ['-c', `${command} "$@"`, 'sh', ...paths], {
    cwd: config.get('baseDir'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const code = await new Promise<number | null>((done, fail) => child.on('error', fail).on('close', done));
  if (code === 0) return;
  throw new MigrationProblem(
    'after-write-failed',
    [
      `"${command}" (MIGRATION_AFTER_WRITE) failed with exit code ${code}:`,
      ...output.trimEnd().split('\n'),
      'The migration is written. Correct it or the command:',
      ...paths.map((path) => `  ${path}`),
    ].join('\n'),
  );
}
