import { enableCompileCache } from 'node:module';

/**
 * How much garbage may pile up. V8 would choose by the machine's memory: 134 MB for what is new, where 8 MB for each of its
 * halves are as fast; and for what is old several times of what is in use, which here may grow by so many percent.
 */
const SIZES = ['--max-semi-space-size=8', '--heap-growing-percent=80'];

// V8 takes the first from the command line alone. So this process becomes node with them, which takes 40 ms; workers get what
// their parent was started with. Whoever gives sizes of their own is left with those.
const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
const isItsOwn = !process.channel && process.platform !== 'win32';
if (isItsOwn && process.execve && !/--(max-semi-space-size|heap-growing-percent)\b/.test(given)) {
  process.execve(process.execPath, [process.execPath, ...SIZES, ...process.execArgv, ...process.argv.slice(1)]);
}

// Before anything else is loaded: the next start need not compile it again.
enableCompileCache();
await import('./starting.ts');
