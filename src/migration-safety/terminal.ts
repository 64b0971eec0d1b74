import { createInterface } from 'node:readline/promises';

/** Whether there is a person to ask. */
export const someoneIsThere = () => Boolean(process.stdin.isTTY && process.stdout.isTTY);

/** What the person answers; undefined when they leave with Ctrl-C or Ctrl-D. */
export async function ask(question: string): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const left = new Promise<undefined>((done) => terminal.once('close', () => done(undefined)));
  try {
    return await Promise.race([terminal.question(question).then((answer) => answer.trim()), left]);
  } finally {
    terminal.close();
  }
}
