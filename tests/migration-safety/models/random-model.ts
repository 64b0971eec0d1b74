import fc from 'fast-check';
import { RandomChoices } from '../../reading/random-choices.ts';
import { COLUMN_TYPES, columnTypeOf } from './column-types.ts';
import {
  type Check,
  type Column,
  type Condition,
  columnNames,
  type Index,
  idOf,
  type Model,
  type Policy,
  type Reference,
  type Rule,
  type Table,
  type Trigger,
  type View,
} from './model.ts';
import { sqlText, validModel } from './valid-model.ts';

const LONG = 'a_name_that_is_as_long_as_postgresql_allows_a_name_to_be_which_is_63';
export const TABLE_NAMES = [
  'articles',
  'users',
  'tags',
  'comments',
  'order',
  'Mixed Case',
  'ünïcode',
  LONG.slice(0, 63),
  `${LONG}_bytes`,
];
export const COLUMN_NAMES = [
  'title',
  'slug',
  'body',
  'count',
  'state',
  'user',
  'select',
  'Mixed',
  'with space',
  "it's",
  'quo"te',
  'ü',
  LONG.slice(0, 62),
  `${LONG}_and_more`,
];
const REFERENCE_NAMES = ['author_id', 'parent_id', 'order', 'Owner Id', 'tag_id'];
const ENUM_NAMES = ['state', 'Mood', 'a kind'];
export const ENUM_VALUES = ['draft', 'published', "it's", 'with space', 'Ünïcode', '', '{a,"b"}'];
export const COMMENTS = ['A comment', "It's; a -- comment", 'two\nlines', '"quoted" {braces} ?'];
export const RULES: (Rule | undefined)[] = [undefined, 'cascade', 'set null', 'restrict', 'no action', 'set default'];
const TYPE_NAMES = Object.keys(COLUMN_TYPES);

/** Numbers for one part of a model. They shrink to zeros, which choose the first, simplest option of everything. */
export const numbers = fc.noBias(fc.array(fc.nat(9999), { minLength: 16, maxLength: 16, size: 'max' }));
const parts = (maxLength: number) => fc.array(numbers, { maxLength, size: 'max' });

const tableParts = fc.record({
  table: numbers,
  columns: parts(5),
  references: parts(2),
  indexes: parts(3),
  checks: parts(2),
  triggers: parts(1),
  policies: parts(1),
});
const modelParts = fc.record({
  tables: fc.array(tableParts, { minLength: 1, maxLength: 4, size: 'max' }),
  enums: parts(2),
  views: parts(2),
});

/** Models that MikroORM and PostgreSQL take. A part that does not fit is left out. */
export const randomModel: fc.Arbitrary<Model> = modelParts.map(({ tables, enums, views }) => {
  const model: Model = { tables: [], views: [], enums: {} };
  for (const each of enums) {
    const choices = new RandomChoices(each);
    model.enums[choices.one(ENUM_NAMES)] = chooseValues(choices);
  }
  for (const each of tables) {
    model.tables.push(
      chooseTable(
        new RandomChoices(each.table),
        each.columns.map((column) => chooseColumn(new RandomChoices(column), model)),
      ),
    );
  }
  const valid = validModel(model);
  valid.tables.forEach((table, i) => {
    const { references = [], indexes = [], checks = [], triggers = [], policies = [] } = tables[i] ?? {};
    table.columns = table.columns.map((column) =>
      chooseGenerated(new RandomChoices(tables[i]?.table ?? []), table, column),
    );
    table.references = references.map((each) => chooseReference(new RandomChoices(each), valid));
    table.indexes = indexes.map((each) => chooseIndex(new RandomChoices(each), table));
    table.checks = checks.map((each) => chooseCheck(new RandomChoices(each), table));
    table.policies = policies.map((each) => choosePolicy(new RandomChoices(each), table));
    table.triggers = triggers.map((each) => chooseTrigger(new RandomChoices(each), valid, table));
  });
  for (const each of views) valid.views.push(chooseView(new RandomChoices(each), valid));
  return validModel(valid);
});

