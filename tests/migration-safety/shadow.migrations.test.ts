import { expect, test, vi } from 'vitest';
import { aMigratedProject, type Project } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

const USES_ENTITIES = `import { Migration } from '@mikro-orm/migrations';
import { Author } from '../entities.ts';

export class Migration20260105000000_greet_the_authors extends Migration {
  override async up(): Promise<void> {
    const em = this.getEntityManager();
    const authors = await em.find(Author, { name: 'Editor' });
    for (const author of authors) author.email = 'greeted@example.com';
    em.create(Author, { name: \`One of \${authors.length}\`, email: 'one@example.com' });
    await em.flush();
  }

  override async down(): Promise<void> {
    await this.getEntityManager().nativeDelete(Author, { email: 'one@example.com' });
    this.addSql(\`update "authors" set "email" = 'editor-0@example.com' where "name" = 'Editor'\`);
  }
}
`;

const aProjectThatUsesEntities = async (): Promise<Project> =>
  (await aMigratedProject()).write('migrations/Migration20260105000000_greet_the_authors.ts', USES_ENTITIES);

test('a migration may use entities: it runs in the shadow database as in the real one', async () => {
  const project = await aProjectThatUsesEntities();
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.query('select name, email from authors order by id')).toEqual([
    { name: 'Editor', email: 'greeted@example.com' },
    { name: 'One of 1', email: 'one@example.com' },
  ]);
  expect(await project.run('migration:check')).toMatchObject({ code: 0 });
  expect(await project.extra('migration:test')).toMatchObject({ code: 0 });
  const created = await project.run('migration:create');
  expect(created.out).toContain('No changes required');
  expect(created.code).toBe(0);
});
