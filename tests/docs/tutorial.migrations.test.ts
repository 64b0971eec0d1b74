import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { WorkingCopy } from './working-copy.ts';

const guide = readFileSync('docs/tutorial.md', 'utf8');

/** A fenced block, or what stops the server. */
const STEP = /(^```(?:console|diff|ts)\n.*?^```$|Ctrl-C)/gms;

test('every edit of docs/tutorial.md fits, and every command says what it shows (update it: npx vitest run --mode migrations tests/docs -u)', async () => {
  const copy = await WorkingCopy.create();
  try {
    let text = '';
    for (const [at, part] of guide.split(STEP).entries()) {
      const before = text;
      text += at % 2 === 0 ? part : await follow(copy, part, before);
    }
    expect(copy.commands).toBeGreaterThan(12);
    await expect(text).toMatchFileSnapshot('../../docs/tutorial.md');
  } finally {
    await copy.dispose();
  }
}, 1_200_000);

/** Follows a part of the tutorial, and returns the part with the real output. */
async function follow(copy: WorkingCopy, part: string, before: string): Promise<string> {
  if (part === 'Ctrl-C') {
    await copy.stopServer();
    return part;
  }
  const [, kind, content = ''] = /^```(\w+)\n(.*)```$/s.exec(part) ?? [];
  const path = [...before.matchAll(/`([\w./-]+\.ts)`/g)].at(-1)?.[1] ?? '';
  if (kind === 'diff') copy.change(path, content);
  if (kind === 'ts') return fence(kind, shown(content, copy.file(path, content)));
  if (kind === 'console') return fence(kind, await session(copy, content));
  return part;
}

const fence = (kind: string, content: string) => `\`\`\`${kind}\n${content}\`\`\``;

/** Commands with their outputs, as a terminal shows them. */
async function session(copy: WorkingCopy, content: string): Promise<string> {
  let text = '';
  for (const [, command = '', output = ''] of content.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)) {
    text += `$ ${command}\n${shown(output, await copy.run(command))}`;
  }
  return text;
}

/** What the tutorial shows, if it differs only in what differs each time; otherwise the real output. */
const shown = (expected: string, actual: string) => (pattern(expected).test(stable(actual)) ? expected : actual);

/** `…` stands for what is left out: lines if it is one, or a part of its line. An exit code is never left out. */
function pattern(text: string): RegExp {
  const lines = stable(text).split('\n').slice(0, -1);
  const parts = lines.map((line) =>
    line === '…' ? '((?!\\(exit code ).*\\n)*?' : `${line.split('…').map(literally).join('.*')}\\n`,
  );
  return new RegExp(`^${parts.join('')}$`);
}

const literally = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** Without times, durations and the length of the history. */
const stable = (text: string) =>
  text
    .replaceAll(/Migration\d{14}/g, 'Migration')
    .replaceAll(/\b\d+(?= migrations? )/g, 'some')
    .replaceAll(/\bin \d+ s\b/g, 'in some s')
    .replaceAll(/"time":\d+,"pid":\d+,"hostname":"[^"]*"/g, '"time":…');