export function chooseTable(choices: RandomChoices, columns: Column[]): Table {
  const id: Column = choices.one<Column>([
    { name: 'id', type: 'int', identity: 'serial' },
    { name: 'id', type: 'int', identity: 'by default' },
    { name: 'id', type: 'bigint', identity: 'always' },
    { name: 'id', type: 'bigint', identity: 'serial' },
    { name: 'id', type: 'uuid', default: 'gen_random_uuid()' },
    { name: 'Id', type: 'text' },
    { name: 'id', type: 'int' },
  ]);
  const composite = choices.once(4) ? columns.slice(0, 1).map(({ name }) => name) : [];
  const table: Table = {
    schema: choices.once(3) ? 'blog' : 'public',
    name: choices.one(TABLE_NAMES),
    columns: [id, ...columns],
    references: [],
    key: [id.name, ...composite],
    indexes: [],
    checks: [],
    triggers: [],
    policies: [],
  };
  return choices.once(3) ? { ...table, comment: choices.one(COMMENTS) } : table;
}

export function chooseColumn(choices: RandomChoices, model: Model): Column {
  const column: Column = { name: choices.one(COLUMN_NAMES), type: chooseType(choices) };
  if (choices.once(2)) column.nullable = true;
  if (column.type.startsWith('enum')) column.values = chooseValues(choices);
  if (column.type.startsWith('native enum')) column.enumName = choices.one(Object.keys(model.enums));
  const value = chooseDefault(choices, model, column);
  if (choices.once(3) && value !== undefined) column.default = value;
  if (choices.once(6)) column.unique = true;
  if (choices.once(6)) column.comment = choices.one(COMMENTS);
  if (choices.once(8)) column.collation = 'C';
  if (choices.once(12)) column.identity = choices.one(['by default', 'always']);
  return column;
}

/** Enums often: they have the most ways to change. */
const chooseType = (choices: RandomChoices) =>
  choices.once(4) ? choices.one(['native enum', 'native enum', 'native enum[]', 'enum']) : choices.one(TYPE_NAMES);

export function chooseDefault(
  choices: RandomChoices,
  model: Model,
  { type, values, enumName }: Column,
): string | undefined {
  const ofEnum = type.endsWith('[]') ? undefined : (values ?? model.enums[enumName ?? '']);
  return choices.one(ofEnum ? ofEnum.map(sqlText) : columnTypeOf(type).defaults);
}

export function chooseValues(choices: RandomChoices): string[] {
  const from = choices.upTo(ENUM_VALUES.length - 2);
  return ENUM_VALUES.slice(from, from + 2 + choices.upTo(2));
}

/** One column in four of a table becomes a generated one, of another column. */
function chooseGenerated(choices: RandomChoices, table: Table, column: Column): Column {
  const sources = table.columns.filter(({ name }) => name !== column.name);
  const kind = choices.one([undefined, undefined, undefined, 'half', 'lower', 'length'] as const);
  const of = choices.one(
    sources.filter(({ type }) => columnTypeOf(type).family === (kind === 'half' ? 'number' : 'text')),
  );
  const isKey = table.key.includes(column.name);
  return kind && of && !isKey && column === table.columns.at(-1)
    ? { ...column, generated: { as: kind, of: of.name } }
    : column;
}

export function chooseReference(choices: RandomChoices, model: Model): Reference {
  const to = choices.one(model.tables);
  const reference: Reference = { columns: [choices.one(REFERENCE_NAMES)], to: idOf(to) };
  const unique = to.columns.filter((column) => column.unique);
  if (choices.once(2)) reference.nullable = true;
  if (choices.once(3) && unique.length > 0) reference.toColumn = choices.one(unique).name;
  return chooseRules(choices, reference);
}

