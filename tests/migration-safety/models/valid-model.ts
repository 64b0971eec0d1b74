import { columnTypeOf, isInteger } from './column-types.ts';
import {
  type Column,
  columnNames,
  databaseName,
  type Index,
  idOf,
  type Model,
  type Reference,
  type Table,
  type Trigger,
  typeOf,
  type View,
} from './model.ts';
import { conditionSql, typesIn } from './sql.ts';

/**
 * The model without what PostgreSQL or MikroORM would not take: names that are taken, references to what is gone, parts
 * that do not fit a column's type. So a random model or a random change of one needs no care.
 */
export function validModel(model: Model): Model {
  const enums = Object.fromEntries(Object.entries(model.enums).filter(([, values]) => values.length > 0));
  const valid: Model = { tables: [], views: [], enums };
  const relations = new Names();
  for (const table of model.tables) {
    if (relations.take(idOf({ ...table, name: databaseName(table.name) }))) {
      valid.tables.push({ ...table, columns: validColumns(table, enums) });
    }
  }
  // References determine the types of their columns, and a key may be a reference: each pass may remove what another used.
  for (let before = ''; before !== JSON.stringify(valid.tables); ) {
    before = JSON.stringify(valid.tables);
    for (const table of valid.tables) {
      table.references = validReferences(valid, table);
      validateKey(valid, table);
    }
  }
  const indexes = new Names();
  for (const table of valid.tables) {
    const typeIn = typesIn(valid, table);
    table.columns = table.columns.map((column) => validUnique(column, table));
    for (const { name, unique } of table.columns) {
      if (unique) indexes.take(`${table.schema} ${indexName(table, { columns: [name], unique })}`);
    }
    table.indexes = table.indexes
      .flatMap((index) => validIndex(valid, table, index))
      .filter((index) => indexes.take(`${table.schema} ${indexName(table, index)}`));
    const names = new Names();
    table.checks = table.checks.filter(
      (check) =>
        check.columns.every((name) => columnNames(table).includes(name)) &&
        conditionSql(check, typeIn) &&
        names.take(check.name),
    );
  }
  for (const table of valid.tables) {
    const policies = new Names();
    table.policies = table.policies.filter(
      ({ name, column }) => columnNames(table).includes(column) && policies.take(name),
    );
  }
  const functions = new Names();
  for (const table of valid.tables) {
    table.triggers = table.triggers
      .filter((trigger) => isValidTrigger(valid, table, trigger))
      // MikroORM gives two triggers whose functions' names are equal in their first 63 bytes one function.
      .filter((trigger) => functions.take(`${table.schema}.${databaseName(`${table.name}_${trigger.name}_fn`)}`));
  }
  for (const view of model.views) {
    const made = validView(valid, view);
    if (made && relations.take(idOf({ ...view, name: databaseName(view.name) }))) valid.views.push(made);
  }
  return valid;
}

class Names {
  private readonly taken = new Set<string>();

  take(name: string): boolean {
    if (this.taken.has(name)) return false;
    this.taken.add(name);
    return true;
  }
}

function validColumns(table: Table, enums: Model['enums']): Column[] {
  const names = new Names();
  const columns = table.columns.filter(
    ({ name, type, enumName, values }) =>
      names.take(databaseName(name)) &&
      (!type.startsWith('native enum') || (enumName !== undefined && enums[enumName])) &&
      (!type.startsWith('enum') || (values?.length ?? 0) > 0),
  );
  return columns.map((column) => validColumn(columns, column, enums)).filter((column) => column !== undefined);
}

