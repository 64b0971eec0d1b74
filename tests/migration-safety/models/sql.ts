import { qualifiedName, quote } from '../../../src/migration-safety/sql/quote.ts';
import { columnTypeOf } from './column-types.ts';
import {
  type Column,
  type Condition,
  type Index,
  idOf,
  type Model,
  type Table,
  type Trigger,
  typeOf,
  type View,
} from './model.ts';

type TypeIn = (column: string) => string;

export const typesIn =
  (model: Model, table: Table): TypeIn =>
  (name) =>
    typeOf(model, table, name);

/** The SQL of a condition, by the family of its first column's type; undefined if the type has no such condition. */
export function conditionSql({ is, columns }: Condition, typeIn: TypeIn): string | undefined {
  const [column, other] = columns;
  if (column === undefined) return undefined;
  const name = quote(column);
  const { family, ordered } = columnTypeOf(typeIn(column));
  if (is === 'not null') return `${name} is not null`;
  if (is === 'ordered') {
    if (other === undefined || !ordered || typeIn(column) !== typeIn(other) || typeIn(column).includes('enum'))
      return undefined;
    return `${name} <= ${quote(other)}`;
  }
  return CONDITIONS[is][family]?.(name);
}

const CONDITIONS: Record<'between' | 'in' | 'case', Record<string, (name: string) => string>> = {
  between: {
    number: (name) => `${name} between 0 and 1000`,
    text: (name) => `length(${name}) between 0 and 100`,
    time: (name) => `${name} between '2000-01-01' and '2100-01-01'`,
  },
  in: {
    number: (name) => `${name} in (0, 1, 42)`,
    text: (name) => `${name} in ('draft', 'it''s', '')`,
  },
  case: {
    number: (name) => `case when ${name} > 10 then ${name} < 10000 else true end`,
    text: (name) => `case when ${name} = '' then true else length(${name}) < 1000 end`,
  },
};

/** The type of the values of a generated column and its expression, by the column that it is made of. */
export function generatedSql({ as, of }: NonNullable<Column['generated']>): string {
  const name = quote(of);
  return { half: `${name} / 2`, lower: `lower(${name})`, length: `length(${name})` }[as];
}

export function indexSql(table: Table, { name, unique, columns, expression }: Index): string {
  const column = quote(columns[0] as string);
  const key = expression === 'lower' ? `lower(${column})` : `(coalesce(${column}, 0))`;
  return `create ${unique ? 'unique ' : ''}index ${quote(name as string)} on ${qualifiedName(table.schema, table.name)} (${key})`;
}

export function triggerBody(model: Model, { does, timing, events }: Trigger): string {
  const row = timing === 'after' ? 'null' : events.includes('delete') ? 'old' : 'new';
  if (does === 'nothing') return `return ${row};`;
  if ('assign' in does) return `new.${quote(does.assign)} := new.${quote(does.assign)}; return new;`;
  const { schema, name } = model.tables.find((table) => idOf(table) === does.update) as Table;
  const column = quote(does.column);
  return `update ${qualifiedName(schema, name)} set ${column} = ${column}; return ${row};`;
}

export function viewSql(model: Model, view: View): string {
  const of = [...model.tables, ...model.views].find((each) => idOf(each) === view.of) as Table | View;
  const where = view.where && conditionSql(view.where, typesIn(model, tableOf(model, view)));
  return `select ${view.columns.map(quote).join(', ')} from ${qualifiedName(of.schema, of.name)}${where ? ` where ${where}` : ''}`;
}

/** The table that a view reads, directly or through other views. */
function tableOf(model: Model, view: View): Table {
  const table = model.tables.find((each) => idOf(each) === view.of);
  return table ?? tableOf(model, model.views.find((each) => idOf(each) === view.of) as View);
}