export function chooseRules(
  choices: RandomChoices,
  { onDelete, onUpdate, deferrable, ...reference }: Reference,
): Reference {
  const chosen = {
    onDelete: choices.one(RULES),
    onUpdate: choices.one(RULES),
    deferrable: choices.one([undefined, undefined, 'deferred', 'immediate'] as const),
  };
  return { ...reference, ...Object.fromEntries(Object.entries(chosen).filter(([, value]) => value)) };
}

export function chooseIndex(choices: RandomChoices, table: Table): Index {
  const names = columnNames(table);
  const index: Index = { columns: [choices.one(names), ...(choices.once(2) ? [choices.one(names)] : [])] };
  const name = choices.one([undefined, 'by_column', 'By Column', `${LONG}_index`]);
  if (name) index.name = `${name.slice(0, 40)}_${choices.upTo(9)}`;
  if (choices.once(3)) index.unique = true;
  const method = choices.one([undefined, undefined, 'gin', 'gist', 'hash', 'brin'] as const);
  if (method) index.method = method;
  const expression = choices.one([undefined, undefined, 'lower', 'coalesce'] as const);
  if (expression) index.expression = expression;
  if (choices.once(3)) index.where = chooseCondition(choices, names);
  if (choices.once(3)) index.descending = true;
  if (choices.once(4)) index.include = [choices.one(names)];
  if (choices.once(5)) index.fillFactor = 70;
  if (choices.once(3)) index.deferrable = choices.one(['deferred', 'immediate']);
  return index;
}

function chooseCondition(choices: RandomChoices, names: string[]): Condition {
  const is = choices.one(['not null', 'between', 'in', 'case', 'ordered'] as const);
  return { is, columns: [choices.one(names), ...(is === 'ordered' ? [choices.one(names)] : [])] };
}

export function chooseCheck(choices: RandomChoices, table: Table): Check {
  return {
    name: choices.one(['is_allowed', 'Is "allowed"?', 'has_value']),
    ...chooseCondition(choices, columnNames(table)),
  };
}

export function chooseTrigger(choices: RandomChoices, model: Model, table: Table): Trigger {
  const names = columnNames(table);
  const events = choices.one<Trigger['events']>([
    ['insert'],
    ['update'],
    ['insert', 'update'],
    ['delete'],
    ['insert', 'delete'],
  ]);
  const other = choices.one(model.tables);
  const does = choices.one<Trigger['does']>([
    { assign: choices.one(names) },
    { update: idOf(other), column: choices.one(columnNames(other)) },
    'nothing',
  ]);
  const timing = typeof does === 'object' && 'assign' in does ? 'before' : choices.one(['after', 'before'] as const);
  const each = typeof does === 'object' && 'assign' in does ? 'row' : choices.one(['row', 'statement'] as const);
  const trigger: Trigger = { name: choices.one(['touch', 'count_up', 'Quo"ted']), timing, events, each, does };
  return choices.once(3) ? { ...trigger, when: choices.one(names) } : trigger;
}

export const choosePolicy = (choices: RandomChoices, table: Table): Policy => ({
  name: choices.one(['readers', 'Own "rows"']),
  command: choices.one(['all', 'select', 'update', 'delete'] as const),
  column: choices.one(columnNames(table)),
  ...(choices.once(3) ? { restrictive: true } : {}),
});

export function chooseView(choices: RandomChoices, model: Model): View {
  const of = choices.one<Table | View>([...model.tables, ...model.views]);
  const readable = 'columns' in of && 'key' in of ? columnNames(of) : of.columns.map(String);
  const view: View = {
    schema: choices.once(3) ? 'blog' : 'public',
    name: choices.one(['latest', 'Some View', 'summary']),
    of: idOf(of),
    columns: [choices.one(readable), choices.one(readable), choices.one(readable)],
  };
  if (choices.once(2)) view.where = chooseCondition(choices, readable);
  return choices.once(3) ? { ...view, materialized: true } : view;
}
