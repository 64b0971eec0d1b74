import { p } from '@mikro-orm/core';
import { test, vi } from 'vitest';
import { BLOG_ROWS, type Blog, blog, type TableChanges, table } from './blog.ts';
import { type Change, holds } from './change.ts';

vi.setConfig({ testTimeout: 240_000 });

/** Visits of articles, partitioned by their id. */
const visits =
  (changes: (of: Blog) => TableChanges = () => ({})) =>
  () =>
    blog({
      others: (of) => {
        const properties = {
          id: p.integer().primary(),
          device: p.string().length(20),
          seconds: p.integer().nullable(),
        };
        const partitionBy = { type: 'hash', expression: ['id'], partitions: 2 };
        return [table('Visit', 'visits', { partitionBy, ...changes(of) }, properties)];
      },
    });
const plain = visits();
const rows = [...BLOG_ROWS, "insert into visits (device, seconds) values ('phone', 1), ('desktop', 2), ('phone', 3)"];
const withAll = visits((of) => ({
  indexes: [{ name: 'visits_by_device', properties: ['device'] }],
  uniques: [{ name: 'visits_device_id', properties: ['device', 'id'] }],
  checks: [{ name: 'visits_seconds', expression: 'seconds >= 0' }],
  properties: {
    seconds: p.integer(),
    article: () => p.manyToOne(of.Article).nullable(),
    browser: p.string().default('none').index(),
  },
}));

const CHANGES: Record<string, Change> = {
  'adds a partitioned entity': { to: plain },
  'drops a partitioned entity': { from: plain, rows, to: () => blog(), assures: ['drop-table'], loses: LOST() },
  'adds an index, a unique constraint, a check, a reference and columns to a partitioned table': {
    from: plain,
    rows,
    to: withAll,
    // PostgreSQL has no form of these that does not block, for a partitioned table as a whole.
    assures: ['blocking-index', 'blocking-unique', 'validated-foreign-key'],
  },
  'removes them again': {
    from: withAll,
    rows,
    to: plain,
    assures: ['drop-unique', 'drop-column', 'blocking-drop-index'],
    loses: ['browser', 'article_id'].flatMap((column) => LOST().map((name) => `${name}.${column}`)),
  },
  'changes a type and renames a column of a partitioned table': {
    from: plain,
    rows,
    to: visits(() => ({ properties: { device: null, agent: p.string().length(20), seconds: p.bigint().nullable() } })),
    renames: 'visits.device=agent',
    assures: ['rename-column', 'change-type'],
  },
  'renames a partitioned table with its partitions': {
    from: plain,
    rows,
    to: visits(() => ({ tableName: 'calls' })),
    renames: 'visits=calls',
    assures: ['rename-table'],
  },
  'moves a partitioned table with its partitions into another schema': {
    from: plain,
    rows,
    to: visits(() => ({ schema: 'stats' })),
    renames: 'visits=stats.visits',
    assures: ['rename-table', 'set-schema'],
  },
  'adds, renames and drops partitions': {
    from: visits(() => byDevice({ visits_phone: "in ('phone')", visits_tv: "in ('tv')", visits_rest: 'default' })),
    rows: [...BLOG_ROWS, "insert into visits (id, device) values (1, 'phone'), (2, 'desktop')"],
    to: visits(() => byDevice({ phones: "in ('phone')", visits_watch: "in ('watch')", visits_rest: 'default' })),
    assures: ['drop-table', 'rename-table'],
  },
};

function byDevice(partitions: Record<string, string>): TableChanges {
  const list = Object.entries(partitions).map(([name, values]) => ({ name, values }));
  return {
    partitionBy: { type: 'list', expression: ['device'], partitions: list },
    properties: { id: p.integer(), device: p.string().length(20).primary() },
  };
}

for (const [change, what] of Object.entries(CHANGES)) test(change, () => holds(what));

function LOST() {
  return ['visits', 'visits_0', 'visits_1'];
}
