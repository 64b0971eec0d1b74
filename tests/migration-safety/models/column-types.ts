/** What a column of a type can have and be part of. */
export interface ColumnType {
  /** What MikroORM's property has, if not the type's name as its columnType. */
  options?: Record<string, unknown>;
  defaults: string[];
  family: 'number' | 'text' | 'time' | 'array' | 'other';
  /** It has a btree operator class: a key, a unique, a plain index. */
  ordered: boolean;
  method?: 'gin' | 'gist';
  /** Types that every value of this one fits into. */
  widerTypes: string[];
}

const INTEGERS = ['0', '42', '-1', '(1 + 2)'];
const DECIMALS = ['0', '1.50', '-0.5'];
const TEXTS = ["''", "'draft'", "'it''s'", `'{"a":{"b":[1,2]}}'`, `'{a,"b,c"}'`, "'a;b -- c'", "lower('DRAFT')"];
const JSONS = [`'{"a":{"b":[1,2]}}'`, `'{"it''s":"}{"}'`, "'[]'", "'null'"];
const INSTANTS = ['now()', 'current_timestamp', "'2020-01-02 03:04:05'", "(now() + interval '1 day 2 hours')"];

const type = (family: ColumnType['family'], defaults: string[], rest: Partial<ColumnType> = {}): ColumnType => ({
  family,
  defaults,
  ordered: true,
  widerTypes: [],
  ...rest,
});
const unordered = (defaults: string[], rest: Partial<ColumnType> = {}) =>
  type('other', defaults, { ordered: false, ...rest });
const array = (defaults: string[], ...widerTypes: string[]) => type('array', defaults, { method: 'gin', widerTypes });
const range = (defaults: string[]) => type('other', defaults, { method: 'gist' });

