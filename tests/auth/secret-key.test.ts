// @module-tag security
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';

const STARTS = 4;
const FOLDERS = 50;

test('servers that start at once on a new folder share one key and leave no other file', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'conduit-keys-'));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  const folders = Array.from({ length: FOLDERS }, (_, n) => join(parent, String(n)));
  const arrived = new SharedArrayBuffer(4);
  const keys = await Promise.all(Array.from({ length: STARTS }, () => keysOf(folders, arrived)));
  for (const other of keys) expect(other).toEqual(keys[0]);
  expect(folders.flatMap((folder) => readdirSync(folder))).toEqual(Array(FOLDERS).fill('secret-key'));
});

/** The keys that one server gets in each folder; all servers enter each folder at the same time. */
function keysOf(folders: string[], arrived: SharedArrayBuffer): Promise<string[]> {
  const program = `
    const { parentPort, workerData: { folders, arrived } } = require('node:worker_threads');
    import(${JSON.stringify(new URL('../../src/auth/secret-key.ts', import.meta.url).href)}).then(({ loadSecretKey }) => {
      const counter = new Int32Array(arrived);
      parentPort.postMessage(folders.map((folder, n) => {
        Atomics.add(counter, 0, 1);
        while (Atomics.load(counter, 0) < ${STARTS} * (n + 1));
        return loadSecretKey(folder).key;
      }));
    });`;
  const worker = new Worker(program, { eval: true, workerData: { folders, arrived } });
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}
