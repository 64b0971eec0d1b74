import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('opens under node --watch, whose own messages come from the thread as well', async () => {
  const program = fileURLToPath(new URL('./database-program.ts', import.meta.url));
  const watched = spawn(process.execPath, ['--watch', '--import', '@oxc-node/core/register', program, 'memory'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: watched.stdout }), 'line');
  watched.kill('SIGTERM');
  await once(watched, 'exit');
  expect(JSON.parse(line)).toMatchObject({ open: true, isOwner: true });
});
