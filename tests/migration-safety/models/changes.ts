import type { RandomChoices } from '../../reading/random-choices.ts';
import { columnTypeOf } from './column-types.ts';
import { type Column, columnNames, idOf, type Model, type Table } from './model.ts';
import {
  COMMENTS,
  chooseCheck,
  chooseColumn,
  chooseDefault,
  chooseIndex,
  choosePolicy,
  chooseReference,
  chooseRules,
  chooseTable,
  chooseTrigger,
  chooseView,
  ENUM_VALUES,
} from './random-model.ts';

/** Changes a model in place, at a table of it. */
type Change = (choices: RandomChoices, model: Model, table: Table) => void;

const NEW_NAMES = ['renamed', 'subtitle', 'Renamed Too', 'group', 'x'.repeat(60), 'y'.repeat(70)];

/** Everyday changes that any rows permit. */
export const PERMITTED: Record<string, Change> = {
  'add a column': (choices, model, table) => {
    const column: Column = { ...chooseColumn(choices, model), name: choices.one(NEW_NAMES) };
    const value = chooseDefault(choices, model, column);
    delete column.unique;
    if (value === undefined || choices.once(2)) column.nullable = true;
    else column.default = value;
    table.columns.push(column);
  },
  'drop a column': (choices, model, table) => {
    const column = choices.one(table.columns);
    if (!isTarget(column, table, model)) dropColumn(column, table);
  },
  'rename a column': (choices, model, table) => {
    const name = choices.one(columnNames(table));
    renameColumn(model, table, name, freshName(choices, columnNames(table)));
  },
  'rename a table': renameTable,
  'rename a table and a column of it': (choices, model, table) => {
    renameColumn(model, table, choices.one(columnNames(table)), freshName(choices, columnNames(table)));
    renameTable(choices, model, table);
  },
  'move a table to another schema': (_, model, table) => {
    moveTable(model, table, { schema: table.schema === 'public' ? 'blog' : 'public' });
  },
  'widen a type': (choices, model, table) => {
    const column = choices.one(table.columns);
    const wider = choices.one(columnTypeOf(column.type).widerTypes) ?? column.type;
    // A check of numbers becomes one of texts, which rows of numbers need not meet.
    const isAnother = columnTypeOf(wider).family !== columnTypeOf(column.type).family;
    if (!isAnother || !isChecked(column, table, model)) column.type = wider;
  },
  'make a column optional': (choices, _, table) => {
    choices.one(table.columns).nullable = true;
  },
  'change a default': (choices, model, table) => {
    const column = choices.one(table.columns);
    const value = choices.once(3) ? undefined : chooseDefault(choices, model, column);
    if (value === undefined) delete column.default;
    else column.default = value;
  },
  'change a comment': (choices, _, table) => {
    const commented = choices.one<{ comment?: string }>([table, ...table.columns, ...table.references]);
    if (commented.comment === undefined || choices.once(2)) commented.comment = choices.one(COMMENTS);
    else delete commented.comment;
  },
  'change the kind of an identity': (choices, _, table) => {
    const column = choices.one(table.columns.filter(({ identity }) => identity)) as Column | undefined;
    if (column) column.identity = choices.one(['always', 'by default', 'serial']);
  },
  'add an index': (choices, _, table) => {
    const { unique: _unique, ...index } = chooseIndex(choices, table);
    table.indexes.push(index);
  },
  'drop an index': (choices, _, table) => {
    table.indexes = without(choices, table.indexes);
  },
  'change an index': (choices, _, table) => {
    const old = choices.one(table.indexes);
    const { name: _name, unique, ...index } = chooseIndex(choices, table);
    const next = { ...index, ...(old?.name ? { name: old.name } : {}), ...(old?.unique && unique ? { unique } : {}) };
    if (old && !next.unique) table.indexes = table.indexes.map((each) => (each === old ? next : each));
  },
  'drop a check': (choices, _, table) => {
    table.checks = without(choices, table.checks);
  },
  'add a reference': (choices, model, table) => {
    table.references.push({ ...chooseReference(choices, model), nullable: true });
  },
  'drop a reference': (choices, _, table) => {
    table.references = without(choices, table.references);
  },
  "change a reference's rules": (choices, _, table) => {
    const old = choices.one(table.references);
    table.references = table.references.map((each) => (each === old ? chooseRules(choices, old) : each));
  },
  'add a value to an enum': (choices, model, table) => {
    const value = choices.one(['archived', ...ENUM_VALUES]);
    const values = choices.one(valuesIn(model, table));
    if (values && !values.includes(value)) values.splice(choices.upTo(values.length), 0, value);
  },
  'reorder the values of an enum': (choices, model, table) => {
    choices.one(valuesIn(model, table))?.reverse();
  },
  'add a trigger': (choices, model, table) => {
    table.triggers.push(chooseTrigger(choices, model, table));
  },
  'drop a trigger': (choices, _, table) => {
    table.triggers = without(choices, table.triggers);
  },
  'change a trigger': (choices, model, table) => {
    const [old, ...others] = table.triggers;
    if (old) table.triggers = [{ ...chooseTrigger(choices, model, table), name: old.name }, ...others];
  },
  'add a policy': (choices, _, table) => {
    table.policies.push(choosePolicy(choices, table));
  },
  'drop a policy': (choices, _, table) => {
    table.policies = without(choices, table.policies);
  },
  'change a policy': (choices, _, table) => {
    const [old, ...others] = table.policies;
    if (old) table.policies = [{ ...choosePolicy(choices, table), name: old.name }, ...others];
  },
  'add a view': (choices, model) => {
    model.views.push(chooseView(choices, model));
  },
  'drop a view': (choices, model) => {
    model.views = without(choices, model.views);
  },
  'change a view': (choices, model) => {
    const [old, ...others] = model.views;
    if (old) model.views = [{ ...chooseView(choices, model), schema: old.schema, name: old.name }, ...others];
  },
  'add a table': (choices, model) => {
    const columns = Array.from({ length: choices.upTo(2) }, () => chooseColumn(choices, model));
    const table = { ...chooseTable(choices, columns), name: choices.one(['added', ...NEW_NAMES]) };
    model.tables.push({ ...table, references: [chooseReference(choices, model)] });
  },
  'drop a table': (choices, model) => {
    if (model.tables.length > 1) model.tables = without(choices, model.tables);
  },
};

