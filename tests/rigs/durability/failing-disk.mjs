/**
 * Simulates a failing disk; preloaded into a server under test. While the file that FAILING_DISK names exists, the calls
 * listed in it (`fsync`, `write`) fail with EIO in PGlite's thread.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const file = process.env.FAILING_DISK;

function failing(name) {
  const original = fs[`${name}Sync`];
  fs[`${name}Sync`] = (...args) => {
    if (fs.existsSync(file) && fs.readFileSync(file, 'utf8').includes(name)) {
      throw Object.assign(new Error(`EIO: i/o error, ${name}`), { code: 'EIO', errno: -5, syscall: name });
    }
    return original(...args);
  };
}

if (!isMainThread) {
  failing('fsync');
  failing('write');
  syncBuiltinESMExports();
}
