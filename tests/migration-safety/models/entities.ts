import { EntitySchema, MikroORM, PostgreSqlDriver } from '@mikro-orm/postgresql';
import { schemaStatements } from '../../../src/migration-safety/shadow/entities-schema.ts';
import { quote } from '../../../src/migration-safety/sql/quote.ts';
import { columnTypeOf } from './column-types.ts';
import { type Column, type Index, idOf, type Model, type Reference, type Table } from './model.ts';
import { conditionSql, generatedSql, indexSql, triggerBody, typesIn, viewSql } from './sql.ts';

/** The statements with which MikroORM makes the schema of a model, as one text. It needs no connection. */
export async function createSchemaSql(model: Model): Promise<string> {
  const orm = new MikroORM({ driver: PostgreSqlDriver, dbName: 'not connected', entities: toEntities(model) });
  return (await schemaStatements(orm.schema)).map(({ sql }) => `${sql};`).join('\n');
}

/** A model as the entities of MikroORM. Properties are named by their position: c0, c1, r0. */
export function toEntities(model: Model): EntitySchema[] {
  const tables = model.tables.map((table, position) => {
    const columns = table.columns.map((column, i) => [`c${i}`, toProperty(model, table, column)]);
    const references = table.references.map((reference, i) => [`r${i}`, toRelation(model, table, reference)]);
    return entity(`Table${position}`, table, {
      comment: table.comment,
      properties: Object.fromEntries([...columns, ...references]),
      indexes: table.indexes
        .filter(({ unique, expression }) => !unique || expression)
        .map((each) => toIndex(model, table, each)),
      uniques: table.indexes
        .filter(({ unique, expression }) => unique && !expression)
        .map((each) => toIndex(model, table, each)),
      checks: table.checks.map((check) => ({
        name: check.name,
        expression: conditionSql(check, typesIn(model, table)),
      })),
      policies: table.policies.map(({ name, command, column, restrictive }) => ({
        name,
        command,
        using: `${quote(column)} is not null`,
        ...(restrictive ? { type: 'restrictive' } : {}),
      })),
      triggers: table.triggers.map((trigger) => ({
        name: trigger.name,
        timing: trigger.timing,
        events: trigger.events,
        forEach: trigger.each,
        ...(trigger.when === undefined ? {} : { when: `new.${quote(trigger.when)} is not null` }),
        body: triggerBody(model, trigger),
      })),
    });
  });
  const views = model.views.map((view, position) => {
    // MikroORM makes a unique index on the key of a materialized view.
    const key = model.tables.find((table) => idOf(table) === view.of)?.key ?? [];
    const isKey = (name: string) => (view.materialized ? key.includes(name) : name === view.columns[0]);
    return entity(`View${position}`, view, {
      view: view.materialized ? { materialized: true } : true,
      expression: viewSql(model, view),
      properties: Object.fromEntries(
        view.columns.map((name, i) => [`c${i}`, { type: 'string', fieldName: name, primary: isKey(name) }]),
      ),
    });
  });
  return [...tables, ...views];
}

const entity = (name: string, { schema, name: tableName }: { schema: string; name: string }, rest: object) =>
  new EntitySchema({ name, tableName, ...(schema === 'public' ? {} : { schema }), ...rest } as never);

function toProperty(model: Model, table: Table, column: Column): object {
  const isKey = table.key.includes(column.name);
  return {
    fieldName: column.name,
    ...toType(model, column),
    nullable: column.nullable ?? false,
    primary: isKey,
    autoincrement: column.identity === 'serial',
    unique: column.unique ?? false,
    ...(column.default === undefined ? {} : { defaultRaw: column.default }),
    ...(column.generated ? { generated: `(${generatedSql(column.generated)}) stored` } : {}),
    ...(column.identity && column.identity !== 'serial'
      ? { generated: column.identity === 'always' ? 'identity' : 'by default as identity' }
      : {}),
    ...(column.collation === undefined ? {} : { collation: column.collation }),
    ...(column.comment === undefined ? {} : { comment: column.comment }),
  };
}

function toType(model: Model, column: Column): object {
  const array = column.type.endsWith('enum[]') ? { array: true } : {};
  if (column.type.startsWith('enum')) return { enum: true, items: column.values, ...array };
  if (column.type.startsWith('native enum')) {
    const name = column.enumName as string;
    return { enum: true, items: model.enums[name], nativeEnumName: name, ...array };
  }
  // MikroORM makes serial of an integer type with autoincrement only if it chooses the column type.
  if (column.identity === 'serial') return { type: { int: 'integer' }[column.type] ?? column.type };
  return columnTypeOf(column.type).options ?? { type: 'any', columnType: column.type };
}

function toRelation(model: Model, table: Table, reference: Reference): object {
  const position = model.tables.findIndex(({ schema, name }) => `${schema}.${name}` === reference.to);
  const target = model.tables[position] as Table;
  return {
    kind: 'm:1',
    entity: () => `Table${position}`,
    fieldNames: reference.columns,
    ...(reference.toColumn === undefined ? {} : { targetKey: propertyOf(target, reference.toColumn) }),
    primary: table.key.includes(reference.columns[0] as string),
    nullable: reference.nullable ?? false,
    unique: reference.unique ?? false,
    ...(reference.onDelete ? { deleteRule: reference.onDelete } : {}),
    ...(reference.onUpdate ? { updateRule: reference.onUpdate } : {}),
    ...(reference.deferrable ? { deferMode: reference.deferrable } : {}),
    ...(reference.comment === undefined ? {} : { comment: reference.comment }),
  };
}

function toIndex(model: Model, table: Table, index: Index): object {
  if (index.expression) return { name: index.name, expression: indexSql(table, index) };
  const properties = index.columns.map((name) => propertyOf(table, name));
  return {
    ...(index.name ? { name: index.name } : {}),
    properties,
    ...(index.method ? { type: index.method } : {}),
    ...(index.where ? { where: conditionSql(index.where, typesIn(model, table)) } : {}),
    ...(index.descending ? { columns: properties.map((name) => ({ name, sort: 'desc', nulls: 'last' })) } : {}),
    ...(index.include ? { include: index.include.map((name) => propertyOf(table, name)) } : {}),
    ...(index.fillFactor ? { fillFactor: index.fillFactor } : {}),
    ...(index.deferrable ? { deferMode: index.deferrable } : {}),
  };
}

/** The property of a column. A composite reference is one property. */
function propertyOf(table: Table, name: string): string {
  const column = table.columns.findIndex((each) => each.name === name);
  if (column >= 0) return `c${column}`;
  return `r${table.references.findIndex(({ columns }) => columns.includes(name))}`;
}