/** Changes that rows may not permit, so that a pair with one of them is tried without rows. */
export const REFUSABLE: Record<string, Change> = {
  'change a type': (choices, model, table) => {
    const column = choices.one(table.columns);
    const { type, values, enumName } = chooseColumn(choices, model);
    Object.assign(column, { type, ...(values ? { values } : {}), ...(enumName ? { enumName } : {}) });
  },
  // The references refer to the key then, and may get its type.
  'drop a column that others refer to': (choices, model, table) => {
    const column = choices.one(table.columns.filter((each) => isTarget(each, table, model)));
    if (column) dropColumn(column, table);
  },
  'require a column': (choices, _, table) => {
    delete choices.one<{ nullable?: boolean }>([...table.columns, ...table.references]).nullable;
  },
  'add a required column': (choices, model, table) => {
    const { nullable: _nullable, default: _default, ...column } = chooseColumn(choices, model);
    table.columns.push({ ...column, name: choices.one(NEW_NAMES) });
  },
  'change the key': (choices, _, table) => {
    const name = choices.one(columnNames(table));
    table.key = choices.once(2) ? [name] : [...new Set([...table.key, name])];
  },
  'make a column unique': (choices, _, table) => {
    choices.one(table.columns).unique = true;
  },
  'make a column unique and refer to it from a new table': (choices, model, table) => {
    const column = choices.one(table.columns);
    column.unique = true;
    const reference = { columns: ['author_id'], to: idOf(table), toColumn: column.name };
    model.tables.push({ ...chooseTable(choices, []), name: 'added', references: [reference] });
  },
  'add a unique': (choices, _, table) => {
    table.indexes.push({ ...chooseIndex(choices, table), unique: true });
  },
  'add a check': (choices, _, table) => {
    table.checks.push(chooseCheck(choices, table));
  },
  'change a check': (choices, _, table) => {
    const [old, ...others] = table.checks;
    if (old) table.checks = [{ ...chooseCheck(choices, table), name: old.name }, ...others];
  },
  'remove a value of an enum': (choices, model, table) => {
    const values = choices.one(valuesIn(model, table));
    if (values && values.length > 1) values.splice(choices.upTo(values.length - 1), 1);
  },
  'require a reference': (choices, model, table) => {
    table.references.push(chooseReference(choices, model));
  },
};

