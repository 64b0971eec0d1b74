import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { aMigratedProject, type Ended, type Project } from './project.ts';

vi.setConfig({ testTimeout: 240_000 });

const [, book = ''] = /## Phrase book\n\n([\s\S]*?)\n\n/.exec(readFileSync('docs/migrations.md', 'utf8')) ?? [];
/** What the last column says to do here, one per line of the book. */
const phrases = book
  .split('\n')
  .slice(2)
  .map((line) => line.split(' | ').at(-1)?.replace(/ *\|$/, '') ?? '');
const commands = phrases.flatMap((phrase) => /^`((?:npx mikro-orm|npm run) [^`]+)`$/.exec(phrase)?.[1] ?? []);

/** What a person puts in place of a name of the book. */
const PLACES: Record<string, string> = {
  '<name>': 'add_articles_slug',
  '<a>': 'base',
  '<b>': 'add_articles_slug',
  '<sentence>': 'The tables stay for the reports.',
};

/** What is done before, where there would be nothing to do otherwise. */
const BEFORE: Record<string, (project: Project) => PromiseLike<unknown>> = {
  'migration:up': (project) => project.run('migration:down', '--to', 'base'),
  'migration:up --to +1': (project) => project.run('migration:down', '--to', '-2'),
  // The last migration runs outside a transaction.
  'migration:up --single-transaction': async (project) => {
    project.remove('migrations/Migration20260104000000_index_articles_title.ts');
    await project.query(`delete from mikro_orm_migrations where name like '%index_articles_title'`);
    await project.run('migration:down', '--to', 'base');
  },
  'migration plan': (project) => project.run('migration:down'),
  'migration stamp head': (project) => project.query('delete from mikro_orm_migrations'),
  'migration:log --name <name>': (project) => project.run('migration:unlog', '--name', 'add_articles_slug'),
};

test('the phrase book says what to run for every phrase', () => {
  expect(phrases.length).toBeGreaterThan(20);
  expect(phrases.filter((phrase) => !/^`.+`$/.test(phrase))).toEqual([]);
});

test.each(commands)('%s does what it says', async (command) => {
  const project = (await aMigratedProject()).with({ DISPOSABLE_DATABASES: 'migsafe_test_*' });
  const [, words = ''] = /^(?:npx mikro-orm|npm run mikro-orm --|npm run(?= migration)) (.*)$/.exec(command) ?? [];
  await BEFORE[words]?.(project);
  const args = words
    .split(' ')
    .filter((word) => word !== '--')
    .map((word) => word.replaceAll(/<\w+>/g, (place) => PLACES[place] ?? place));
  const { code, out } = (await (command.startsWith('npx') ? project.run(...args) : project.extra(...args))) as Ended;
  expect([code, out]).toEqual([0, expect.any(String)]);
  expect(out.trim()).not.toBe('');
});
