import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';

const repository = resolve(import.meta.dirname, '../..');
const PORT = '4000';

/** This project as a clone has it after `npm ci`, in a temporary folder with an embedded database of its own. */
export class WorkingCopy {
  commands = 0;
  private server: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly port: string,
  ) {}

  static async create(): Promise<WorkingCopy> {
    const folder = mkdtempSync(join(tmpdir(), 'conduit-tutorial-'));
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: repository,
    });
    for (const path of listed.toString().split('\0')) {
      if (path && existsSync(join(repository, path))) cpSync(join(repository, path), join(folder, path));
    }
    symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
    return new WorkingCopy(folder, String(await freePort()));
  }

  /** Applies a diff. The lines that it keeps and removes must be in the file exactly once. */
  change(path: string, diff: string): void {
    const lines = diff.split('\n').slice(0, -1);
    const side = (sign: string) =>
      lines
        .flatMap((line) => (line === '' || [' ', sign].includes(line.charAt(0)) ? [`${line.slice(1)}\n`] : []))
        .join('');
    const file = this.locate(path);
    const parts = readFileSync(file, 'utf8').split(side('-'));
    if (parts.length !== 2) throw new Error(`${path} has this ${parts.length - 1} times:\n${side('-')}`);
    writeFileSync(file, parts.join(side('+')));
  }

  /** The content of the file, which is written first if it does not exist. */
  file(path: string, content: string): string {
    const file = this.locate(path);
    if (!existsSync(file)) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    return readFileSync(file, 'utf8');
  }

  /** What the command prints, with its exit code if that is not 0. The server goes on running once it serves. */
  async run(command: string): Promise<string> {
    this.commands++;
    const child = spawn('bash', ['-c', command.replaceAll(`localhost:${PORT}`, `localhost:${this.port}`)], {
      cwd: this.folder,
      env: this.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (out += chunk));
    const ended = new Promise<number | null>((done) => child.on('close', done));
    if (command.startsWith('npm start')) {
      this.server = child;
      while (!out.includes('"msg":"GraphQL at ') && child.exitCode === null) await sleep(50);
    } else {
      const code = await ended;
      if (code !== 0) out = `${out.trimEnd()}\n(exit code ${code})\n`;
    }
    const text = out
      .replaceAll(`localhost:${this.port}`, `localhost:${PORT}`)
      .replaceAll(this.port, PORT)
      .replace(/^\n+/, '');
    return text === '' || text.endsWith('\n') ? text : `${text}\n`;
  }

  async stopServer(): Promise<void> {
    const { server } = this;
    if (!server?.pid || server.exitCode !== null) return;
    const closed = new Promise((done) => server.on('close', done));
    process.kill(-server.pid, 'SIGINT');
    await closed;
    this.server = undefined;
  }

  async dispose(): Promise<void> {
    await this.stopServer();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The file of this path; a migration has another timestamp each time. */
  private locate(path: string): string {
    const [, folder = '', description] = /^(.*\/)Migration\d{14}(_.*)$/.exec(path) ?? [];
    const name = description && readdirSync(join(this.folder, folder)).find((each) => each.endsWith(description));
    return join(this.folder, name ? folder + name : path);
  }

  /** Without the variables of the developer's shell and of the test runner that change what commands do. */
  private environment(): NodeJS.ProcessEnv {
    const { HOME, LANG, TMPDIR, PATH } = process.env;
    return {
      ...{ HOME, LANG, TMPDIR },
      PATH: [join(this.folder, 'node_modules/.bin'), PATH].join(delimiter),
      NO_COLOR: '1',
      PORT: this.port,
      npm_config_loglevel: 'silent', // the lines that `npm run` prints before the output
    };
  }
}