/** The lists of values of the enums of a table, native or checked. */
const valuesIn = (model: Model, table: Table): string[][] => [
  ...table.columns.flatMap(({ values }) => (values ? [values] : [])),
  ...Object.values(model.enums),
];

function without<T>(choices: RandomChoices, items: T[]): T[] {
  const dropped = choices.one(items);
  return items.filter((each) => each !== dropped);
}

const freshName = (choices: RandomChoices, taken: string[]) => {
  const free = NEW_NAMES.filter((name) => !taken.includes(name));
  return choices.one(free) ?? 'other';
};

/** Renames a column wherever the model names it. */
/** Whether a check names the column, or one that refers to its table and has its type. */
const isChecked = (column: Column, table: Table, { tables }: Model): boolean =>
  tables.some(({ checks, references, ...each }) => {
    const own = idOf(each) === idOf(table) ? [column.name] : [];
    const names = [...own, ...references.filter(({ to }) => to === idOf(table)).flatMap(({ columns }) => columns)];
    return checks.some(({ columns }) => columns.some((name) => names.includes(name)));
  });

const isTarget = ({ name }: Column, table: Table, { tables }: Model) =>
  tables.some(({ references }) => references.some(({ to, toColumn }) => to === idOf(table) && toColumn === name));

function dropColumn(column: Column, table: Table): void {
  if (!table.key.includes(column.name)) table.columns = table.columns.filter((each) => each !== column);
}

function renameColumn(model: Model, table: Table, from: string, to: string): void {
  const swap = (name: string) => (name === from ? to : name);
  const { [from]: was = from, ...others } = table.columnsWere ?? {};
  table.columnsWere = { ...others, [to]: was };
  for (const column of table.columns) {
    column.name = swap(column.name);
    if (column.generated) column.generated.of = swap(column.generated.of);
  }
  for (const reference of table.references) reference.columns = reference.columns.map(swap);
  table.key = table.key.map(swap);
  for (const index of table.indexes) {
    index.columns = index.columns.map(swap);
    if (index.where) index.where.columns = index.where.columns.map(swap);
    if (index.include) index.include = index.include.map(swap);
  }
  for (const check of table.checks) check.columns = check.columns.map(swap);
  const readers = new Set([idOf(table)]);
  for (const view of model.views.filter(({ of }) => readers.has(of))) {
    readers.add(idOf(view));
    view.columns = view.columns.map(swap);
    if (view.where) view.where.columns = view.where.columns.map(swap);
  }
  for (const other of model.tables) {
    for (const reference of other.references) {
      if (reference.to === idOf(table) && reference.toColumn === from) reference.toColumn = to;
    }
    for (const { does } of other.triggers) {
      if (typeof does === 'object' && 'update' in does && does.update === idOf(table)) does.column = swap(does.column);
    }
  }
  for (const policy of table.policies) policy.column = swap(policy.column);
  for (const trigger of table.triggers) {
    if (trigger.when !== undefined) trigger.when = swap(trigger.when);
    if (typeof trigger.does === 'object' && 'assign' in trigger.does) trigger.does.assign = swap(trigger.does.assign);
  }
}

function renameTable(choices: RandomChoices, model: Model, table: Table): void {
  const taken = model.tables.map(({ name }) => name);
  moveTable(model, table, { name: freshName(choices, taken) });
}

function moveTable(model: Model, table: Table, where: { schema?: string; name?: string }): void {
  const from = idOf(table);
  Object.assign(table, where);
  const swap = (id: string) => (id === from ? idOf(table) : id);
  for (const other of model.tables) {
    for (const reference of other.references) reference.to = swap(reference.to);
    for (const { does } of other.triggers)
      if (typeof does === 'object' && 'update' in does) does.update = swap(does.update);
  }
  for (const view of model.views) view.of = swap(view.of);
}
