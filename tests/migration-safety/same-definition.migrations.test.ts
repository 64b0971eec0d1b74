import { expect, test } from 'vitest';
import { differences, readCatalog } from '../../src/migration-safety/catalog/catalog.ts';
import { openMemoryEngine } from '../../src/migration-safety/shadow/memory-engine.ts';

/** The catalogs after these statements, and after the views, constraints and indexes were made anew as it prints them. */
async function printedTwice(sql: string) {
  const engine = await openMemoryEngine();
  const read = () => readCatalog(async (query) => (await engine.query(query)).rows as never, 'mikro_orm_migrations');
  try {
    await engine.exec(sql);
    const once = await read();
    const objects = [...once.values()].filter(({ kind }) => ['view', 'constraint', 'index'].includes(kind));
    for (const { drop } of [...objects].reverse()) await engine.exec(drop.join(';'));
    for (const { create } of objects) await engine.exec(create.join(';'));
    return { once, again: await read() };
  } finally {
    await engine.close();
  }
}

const table = 'create table t (id int, v varchar(9), d timestamptz)';

test.each([
  `create view w as select id from t where id between 1 and 5 and v in ('a', 'b')`,
  `create view w as select id from t where case when id > 1 then d > now() - interval '1 day' else v like 'a%' end and id > 2`,
  `alter table t add constraint c check (id between 1 and 5 and v <> 'x' or id in (7, 8))`,
  `create index i on t (lower(v)) where id between 1 and 5 and (id > 2 and v is not null)`,
])('%s is the same as PostgreSQL prints it', async (sql) => {
  const { once, again } = await printedTwice(`${table}; ${sql}`);
  expect(differences(once, again, 'once', 'again')).toEqual([]);
});

test.each([
  ['(id = 1 or id = 2) and id = 3', 'id = 1 or (id = 2 and id = 3)'],
  ['id between 1 and 5 and id > 2', 'id between 1 and 5 and id > 3'],
])('where %s is not where %s', async (one, other) => {
  const [a, b] = await Promise.all(
    [one, other].map((where) => printedTwice(`${table}; create view w as select id from t where ${where}`)),
  );
  expect(differences(a?.once ?? new Map(), b?.once ?? new Map(), 'one', 'other')).toEqual([
    expect.stringMatching(/^view w: one has/),
  ]);
});