function validColumn(columns: Column[], given: Column, enums: Model['enums']): Column | undefined {
  const column = { ...given };
  const type = columnTypeOf(column.type);
  if (!column.type.startsWith('enum')) delete column.values;
  if (!column.type.startsWith('native enum')) delete column.enumName;
  const values = column.values ?? enums[column.enumName ?? ''];
  if (column.generated) {
    const { as, of } = column.generated;
    const source = columns.find(({ name }) => name === of);
    if (!source || source.generated || source === given || source.type.includes('enum')) return undefined;
    if (columnTypeOf(source.type).family !== (as === 'half' ? 'number' : 'text')) return undefined;
    column.type = as === 'length' ? 'int' : source.type;
    for (const absent of ['default', 'identity', 'values', 'enumName'] as const) delete column[absent];
  }
  if (column.identity && !isInteger(column.type)) delete column.identity;
  if (column.identity) {
    delete column.default;
    delete column.nullable;
  }
  if (column.default !== undefined) {
    const defaults = values && !column.type.endsWith('[]') ? values.map(sqlText) : type.defaults;
    if (!defaults.includes(column.default)) delete column.default;
  }
  if (column.collation && (columnTypeOf(column.type).family !== 'text' || column.type === 'enum'))
    delete column.collation;
  return column;
}

export const sqlText = (value: string) => `'${value.replaceAll("'", "''")}'`;

function validReferences(model: Model, table: Table): Reference[] {
  const names = new Names();
  for (const { name } of table.columns) names.take(databaseName(name));
  return table.references.flatMap((given) => {
    const reference = { ...given };
    const to = model.tables.find((each) => idOf(each) === reference.to);
    if (!to) return [];
    const target = to.columns.find(({ name }) => name === reference.toColumn);
    if (!target?.unique || target.generated || !isReferable(target.type) || to.key.includes(target.name))
      delete reference.toColumn;
    if (reference.columns.some((name) => table.key.includes(name))) {
      // A key made of references needs an order in which types are known.
      if (model.tables.indexOf(to) >= model.tables.indexOf(table)) return [];
      delete reference.nullable;
      delete reference.unique;
    }
    const count = reference.toColumn === undefined ? to.key.length : 1;
    if (count === 0) return [];
    const [first] = reference.columns;
    reference.columns = Array.from({ length: count }, (_, i) => reference.columns[i] ?? `${first}_${i + 1}`);
    return reference.columns.every((name) => names.take(databaseName(name))) ? [reference] : [];
  });
}

/**
 * Whether a foreign key can refer to a column of this type. PostgreSQL fails for an array of varchar ("cannot determine
 * element type"), and MikroORM writes the native enum of a referring column without quotes.
 */
const isReferable = (type: string) => columnTypeOf(type).ordered && type !== 'varchar(40)[]' && !type.includes('enum');

/** A key of columns that are there, have an order and are not computed; a new column id if there is none. */
function validateKey(model: Model, table: Table): void {
  const names = columnNames(table);
  const scalar = (name: string) => table.columns.find((column) => column.name === name);
  table.key = table.key.filter((name) => {
    const column = scalar(name);
    return names.includes(name) && !column?.generated && isReferable(typeOf(model, table, name));
  });
  // All columns of a composite reference are in the key, or none.
  for (const { columns } of table.references) {
    if (columns.some((name) => table.key.includes(name))) table.key = [...new Set([...table.key, ...columns])];
  }
  if (table.key.length === 0) {
    const id = ['id', 'id2', 'id3'].find((name) => !names.includes(name)) as string;
    table.columns = [{ name: id, type: 'int', identity: 'by default' }, ...table.columns];
    table.key = [id];
  }
  table.key = columnNames(table).filter((name) => table.key.includes(name));
  table.columns = table.columns.map((given) => {
    const column = { ...given };
    const isKey = table.key.includes(column.name);
    if (isKey) {
      delete column.nullable;
      delete column.unique;
    }
    // MikroORM makes serial of the only column of a key.
    if (column.identity === 'serial' && (!isKey || table.key.length > 1)) column.identity = 'by default';
    return column;
  });
}

function validUnique(given: Column, table: Table): Column {
  const column = { ...given };
  if (!columnTypeOf(column.type).ordered || table.key.includes(column.name)) delete column.unique;
  return column;
}

