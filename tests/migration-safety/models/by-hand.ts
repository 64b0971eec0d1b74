import { qualifiedName, quote } from '../../../src/migration-safety/sql/quote.ts';
import type { RandomChoices } from '../../reading/random-choices.ts';
import { columnNames, type Table } from './model.ts';

/** Statements of a migration that somebody wrote, for what no entity declares. All names begin with by_hand. */
export const chooseByHand = (choices: RandomChoices, tables: Table[]): string[] => {
  const table = choices.one(tables);
  const make = choices.one(Object.values(BY_HAND));
  return make(qualifiedName(table.schema, table.name), quote(choices.one(columnNames(table))), table);
};

/** Whether one of these statements made the object, and not an entity. */
export const isByHand = ({ id, kind }: { id: string; kind: string }, statements: string[]) =>
  id.includes('by_hand') || (kind === 'row security' && statements.some((sql) => sql.endsWith(' row level security')));

const BY_HAND: Record<string, (table: string, column: string, of: Table) => string[]> = {
  'a view': (table, column) => [`create view by_hand_view as select ${column} from ${table}`],
  'a materialized view': (table, column) => [
    `create materialized view by_hand_copy as select ${column} is null as is_null from ${table}`,
    'create index by_hand_copy_index on by_hand_copy (is_null)',
  ],
  'a check': (table, column) => [
    `alter table ${table} add constraint by_hand_check check (${column} is null or ${column} is not null)`,
  ],
  'an index': (table, column) => [`create index by_hand_index on ${table} ((${column} is null))`],
  'a policy': (table, column) => [
    `alter table ${table} enable row level security`,
    `create policy by_hand_policy on ${table} for select using (${column} is not null)`,
  ],
  'a trigger': (table, column) => [
    `create function by_hand_trigger() returns trigger language plpgsql as $$ begin return new; end $$`,
    `create trigger by_hand_trigger after update of ${column} on ${table} for each row when (new.${column} is null) execute function by_hand_trigger()`,
  ],
  'a function of its rows': (table) => [
    `create function by_hand_function(${table}) returns int language sql as $$ select 1 $$`,
  ],
  'a table that refers to it': (table, _, { key }) => [
    `create table by_hand_log (like ${table})`,
    `alter table by_hand_log add constraint by_hand_log_key foreign key (${key.map(quote).join(', ')}) references ${table} on delete cascade`,
  ],
  'a partitioned table with a domain': () => [
    'create domain by_hand_level as int default 1 check (value between 0 and 9)',
    'create table by_hand_events (at date not null, level by_hand_level not null) partition by range (at)',
    "create table by_hand_events_2020 partition of by_hand_events for values from ('2020-01-01') to ('2030-01-01')",
    'create index by_hand_events_level on by_hand_events (level)',
  ],
  'a sequence and an enum': () => [
    'create sequence by_hand_numbers increment 5',
    "create type by_hand_kind as enum ('one', 'two')",
  ],
};
