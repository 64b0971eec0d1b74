import { type EntitySchema, p } from '@mikro-orm/core';
import { expect, test, vi } from 'vitest';
import { BLOG_ROWS, blog, type TableChanges, table } from './blog.ts';
import { type Change, holds, isRefused, type Refusal } from './change.ts';

vi.setConfig({ testTimeout: 240_000 });

/** A table with everything that a table can have, and what elsewhere depends on it. */
const places =
  (tableName: string, { schema, ...changes }: TableChanges & { schema?: string } = {}, city = 'city') =>
  () =>
    blog({
      others: ({ Author }) => {
        const name = schema ? `${schema}.${tableName}` : tableName;
        const Place: EntitySchema = table(
          'Place',
          tableName,
          {
            ...(schema && { schema }),
            comment: 'Where articles are written',
            indexes: [
              { properties: ['city'], where: "city <> ''" },
              { name: 'lowered', expression: lowered(name) },
            ],
            uniques: [{ properties: ['owner', 'city'] }],
            checks: [{ name: 'places_visits', expression: 'visits >= 0' }],
            triggers: [
              { name: 'trim', timing: 'before', events: ['insert'], body: 'new.city = trim(new.city); return new;' },
            ],
            policies: [{ name: 'open', command: 'select', using: "kind = 'open'" }],
            ...changes,
          },
          {
            id: p.integer().primary(),
            city: p.string().comment('Its name'),
            visits: p.integer().default(0),
            length: p.integer().generated('(length(city)) stored').nullable(),
            kind: p.enum(['open', 'closed']).nativeEnumName('place_kind').default('open'),
            size: p.enum(['small', 'large']).nullable(),
            owner: () => p.manyToOne(Author).deleteRule('cascade'),
            parent: () => p.manyToOne(Place).nullable(),
          },
        );
        const Visit = table('Visit', 'visits', {
          properties: { id: p.integer().primary(), place: () => p.manyToOne(Place) },
          triggers: [
            {
              name: 'count',
              timing: 'after',
              events: ['insert'],
              body: `update ${name} set visits = visits + 1 where id = new.place_id; return null;`,
            },
          ],
        });
        const City = table('City', 'cities', {
          view: true,
          expression: `select id, ${city} as city from ${name} where visits > 0`,
          properties: { id: p.integer().primary(), city: p.text() },
        });
        return [Place, Visit, City];
      },
    });
const lowered = (name: string) =>
  `create index "lowered" on ${name
    .split('.')
    .map((part) => `"${part}"`)
    .join('.')} (lower(city))`;
const plain = places('places');
const inAtlas = places('places', { schema: 'atlas' });
const fill = (name: string) => [
  ...BLOG_ROWS,
  `insert into ${name} (city, owner_id, parent_id) values (' Rome ', 1, null), ('Ur', 1, 1), ('Rome', 2, 1)`,
  'insert into visits (place_id) values (1), (1), (2)',
];

/** The keys, the trigger, the trigger elsewhere and the view work. */
const works =
  (name: string): NonNullable<Change['afterwards']> =>
  async (application) => {
    const [place] = await application.query(`insert into ${name} (city, owner_id) values (' Oslo ', 2) returning id`);
    await application.query(`insert into visits (place_id) values (${place?.id})`);
    expect(await application.query(`select * from cities where id = ${place?.id}`)).toEqual([
      { ...place, city: 'Oslo' },
    ]);
    await application.query(`delete from visits where place_id = ${place?.id}`);
    await application.query(`delete from ${name} where id = ${place?.id}`);
  };

const CHANGES: Record<string, Change> = {
  'renames a table with everything': {
    from: plain,
    rows: fill('places'),
    to: places('locations'),
    renames: 'places=locations',
    assures: ['rename-table'],
    afterwards: works('locations'),
  },
  'moves a table with everything into another schema': {
    from: plain,
    rows: fill('places'),
    to: inAtlas,
    renames: 'places=atlas.places',
    assures: ['rename-table', 'set-schema', 'change-type', 'drop-type'],
    afterwards: works('atlas.places'),
  },
  'moves a table with everything out of a schema and renames it': {
    from: inAtlas,
    rows: fill('atlas.places'),
    to: places('locations'),
    renames: 'atlas.places=locations',
    assures: ['rename-table', 'set-schema', 'change-type', 'drop-type', 'drop-schema'],
    afterwards: works('locations'),
  },
  'changes everything of a table in another schema': {
    from: inAtlas,
    rows: fill('atlas.places'),
    to: places(
      'places',
      {
        schema: 'atlas',
        comment: 'Cities',
        indexes: [{ name: 'by_city', properties: ['city', 'visits'] }],
        uniques: [{ properties: ['owner', 'city', 'visits'] }],
        checks: [{ name: 'places_visits', expression: 'visits between 0 and 100' }],
        triggers: [
          {
            name: 'trim',
            timing: 'before',
            events: ['insert', 'update'],
            body: 'new.town = trim(new.town); return new;',
          },
        ],
        policies: [],
        properties: {
          city: p.string().fieldName('town'),
          length: p.integer().generated('(length(town)) stored').nullable(),
          visits: p.bigint().default(1),
          kind: p.enum(['new', 'open', 'closed']).nativeEnumName('place_kind').default('open'),
          size: p.enum(['small', 'medium', 'large']).nullable(),
        },
      },
      'town',
    ),
    renames: 'atlas.places.city=town',
    assures: ['rename-column', 'change-type', 'drop-unique', 'drop-policy', 'disable-row-security', 'drop-view'],
  },
  'drops a table with everything, and what depends on it': {
    from: plain,
    rows: fill('places'),
    to: () => blog(),
    assures: ['drop-table', 'drop-type', 'drop-view', 'drop-policy'],
    loses: ['places', 'visits'],
  },
  'requires two columns whose long names differ only at their end': {
    from: longNames((name) => p.string().fieldName(name).nullable()),
    to: longNames((name) => p.string().fieldName(name).index().check(`length("${name}") < 20`)),
    rows: [...BLOG_ROWS, `update articles set ${LONG(1)} = 'a', ${LONG(2)} = 'b'`],
  },
};

for (const [change, what] of Object.entries(CHANGES)) test(change, () => holds(what));

const REFUSALS: Record<string, Refusal> = {
  'two columns whose names are the same in the 63 bytes that PostgreSQL keeps': {
    to: () => blog({ articles: { properties: { one: tooLong('1'), two: tooLong('2') } } }),
    by: 'migration:create',
    message: /63 bytes/,
  },
  'a table of an entity that moves to another schema, until it is said': {
    from: plain,
    to: inAtlas,
    rows: fill('places'),
    by: 'migration:create',
    message: /MIGRATION_RENAMES=places=atlas\.places/,
  },
};

for (const [change, what] of Object.entries(REFUSALS)) test(`refuses ${change}`, () => isRefused(what));

function LONG(n: number) {
  return `${'a_long_name_'.repeat(5)}_${n}`;
}

function longNames(column: (name: string) => unknown) {
  return () => blog({ articles: { properties: { one: column(LONG(1)), two: column(LONG(2)) } } });
}

function tooLong(end: string) {
  return p
    .string()
    .fieldName(`${'a_long_name_'.repeat(6)}_${end}`)
    .nullable();
}
