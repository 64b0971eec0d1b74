import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../../support/free-port.ts';
import { START } from '../../support/start-command.ts';
import { send } from './client.ts';

/** Must not appear in the output of the server. */
export const PASSWORD = 'canary-password-8f3a1c';
export const SECRET_KEY = 'canary-key-of-more-than-thirty-two-bytes-5d2e';

/** The server as `npm start` runs it, with its metrics. */
export class ServerProcess {
  output = '';
  readonly url: string;
  private isStopping = false;

  private constructor(
    readonly child: ChildProcess,
    port: number,
    private readonly metricsPort: number,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        this.output += text;
      });
    }
  }

  static async start(variables: Record<string, string>, { port = 0, isReady = true } = {}): Promise<ServerProcess> {
    const [at, metricsAt] = [port || (await freePort()), await freePort()];
    const { PATH = '' } = process.env;
    const own = { HOST: '127.0.0.1', PORT: String(at), METRICS_PORT: String(metricsAt), NODE_ENV: 'production' };
    const child = spawn(process.execPath, START, {
      env: { PATH, ...own, SECRET_KEY, ACCESS_TOKEN_EXPIRE_MINUTES: '1440', SHUTDOWN_DELAY_SECONDS: '0', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new ServerProcess(child, at, metricsAt);
    try {
      if (isReady) await server.ready();
      return server;
    } catch (error) {
      await server.kill();
      throw error;
    }
  }

  get hasCrashed(): boolean {
    return !this.isStopping && this.hasEnded;
  }

  async ready(): Promise<void> {
    for (const end = Date.now() + 180_000; (await this.status('/readyz')) !== 200; ) {
      if (this.hasEnded || Date.now() > end) throw new Error(`The server is not ready:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  status = async (path: string): Promise<number> => (await send(this.url, { path })).status;

  /** One number of /metrics. */
  metric = async (name: string): Promise<number> => {
    const text = String((await send(`http://127.0.0.1:${this.metricsPort}`, { path: '/metrics' })).body);
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  };

  /** SIGTERM, and its exit code. */
  async stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.hasEnded) return this.child.exitCode;
    this.isStopping = true;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
    return this.child.exitCode;
  }
}
