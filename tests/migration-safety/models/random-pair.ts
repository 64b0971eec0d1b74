import fc from 'fast-check';
import { RandomChoices } from '../../reading/random-choices.ts';
import { chooseByHand } from './by-hand.ts';
import { PERMITTED, REFUSABLE } from './changes.ts';
import { columnNames, databaseName, idOf, type Model, type Table } from './model.ts';
import { numbers, randomModel } from './random-model.ts';
import { validModel } from './valid-model.ts';

/** Two models, and what is between them. */
export interface ModelPair {
  before: Model;
  after: Model;
  /** The names of the changes. */
  changes: string[];
  /** As MIGRATION_RENAMES. */
  renames: string;
  /** Statements that ran after those of the model before. What they make stays. */
  byHand: string[];
  /** Whether the change must work with any rows in the tables. */
  withRows: boolean;
}

const change = fc.record({
  name: fc.constantFrom(...Object.keys(PERMITTED), ...Object.keys(REFUSABLE)),
  at: fc.nat(9999),
  choices: numbers,
});

/** A model after everyday changes; in one pair of eight, another model. */
export const randomPair: fc.Arbitrary<ModelPair> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc
      .tuple(
        randomModel,
        fc.array(change, { minLength: 1, maxLength: 4, size: 'max' }),
        fc.option(numbers, { freq: 2 }),
      )
      .map(([model, changes, byHand]) => ({
        ...changed(model, changes),
        byHand: byHand ? chooseByHand(new RandomChoices(byHand), model.tables) : [],
      })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(randomModel, randomModel).map(([before, after]) => pair(before, after, ['another model'])),
  },
);

function changed(model: Model, changes: { name: string; at: number; choices: number[] }[]): ModelPair {
  const after = structuredClone(model);
  for (const table of after.tables) table.was = idOf(table);
  for (const { name, at, choices } of changes) {
    const table = after.tables[at % after.tables.length] as Table;
    (PERMITTED[name] ?? REFUSABLE[name])?.(new RandomChoices(choices), after, table);
  }
  return pair(
    model,
    validModel(after),
    changes.map(({ name }) => name),
  );
}

const pair = (before: Model, after: Model, changes: string[]): ModelPair => ({
  before,
  after,
  changes,
  renames: renamesBetween(before, after).join(','),
  byHand: [],
  withRows: changes.every((name) => name in PERMITTED) && before.tables.every((table) => keepsRows(table, after)),
});

/** Whether the rows of a table stay what they are: it is still there, and no other table has its name and may not take its rows. */
const keepsRows = (table: Table, { tables }: Model) =>
  tables.some(({ was }) => was === idOf(table)) &&
  !tables.some((each) => readable(each) === readable(table) && each.was !== idOf(table));

/** Each table and column that is gone: its new name, or nothing if it is dropped. */
function renamesBetween(before: Model, after: Model): string[] {
  const [old, now] = [before, after].map(({ tables }) => new Map(tables.map((table) => [readable(table), table])));
  return before.tables.flatMap((table) => {
    const name = readable(table);
    const heir = after.tables.find(({ was }) => was === idOf(table));
    // A table of the same name is the same table.
    const next = now?.get(name) ?? (heir && !old?.has(readable(heir)) ? heir : undefined);
    const columns = next ? renamedColumns(table, next) : [];
    return now?.has(name) ? columns : [`${name}=${next ? readable(next) : ''}`, ...columns];
  });
}

function renamedColumns(table: Table, next: Table): string[] {
  const [old, now] = [table, next].map((each) => columnNames(each).map(databaseName));
  const heirs = Object.entries(next.columnsWere ?? {}).map(([name, was]) => [databaseName(was), databaseName(name)]);
  return (old ?? [])
    .filter((name) => !now?.includes(name))
    .map((name) => {
      const [, heir] =
        heirs.find(([was, is]) => was === name && now?.includes(is ?? '') && !old?.includes(is ?? '')) ?? [];
      return `${readable(next)}.${name}=${heir ?? ''}`;
    });
}

/** A table's name as MIGRATION_RENAMES has it. */
const readable = ({ schema, name }: Table) => (schema === 'public' ? '' : `${schema}.`) + databaseName(name);
