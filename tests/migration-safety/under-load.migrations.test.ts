import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, test, vi } from 'vitest';
import { aProject, type Project } from './project.ts';

vi.setConfig({ testTimeout: 600_000 });

// The full form (MIGRATION_SAFETY_FULL=1) is a million rows; these are enough that the table is not small.
const ROWS = process.env.MIGRATION_SAFETY_FULL ? 1_000_000 : 20_000;

const addColumns = (project: Project) =>
  project.edit('entities.ts', (text) =>
    text.replace(
      'author: () => p.manyToOne(Author),',
      'author: () => p.manyToOne(Author),\n    number: p.integer().nullable(),\n    editorId: p.integer().nullable(),',
    ),
  );

/** Adds an index, a foreign key, a required column, a not null constraint and a unique constraint. */
const changeEntities = (project: Project) =>
  project.edit('entities.ts', (text) =>
    text
      .replace(
        'body: p.text()',
        "body: p.text(),\n    readCount: p.integer().default(0).index('articles_read_count_index')",
      )
      .replace('number: p.integer().nullable()', 'number: p.integer().unique()')
      .replace('editorId: p.integer().nullable()', 'editor: () => p.manyToOne(Author).nullable()'),
  );

test(`under write load, the generated migration changes a table of ${ROWS} rows without a failed write or one that waits a second`, async () => {
  const project = addColumns(aProject());
  expect(await project.run('migration:create')).toMatchObject({ code: 0 });
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  await project.query(
    `insert into articles (title, body, author_id, number, editor_id) select 'title ' || n, repeat('x', 100), (select min(id) from authors), n, (select min(id) from authors) from generate_series(1, ${ROWS}) n`,
  );
  changeEntities(project);
  expect(await project.run('migration:create')).toMatchObject({ code: 0 });

  const writers = new Writers(project.url);
  await writers.start();
  const up = await project.run('migration:up');
  const written = await writers.stop();
  expect(up).toMatchObject({ code: 0 });
  expect(written.errors).toEqual([]);
  expect(written.count).toBeGreaterThan(100);
  expect(await project.run('migration:check')).toMatchObject({ code: 0 });

  const naive = addColumns(aProject()).with({ MIGRATION_NAIVE: '1' });
  await naive.run('migration:create');
  changeEntities(naive);
  await naive.run('migration:create', '--name', 'naive');
  expect(await naive.run('migration:up')).toMatchObject({ code: 0 });
  const schema = async (each: Project) => (await each.dump()).split('\n').sort();
  expect(await schema(project)).toEqual(await schema(naive));
});

/** Four connections that together send two hundred inserts and updates a second. One that takes a second is an error. */
class Writers {
  private readonly clients: Client[];
  private running: Promise<void>[] = [];
  private stopped = false;
  private readonly result = { count: 0, errors: [] as string[] };

  constructor(url: string) {
    this.clients = Array.from({ length: 4 }, () => new Client(url));
  }

  async start() {
    await Promise.all(this.clients.map((client) => client.connect()));
    this.running = this.clients.map((client, i) => this.write(client, i));
  }

  async stop() {
    this.stopped = true;
    await Promise.all(this.running);
    await Promise.all(this.clients.map((client) => client.end()));
    return this.result;
  }

  private async write(client: Client, i: number) {
    await client.query(`set statement_timeout = '1s'`);
    for (let n = 0; !this.stopped; n++) {
      const sql =
        n % 2 === 0
          ? `insert into articles (title, body, author_id, number) values ('new', 'new', (select min(id) from authors), ${-(i + 1 + n * 4)})`
          : `update articles set body = 'changed ${n}' where id = ${1 + ((n * 7919 + i) % ROWS)}`;
      await client.query(sql).catch((error) => this.result.errors.push(String(error)));
      this.result.count++;
      await sleep(20);
    }
  }
}
