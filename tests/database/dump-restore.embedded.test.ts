import { execFile } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

test('db:dump does not follow a link that someone put where it writes', { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'conduit-dump-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const precious = join(folder, 'precious');
  const file = join(folder, 'conduit.sql');
  writeFileSync(precious, 'precious');
  for (const link of [file, `${file}.part`]) symlinkSync(precious, link);

  const program = ['--import', '@oxc-node/core/register', 'src/database/dump-restore.ts', 'dump'];
  const env = { ...process.env, EMBEDDED_FSYNC: 'off' };
  await promisify(execFile)(process.execPath, [...program, '--folder', join(folder, 'data'), file], { env });

  expect(readFileSync(precious, 'utf8')).toBe('precious');
  expect(lstatSync(file).isFile()).toBe(true);
  expect(lstatSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).toMatch(/set/i);
  expect(existsSync(`${file}.part`)).toBe(false);
});
