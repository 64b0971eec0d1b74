import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OtherProcess, type Said } from '../database/embedded/processes.ts';

/** What a rig gets: how often to do it, and a folder that goes with it. */
export interface Rig {
  short: boolean;
  folder: string;
  /** A figure for the record. */
  note(line: string): void;
}

export const isRoot = process.getuid?.() === 0;

export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'durability-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Mounts, and sees to it that nothing stays mounted. */
export async function mounted<T>(args: string[], at: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(at, { recursive: true });
  execFileSync('mount', [...args, at]);
  try {
    return await work();
  } finally {
    execFileSync('umount', ['-l', at]);
  }
}

/**
 * A process that inserts articles, each with its two tags in one statement, as fast as they are acknowledged; what it
 * was told is kept here, in a process that nobody kills.
 */
export class Writer {
  readonly acknowledged: number[];
  readonly process: OtherProcess;
  readyAfter = 0;
  private next: number;
  private isStopped = false;
  private refusals = 0;
  private question: PromiseWithResolvers<Said> | undefined;

  constructor(folder: string, acknowledged: number[] = []) {
    this.acknowledged = acknowledged;
    this.next = (acknowledged.at(-1) ?? 0) + 100_000;
    const started = performance.now();
    this.process = new OtherProcess(folder, { use: 'own', ownWithin: 10_000 });
    this.hello = this.process.heard().then((said) => {
      this.readyAfter = performance.now() - started;
      if (said.open !== true) throw new Error(`The folder does not open: ${said.message}`);
    });
  }

  readonly hello: Promise<void>;

  async prepare(): Promise<void> {
    await this.hello;
    await this.process.ask('create table if not exists article (n int primary key)');
    await this.process.ask(
      'create table if not exists tag (article int references article, name text, primary key (article, name))',
    );
  }

  /** Writes until it is killed or stopped; `checkpoints` makes PostgreSQL checkpoint now and then meanwhile. */
  async write({ checkpoints = false } = {}): Promise<void> {
    while (!this.isStopped) {
      this.question?.resolve(await this.process.ask('select count(*) from article'));
      this.question = undefined;
      this.next += 1;
      const said = await this.process.ask(insert(this.next));
      if (said.rows !== undefined) this.acknowledged.push(this.next);
      else if (said.open === false) return;
      else this.refusals += 1;
      if (checkpoints && this.next % 150 === 0) await this.process.ask('checkpoint');
    }
  }

  /** A read, in turn with the writes: its process answers lines in their order. */
  async reads(): Promise<Said> {
    this.question = Promise.withResolvers<Said>();
    return await this.question.promise;
  }

  get refused(): number {
    return this.refusals;
  }

  stop(): void {
    this.isStopped = true;
  }
}

const insert = (n: number) =>
  `with a as (insert into article values (${n}) returning n) insert into tag select n, t from a, (values ('one'), ('two')) v(t)`;

/** Opens the folder, and throws if anything acknowledged is missing or half there. */
export async function inspect(folder: string, acknowledged: number[]): Promise<void> {
  const reader = new OtherProcess(folder, { use: 'own', ownWithin: 10_000 });
  try {
    const hello = await reader.heard();
    if (hello.open !== true) throw new Error(`The folder does not open: ${hello.message}`);
    await check(reader, acknowledged);
  } finally {
    await reader.kill();
  }
}

export async function check(reader: OtherProcess, acknowledged: number[]): Promise<void> {
  const { rows = [], message } = await reader.ask('select n from article');
  if (message !== undefined) throw new Error(message);
  const there = new Set(rows.map(({ n }) => n));
  const lost = acknowledged.filter((n) => !there.has(n));
  if (lost.length > 0)
    throw new Error(`${lost.length} of ${acknowledged.length} acknowledged rows are lost: ${lost.slice(0, 5)}…`);
  const half = await reader.ask(
    'select n from article left join tag on article = n group by n having count(name) <> 2',
  );
  if (half.rows?.length !== 0) throw new Error(`Half written: ${JSON.stringify(half)}`);
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export const between = (least: number, most: number) => least + Math.floor(Math.random() * (most - least));

export function percentile(figures: number[], part: number): number {
  const sorted = figures.toSorted((one, other) => one - other);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
}
