import { expect, test, vi } from 'vitest';
import { aMigratedProject, anEmbeddedProject } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

const commands = [
  ['migration:fresh'],
  ['migration:fresh', '--drop-db'],
  ['schema:drop', '--run'],
  ['schema:drop', '--run', '--drop-db'],
  ['schema:fresh', '--run'],
  ['schema:update', '--run'],
  ['migration:down', '--to', 'base'],
];

test('destructive commands are refused on a database that is not declared disposable', async () => {
  const project = await aMigratedProject();
  const before = await project.dump();
  for (const { command, code, out } of await Promise.all(
    commands.map(async (command) => ({ command, ...(await project.run(...command)) })),
  )) {
    expect([command, code]).toEqual([command, 22]);
    expect(out).toContain(`MIGRATION_YES_DESTROY=${project.database}`);
  }
  expect(await project.dump()).toBe(before);
  expect(await project.query('select count(*)::int as n from authors')).toEqual([{ n: 1 }]);
});

test('migration:rollup is refused and changes neither files nor history', async () => {
  const project = await aMigratedProject();
  const [files, before] = [project.migrations(), await project.applied()];
  const { code, out } = await project.run('migration:rollup');
  expect(code).toBe(22);
  expect(out).toContain('rewrites the history of this database alone');
  expect(project.migrations()).toEqual(files);
  expect(await project.applied()).toEqual(before);
});

test('a down without data loss needs no permission', async () => {
  const project = await aMigratedProject();
  expect(await project.run('migration:down', '--to', '-3')).toMatchObject({ code: 0 });
});

test('permission must name the database', async () => {
  const project = (await aMigratedProject()).with({ MIGRATION_YES_DESTROY: 'migsafe_test' });
  expect((await project.run('migration:fresh')).code).toBe(22);
  expect(await project.with({ MIGRATION_YES_DESTROY: project.database }).run('migration:fresh')).toMatchObject({
    code: 0,
  });
  expect(await project.applied()).toHaveLength(4);
});

test('a pattern with * declares several databases disposable', async () => {
  const project = (await aMigratedProject()).with({ DISPOSABLE_DATABASES: 'other, migsafe_test_*' });
  expect(await project.run('migration:fresh')).toMatchObject({ code: 0 });
  expect(await project.run('migration:down', '--to', 'base')).toMatchObject({ code: 0 });
});

test('the embedded database needs no permission', async () => {
  const project = anEmbeddedProject();
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.run('migration:fresh')).toMatchObject({ code: 0 });
});
