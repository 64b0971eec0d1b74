import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { chooseMigrations } from '../../src/migration-safety/apply/targets.ts';
import { anEmbeddedProject, aProject } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

test('a mistyped target changes nothing and suggests the closest name', async () => {
  const project = aProject();
  expect(await project.run('migration:up', '--to', 'Migration20260103')).toMatchObject({ code: 0 });
  const before = await project.dump();
  const typos = [
    ['migration:down', '--to', 'add_articles_slgu'],
    ['migration:up', '--to', 'add_articles_slgu'],
    ['migration:up', '--from', 'add_articles_slgu'],
    ['migration:up', '--only', 'add_articles_slgu'],
    ['migration:down', '--only', 'add_articles_slgu'],
    ['migration:log', '--name', 'add_articles_slgu'],
    ['migration:unlog', '--name', 'add_articles_slgu'],
  ];
  for (const { command, code, out } of await Promise.all(
    typos.map(async (command) => ({ command, ...(await project.run(...command)) })),
  )) {
    expect([command, code]).toEqual([command, 10]);
    expect(out).toContain('Did you mean Migration20260102000000_add_articles_slug?');
    expect(out).not.toMatch(/Options:|at .*\.js:\d+/);
  }
  expect(await project.dump()).toBe(before);
  expect(await project.applied()).toEqual(['create_authors_and_articles', 'add_articles_slug', 'invite_the_editor']);
});

test('relative targets, head and base work through the stock commands', async () => {
  const project = aProject().with({ DISPOSABLE_DATABASES: 'migsafe_test_*' });
  expect(await project.run('migration:up', '--to', '+1')).toMatchObject({ code: 0 });
  expect(await project.applied()).toHaveLength(1);
  expect(await project.run('migration:up', '--to', 'head')).toMatchObject({ code: 0 });
  expect(await project.applied()).toHaveLength(4);
  expect(await project.run('migration:down', '--to', '-2')).toMatchObject({ code: 0 });
  expect(await project.applied()).toHaveLength(2);
  expect(await project.run('migration:down', '--to', 'base')).toMatchObject({ code: 0 });
  expect(await project.applied()).toEqual([]);
});

test('migration:log records without running, migration:unlog forgets without reverting', async () => {
  const project = aProject();
  await project.run('migration:up', '--to', '+1');
  const before = await project.dump();
  expect(await project.run('migration:log', '--name', 'add_articles')).toMatchObject({ code: 0 });
  expect(await project.applied()).toEqual(['create_authors_and_articles', 'add_articles_slug']);
  expect(await project.run('migration:unlog', '--name', 'add_articles')).toMatchObject({ code: 0 });
  expect(await project.applied()).toEqual(['create_authors_and_articles']);
  expect(await project.dump()).toBe(before);
});

test('a target without a value and conflicting targets are refused, not ignored', async () => {
  const project = aProject();
  await project.run('migration:up', '--to', '+1');
  const before = await project.dump();
  const invalid: [command: string[], says: string][] = [
    [['migration:up', '--to', ''], '--to has no value'],
    [['migration:up', '--to='], '--to has no value'],
    [['migration:down', '-t'], '-t has no value'],
    [['migration:up', '--only', '', '--to', '+1'], '--only has no value'],
    [['migration:up', '--only', 'add_articles_slug', '--to', 'invite'], '--only and --to cannot be combined'],
  ];
  for (const [command, says] of invalid) {
    const { code, out } = await project.run(...command);
    expect([command, code]).toEqual([command, 10]);
    expect(out).toContain(says);
  }
  expect(await project.dump()).toBe(before);
  expect(await project.applied()).toEqual(['create_authors_and_articles']);
});

test('a choice that would leave a hole in the history is refused, unless the order may vary', async () => {
  const project = aProject();
  await project.run('migration:up', '--to', '+1');
  for (const command of [
    ['migration:up', '--only', 'index_articles_title'],
    ['migration:up', '--from', 'invite_the_editor'],
  ]) {
    const { code, out } = await project.run(...command);
    expect([command, code]).toEqual([command, 34]);
    expect(out).toContain('Migration20260102000000_add_articles_slug is older, and has not been applied');
  }
  expect(await project.run('migration:up', '--only', 'add_articles_slug')).toMatchObject({ code: 0 });
  const down = await project.run('migration:down', '--only', 'create_authors_and_articles');
  expect(down.code).toBe(34);
  expect(down.out).toContain('Migration20260102000000_add_articles_slug was applied later, and stays applied');
  expect(await project.applied()).toEqual(['create_authors_and_articles', 'add_articles_slug']);
  project.with({ MIGRATION_OUT_OF_ORDER: 'allow' });
  expect(await project.run('migration:up', '--only', 'index_articles_title')).toMatchObject({ code: 0 });
});

test('a database that does not exist is an error for commands that need its history, and is not created', async () => {
  for (const project of [aProject(), anEmbeddedProject()]) {
    for (const command of [
      ['migration:down'],
      ['migration:log', '--name', 'add_articles'],
      ['migration:unlog', '--name', 'add_articles'],
    ]) {
      const { code, out } = await project.run(...command);
      expect([command, code]).toEqual([command, 40]);
      expect(out).toContain('migration:up creates it');
      expect(out).not.toContain('Successfully');
    }
    await expect(project.query('select 1')).rejects.toThrow('does not exist');
    expect(existsSync(join(project.folder, 'data'))).toBe(false);
  }
});

const all = ['Migration20190101_a', 'Migration20190201_b', 'Migration20190211_c', 'Migration20190301_d'];

test.each([
  ['up', {}, [], all],
  ['up', { to: '201902' }, [], 'matches 2 migrations'],
  ['up', { to: '20190211' }, ['Migration20190101_a'], ['Migration20190201_b', 'Migration20190211_c']],
  ['up', { from: '20190101', to: '20190211' }, [], ['Migration20190201_b', 'Migration20190211_c']],
  ['up', { to: '+2' }, ['Migration20190201_b'], ['Migration20190101_a', 'Migration20190211_c']],
  ['up', { to: 'base' }, [], 'migration:down'],
  ['up', { to: 0 }, [], all],
  ['up', { migrations: ['Migration20190211_c.ts'] }, [], ['Migration20190211_c']],
  ['down', {}, all, ['Migration20190301_d']],
  ['down', { to: 0 }, all, [...all].reverse()],
  ['down', { to: '-3' }, all, ['Migration20190301_d', 'Migration20190211_c', 'Migration20190201_b']],
  ['down', { to: 'b' }, all, ['Migration20190301_d', 'Migration20190211_c']],
  ['down', { to: 'd' }, all.slice(0, 2), 'has not been applied'],
  ['down', { to: '+1' }, all, 'migration:up'],
  ['down', { from: 'a' }, all, 'no --from'],
  ['down', { to: '' }, all, 'no migration'],
] as const)('%s %o with %j applied chooses %j', (method, targets, executed, expected) => {
  const choose = () => chooseMigrations(method, { ...targets } as never, { all, executed });
  if (typeof expected === 'string') expect(choose).toThrow(expected);
  else expect(choose()).toEqual(expected);
});