/** All types of PostgreSQL that have a value of their own, and the types of MikroORM that become one of them. */
export const COLUMN_TYPES: Record<string, ColumnType> = {
  int: type('number', INTEGERS, { widerTypes: ['bigint', 'numeric', 'double precision', 'text'] }),
  text: type('text', TEXTS),
  'varchar(40)': type('text', TEXTS, { widerTypes: ['varchar(80)', 'varchar', 'text', 'string'] }),
  'varchar(80)': type('text', TEXTS, { widerTypes: ['text', 'varchar'] }),
  varchar: type('text', TEXTS, { widerTypes: ['text'] }),
  'char(30)': type('text', TEXTS),
  bigint: type('number', INTEGERS, { widerTypes: ['numeric', 'text'] }),
  smallint: type('number', INTEGERS, { widerTypes: ['int', 'bigint', 'real', 'numeric'] }),
  boolean: type('other', ['true', 'false'], { widerTypes: ['text'] }),
  timestamptz: type('time', INSTANTS),
  'timestamptz(3)': type('time', INSTANTS, { widerTypes: ['timestamptz'] }),
  timestamp: type('time', [...INSTANTS, "timezone('utc', now())"]),
  'timestamp(0)': type('time', INSTANTS, { widerTypes: ['timestamp(3)', 'timestamp'] }),
  'timestamp(3)': type('time', INSTANTS, { widerTypes: ['timestamp'] }),
  date: type('time', ['current_date', "'2020-02-29'"], { widerTypes: ['timestamp', 'text'] }),
  'time(0)': type('other', ["'12:30:00'", 'localtime'], { widerTypes: ['time'] }),
  time: type('other', ["'12:30:00.123456'"]),
  'timetz(6)': type('other', ["'12:30:00+02'"]),
  interval: type('other', ["'1 day'", "'1 year 2 mons 03:04:05'"]),
  jsonb: type('other', [...JSONS, 'jsonb_build_object()'], { method: 'gin' }),
  json: unordered(JSONS, { widerTypes: ['jsonb', 'text'] }),
  uuid: type('other', ['gen_random_uuid()', "'00000000-0000-0000-0000-000000000000'"], { widerTypes: ['text'] }),
  'text[]': array(["'{}'", `'{a,"b,c"}'`, "array['x', 'it''s']::text[]"]),
  'int[]': array(["'{}'", "'{1,2}'", 'array[1, 2]'], 'bigint[]', 'numeric[]'),
  'bigint[]': array(["'{}'", "'{1,2}'"], 'numeric[]'),
  'varchar(40)[]': array(["'{}'", `'{a,"b,c"}'`], 'text[]'),
  'numeric[]': array(["'{1.5,NULL}'"]),
  'timestamptz[]': array(["'{}'"]),
  'boolean[]': array(["'{t,f}'"]),
  'uuid[]': array(["'{}'"]),
  'jsonb[]': array([`array['{"a":{"b":[1,2]}}'::jsonb]`]),
  numeric: type('number', DECIMALS),
  'numeric(10,2)': type('number', DECIMALS, { widerTypes: ['numeric(14,2)', 'numeric(16,4)', 'numeric'] }),
  'numeric(14,2)': type('number', DECIMALS, { widerTypes: ['numeric'] }),
  'numeric(16,4)': type('number', DECIMALS, { widerTypes: ['numeric'] }),
  real: type('number', DECIMALS, { widerTypes: ['double precision'] }),
  'double precision': type('number', DECIMALS),
  money: type('other', ['0', "'12.34'"], { widerTypes: ['numeric'] }),
  bytea: type('other', ["'\\x00ff'", "'abc'"]),
  inet: type('other', ["'127.0.0.1'", "'::1/64'"], { widerTypes: ['text'] }),
  cidr: type('other', ["'10.0.0.0/8'"], { widerTypes: ['inet'] }),
  macaddr: type('other', ["'08:00:2b:01:02:03'"], { widerTypes: ['macaddr8'] }),
  macaddr8: type('other', ["'08:00:2b:01:02:03:04:05'"]),
  'bit(3)': type('other', ["'101'"], { widerTypes: ['varbit'] }),
  'varbit(5)': type('other', ["'10101'"], { widerTypes: ['varbit'] }),
  varbit: type('other', ["'1'"]),
  tsvector: type('other', ["'a:1 b:2'"], { method: 'gin' }),
  tsquery: type('other', ["'a & b'"]),
  int4range: range(["'[1,5)'", "'empty'"]),
  int8range: range(["'(,)'"]),
  numrange: range(["'[1.5,2.5]'"]),
  tsrange: range(["'[2020-01-01,2021-01-01)'"]),
  tstzrange: range(["'(,2021-01-01)'"]),
  daterange: range(["'[2020-01-01,2021-01-01)'"]),
  int4multirange: range(["'{[1,2),[5,6)}'"]),
  datemultirange: range(["'{}'"]),
  point: unordered(["'(1,2)'", 'point(1, 2)'], { method: 'gist' }),
  box: unordered(["'(1,2),(3,4)'"], { method: 'gist' }),
  circle: unordered(["'<(1,2),3>'"], { method: 'gist' }),
  polygon: unordered(["'((0,0),(1,1),(1,0))'"], { method: 'gist' }),
  line: unordered(["'{1,2,3}'"]),
  lseg: unordered(["'[(0,0),(1,1)]'"]),
  path: unordered(["'[(0,0),(1,1)]'"]),
  jsonpath: unordered(["'$.a'"]),
  pg_lsn: type('other', ["'0/0'"]),
  oid: type('other', ['0']),
  name: type('other', ["'abc'"]),
  '"char"': type('other', ["'a'"]),
  string: type('text', TEXTS, { options: { type: 'string' }, widerTypes: ['text'] }),
  integer: type('number', INTEGERS, { options: { type: 'integer' }, widerTypes: ['bigint'] }),
  decimal: type('number', DECIMALS, { options: { type: 'decimal', precision: 12, scale: 4 }, widerTypes: ['numeric'] }),
  double: type('number', DECIMALS, { options: { type: 'double' } }),
  datetime: type('time', INSTANTS, { options: { type: 'datetime', length: 3 }, widerTypes: ['timestamptz'] }),
  blob: type('other', ["'\\x00'"], { options: { type: 'blob' } }),
  strings: type('array', ["'{}'", `'{a,"b,c"}'`], { options: { type: 'array' }, method: 'gin' }),
  object: type('other', JSONS, { options: { type: 'json' }, method: 'gin' }),
  enum: type('text', []),
  'enum[]': type('array', ["'{}'"]),
  'native enum': type('other', [], { widerTypes: ['text'] }),
  'native enum[]': type('array', ["'{}'"]),
};

export const isInteger = (name: string) => ['int', 'bigint', 'smallint', 'integer'].includes(name);

export function columnTypeOf(name: string): ColumnType {
  const found = COLUMN_TYPES[name];
  if (!found) throw new Error(`COLUMN_TYPES has no "${name}".`);
  return found;
}
