import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { preview } from 'vite';

const FRONTEND = join(import.meta.dirname, 'frontend');

/** Starts the server on an embedded database with the demo blog, and the frontend, built to call it. */
export async function startDemo({ folder, apiPort, pagePort, say = () => {} }: DemoSettings): Promise<Demo> {
  // Another server on the port would answer the readiness check, and get the demo blog.
  for (const port of [apiPort, pagePort]) await checkFree(port);
  const api = `http://localhost:${apiPort}`;
  const environment = {
    ...process.env,
    // Empty values count as missing and override those of .env: the demo has a database of its own.
    DATABASE_URL: '',
    DB_HOST: '',
    CORS_ORIGINS: '',
    NODE_ENV: 'development',
    HOST: 'localhost',
    PORT: String(apiPort),
    DATA_FOLDER: join(folder, 'data'),
    LOG_LEVEL: 'error',
    VITE_API: api,
  };
  const outDir = resolve(folder, 'frontend'); // Vite takes a relative path from the folder of the frontend

  say('Starting the server');
  const server = spawn(process.execPath, [...TYPESCRIPT, 'src/main.ts'], {
    env: environment,
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  process.once('exit', () => server.kill()); // also if this process is stopped while it starts
  try {
    await ready(server, api);
    say('Adding the demo blog');
    await run(process.execPath, [...TYPESCRIPT, 'src/seeding/seed.ts'], { env: environment });
    if (!existsSync(join(FRONTEND, 'node_modules'))) {
      say('Installing the packages of the frontend');
      await run('npm', ['--prefix', FRONTEND, 'ci', '--no-audit', '--no-fund']);
    }
    say('Building the frontend');
    const build = ['--prefix', FRONTEND, 'run', 'build', '--', '--outDir', outDir, '--emptyOutDir'];
    await run('npm', build, { env: environment });
    const pages = await preview({ root: FRONTEND, build: { outDir }, preview: { port: pagePort, strictPort: true } });
    return {
      api,
      page: `http://localhost:${pagePort}`,
      async close() {
        await Promise.all([pages.close(), stop(server)]);
      },
    };
  } catch (error) {
    await stop(server);
    throw error;
  }
}

export interface DemoSettings {
  /** Holds the data of the server and the built frontend. */
  readonly folder: string;
  readonly apiPort: number;
  readonly pagePort: number;
  readonly say?: (what: string) => void;
}

export interface Demo {
  readonly api: string;
  readonly page: string;
  close(): Promise<void>;
}

const TYPESCRIPT = ['--import', '@oxc-node/core/register'];

const run = promisify(execFile);

/** Resolves when the server is ready; rejects with its error output if it ends before that. */
async function ready(server: ChildProcess, api: string): Promise<void> {
  const said = server.stderr ? text(server.stderr) : '';
  let hasEnded = false;
  const ended = once(server, 'exit').then(async () => {
    hasEnded = true;
    throw new Error(`The server has ended. ${await said}`);
  });
  const answers = async () => {
    while (!hasEnded && !(await fetch(`${api}/readyz`).catch(() => null))?.ok) await sleep(100);
  };
  await Promise.race([answers(), ended]);
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill('SIGTERM');
  await once(server, 'exit');
}

/** Binds the port for a moment, which fails if it is in use. */
async function checkFree(port: number): Promise<void> {
  const probe = createServer().listen(port, 'localhost');
  await once(probe, 'listening').catch(() => {
    throw new Error(`Port ${port} is in use. Others: PORT=4001 PAGE_PORT=5174 npm run demo`);
  });
  await new Promise((done) => probe.close(done));
}
