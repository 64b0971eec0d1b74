import pg from 'pg';
import { openEmbedded } from '../../src/database/embedded/embedded.ts';
import type { Rig } from './rig.ts';

/** What durability costs: single-row commits and a page of a feed, with and without it; and what memory all takes. */
export async function throughput({ short, folder, note }: Rig): Promise<void> {
  const times = short ? 300 : 3000;
  for (const durable of [true, false]) {
    const database = await openEmbedded({ folder: `${folder}/${durable}`, durable });
    const { dbName, ...rest } = database.connection;
    const pool = new pg.Pool({ ...rest, database: dbName, max: 4 });
    await pool.query(
      'create table article (id int generated always as identity primary key, author int, title text, at timestamptz default now())',
    );
    await pool.query(
      "insert into article (author, title) select i % 100, 'title ' || i from generate_series(1, 20000) i",
    );
    await pool.query('create index on article (at desc, id desc)');
    await pool.query('vacuum (analyze) article');
    const idle = process.memoryUsage.rss();
    const commits = await perSecond(times, () => pool.query("insert into article (author, title) values (1, 'x')"));
    const pages = await perSecond(times, () =>
      pool.query('select * from article where author = any($1) order by at desc, id desc limit 20', [[1, 2, 3]]),
    );
    note(
      `${durable ? 'durable' : 'not durable'}: ${commits} commits/s, ${pages} feed pages/s; RSS ${mb(idle)} MB idle, ${mb(process.memoryUsage.rss())} MB after`,
    );
    await pool.end();
    await database.close();
  }
}

async function perSecond(times: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let i = 0; i < times / 4; i += 1) await work();
    }),
  );
  return Math.round((times * 1000) / (performance.now() - start));
}

const mb = (bytes: number) => Math.round(bytes / 1e6);