/** As MikroORM names it, near enough to keep names apart. */
const indexName = (table: Table, { name, columns, unique }: Index) =>
  databaseName(name ?? `${table.name}_${columns.join('_')}_${unique ? 'unique' : 'index'}`);

function validIndex(model: Model, table: Table, given: Index): Index[] {
  const index = { ...given };
  const typeIn = typesIn(model, table);
  // A composite reference is one property of MikroORM, so an index has all its columns or none.
  const usable = [
    ...table.columns.map(({ name }) => name),
    ...table.references.flatMap(({ columns }) => (columns.length === 1 ? columns : [])),
  ];
  index.columns = [...new Set(index.columns)].filter((name) => {
    if (!usable.includes(name)) return false;
    const type = columnTypeOf(typeIn(name));
    return index.method === 'gin' || index.method === 'gist' ? type.method === index.method : type.ordered;
  });
  const [first] = index.columns;
  // Of fewer columns, rows that were different may be the same.
  if (first === undefined || (index.unique && given.columns.some((name) => !usable.includes(name)))) return [];
  const { family } = columnTypeOf(typeIn(first));
  if (index.expression) {
    if (family !== { lower: 'text', coalesce: 'number' }[index.expression]) return [];
    return [
      {
        name: index.name ?? 'by_expression',
        columns: [first],
        expression: index.expression,
        ...(index.unique ? { unique: true } : {}),
      },
    ];
  }
  if (index.method) {
    const hasMethod = index.method === 'gin' || index.method === 'gist' || ['number', 'text', 'time'].includes(family);
    if (!hasMethod || typeIn(first) === '"char"') return [];
    index.columns = [first];
    for (const absent of ['unique', 'descending', 'include', 'fillFactor', 'deferrable'] as const) delete index[absent];
  }
  if (index.include) {
    index.include = index.include.filter((name) => usable.includes(name) && !index.columns.includes(name));
    if (index.include.length === 0) delete index.include;
  }
  if (index.where && !(index.where.columns.every((name) => usable.includes(name)) && conditionSql(index.where, typeIn)))
    delete index.where;
  if (index.unique) delete index.descending;
  if (!index.unique || index.where) delete index.deferrable;
  return [index];
}

function isValidTrigger(model: Model, table: Table, { timing, events, each, when, does }: Trigger): boolean {
  const isAssignable = (of: Table | undefined, name: string) =>
    of?.columns.some((column) => column.name === name && !column.generated && column.identity !== 'always');
  if (events.length === 0) return false;
  if (when !== undefined) {
    if (each !== 'row' || events.includes('delete') || !isAssignable(table, when)) return false;
  }
  if (does === 'nothing') return true;
  if ('assign' in does)
    return timing === 'before' && each === 'row' && !events.includes('delete') && !!isAssignable(table, does.assign);
  // An update in a trigger on updates could go on forever.
  const target = model.tables.find((other) => idOf(other) === does.update);
  // Nor can one that runs before a row is deleted update the row.
  if (target === table && timing === 'before' && events.includes('delete')) return false;
  return !events.includes('update') && !!isAssignable(target, does.column);
}

function validView(model: Model, given: View): View | undefined {
  const view = { ...given };
  const table = model.tables.find((each) => idOf(each) === view.of);
  const below = model.views.find((each) => idOf(each) === view.of);
  const readable = table ? columnNames(table) : (below?.columns ?? []);
  view.columns = [...new Set(view.columns)].filter((name) => readable.includes(name));
  if (view.columns.length === 0) return undefined;
  // A materialized view has the key of its table.
  if (!table) delete view.materialized;
  else if (view.materialized) view.columns = [...new Set([...table.key, ...view.columns])];
  if (view.where) {
    const typeIn = table && typesIn(model, table);
    const isValid =
      typeIn && view.where.columns.every((name) => readable.includes(name)) && conditionSql(view.where, typeIn);
    if (!isValid) delete view.where;
  }
  return view;
}
