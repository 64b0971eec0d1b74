import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LogOutput } from '../../../src/server/observability/log-output.ts';
import { freePort } from '../../support/free-port.ts';

const line = (number: number) => `${JSON.stringify({ number, text: 'x'.repeat(1000) })}\n`;

test('unread lines are buffered up to a limit, and the number of dropped lines is logged', async () => {
  const pipe = aPipe();
  const output = new LogOutput(pipe.end);
  for (let number = 0; number < 2000; number += 1) output.write(line(number));
  let text = '';
  const readAll = () => {
    for (let part = pipe.read(); part; part = pipe.read()) {
      text += part;
      output.flush();
    }
  };
  readAll();
  output.write(line(2000));
  output.flush();
  readAll();
  const parsed = text
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one));
  const numbers = parsed.flatMap(({ number }) => (typeof number === 'number' ? [number] : []));
  const kept = numbers.length - 1;
  expect(numbers).toEqual([...Array(kept).keys(), 2000]);
  expect(kept).toBeLessThan(1200);
  expect(parsed.at(-2)).toMatchObject({
    level: 40,
    msg: `${2000 - kept} log lines dropped: the output could not be written`,
  });
});

test.each(['a full disk', 'a reader that stopped reading'])(
  'a server whose log goes to %s still responds and shuts down',
  async (where) => {
    const folder = mkdtempSync(join(tmpdir(), 'conduit-log-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const port = await freePort();
    const { PATH = '' } = process.env;
    const server = spawn(process.execPath, ['--import', '@oxc-node/core/register', 'src/main.ts'], {
      env: { PATH, PORT: String(port), HOST: '127.0.0.1', DATA_FOLDER: folder },
      stdio: ['ignore', where === 'a full disk' ? full : 'pipe', 'inherit'],
    });
    onTestFinished(() => void server.kill('SIGKILL'));
    const status = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`).then(
        (response) => response.status,
        () => 0,
      );
    await expect.poll(() => status('/readyz'), { timeout: 60_000 }).toBe(200);
    for (let asked = 0; asked < 3000; asked += 50) {
      const responses = await Promise.all(Array.from({ length: 50 }, () => status('/nothing')));
      expect(new Set(responses)).toEqual(new Set([404]));
    }
    server.kill('SIGTERM');
    expect(await once(server, 'exit')).toEqual([0, null]);
  },
  180_000,
);

/** A pipe with non-blocking ends. */
function aPipe() {
  const folder = mkdtempSync(join(tmpdir(), 'conduit-pipe-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const start = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const end = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  onTestFinished(() => {
    closeSync(start);
    closeSync(end);
    rmSync(folder, { recursive: true });
  });
  const bytes = Buffer.alloc(100_000);
  const read = () => {
    let text = '';
    try {
      for (let count = 1; count > 0; text += bytes.toString('utf8', 0, count)) count = readSync(start, bytes);
    } catch {} // the pipe is empty
    return text;
  };
  return { end, read };
}
