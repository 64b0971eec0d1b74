import { createInterface } from 'node:readline/promises';

/** Whether there is a terminal to ask questions on. */
export const isInteractive = () => Boolean(process.stdin.isTTY && process.stdout.isTTY);

/** The answer to the question, or undefined after Ctrl-C or Ctrl-D. */
export async function prompt(question: string): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const closed = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
  try {
    return await Promise.race([terminal.question(question).then((answer) => answer.trim()), closed]);
  } finally {
    terminal.close();
  }
}
