import type { Execute } from '../sql/execute.ts';
import { literal, quote } from '../sql/quote.ts';
import { type Alternative, acceptedTexts, constantsOf, type Slot, satisfyChecks } from './sample-checks.ts';
import { type Reference, readJson, type SampleColumn, type SampleTable, type SampleType } from './sample-tables.ts';
import { isCertain, valuesOf } from './sample-values.ts';

/** The tables of a database and the keys that rows yet to be inserted get, by table. */
export interface Sampling {
  tables: Map<number, SampleTable>;
  types: Map<number, SampleType>;
  reserved: Map<number, Alternative[]>;
}

/** A table refers to one that has no rows. */
export class NothingToReferTo extends Error {}

/** What the columns of the table can take at this point, in view of the rows that other tables have. */
export async function slotsOf(table: SampleTable, sampling: Sampling, execute: Execute): Promise<Slot[]> {
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const linked = await linkedSlots(table, columns, sampling, execute);
  const taken = new Set(linked.flatMap((slot) => slot.columns));
  const free: Slot[] = [];
  for (const [at, column] of table.columns.entries()) {
    if (!taken.has(column.name) && !column.generated) free.push(await freeSlot(column, at, table, sampling, execute));
  }
  return satisfyChecks([...linked, ...free], table.checks, columns, execute);
}

/** The slots of foreign keys and of keys that are reserved; those that share columns are joined. */
async function linkedSlots(
  table: SampleTable,
  columns: Map<string, SampleColumn>,
  sampling: Sampling,
  execute: Execute,
): Promise<Slot[]> {
  const isGenerated = (name: string) => columns.get(name)?.generated;
  let slots: Slot[] = [];
  for (const reference of table.references.filter((each) => !each.columns.some(isGenerated))) {
    slots = joined(slots, await referringSlot(reference, table, columns, sampling, execute));
  }
  const reserved = sampling.reserved.get(table.oid);
  return reserved?.[0] ? joined(slots, { columns: [...reserved[0].keys()], alternatives: reserved }) : slots;
}

async function referringSlot(
  reference: Reference,
  table: SampleTable,
  columns: Map<string, SampleColumn>,
  sampling: Sampling,
  execute: Execute,
): Promise<Slot> {
  const target = sampling.tables.get(reference.table);
  const rows = target ? await referredRows(target, reference, execute) : [];
  const isSelf = reference.table === table.oid;
  const nullable = reference.columns.filter((name) => !columns.get(name)?.notNull);
  if (rows.length === 0 && target && nullable.length === 0 && (isSelf || reference.deferrable)) {
    for (const key of await reserve(target, reference, sampling, execute)) {
      const referring = reference.columns.map((name, i): [string, string] => [
        name,
        key.get(reference.targets[i] ?? '') ?? 'null',
      ]);
      rows.push(new Map([...referring, ...(isSelf ? key : [])]));
    }
  }
  if (nullable.length > 0) rows.splice(1, 0, unset(reference.columns, nullable, rows[0], columns, sampling));
  if (rows.length === 0) throw new NothingToReferTo(`It refers to ${target?.name ?? 'a table'}, which has no rows.`);
  return { columns: [...new Set(rows.flatMap((row) => [...row.keys()]))], alternatives: rows };
}

/** A key that refers to nothing: one null is enough, and the columns that can't be null take any value. */
function unset(
  names: string[],
  nullable: string[],
  row: Alternative | undefined,
  columns: Map<string, SampleColumn>,
  { types }: Sampling,
): Alternative {
  const anyValue = (name: string) => {
    const column = columns.get(name);
    return row?.get(name) ?? literal(valuesOf(column?.type ?? 0, column?.modifier ?? -1, types)[0]);
  };
  return new Map(names.map((name) => [name, nullable.includes(name) ? 'null' : anyValue(name)]));
}

async function referredRows(
  target: SampleTable,
  { columns, targets }: Reference,
  execute: Execute,
): Promise<Alternative[]> {
  const list = targets.map((name) => `${quote(name)}::text`).join(', ');
  const isSet = targets.map((name) => `${quote(name)} is not null`).join(' and ');
  const rows = await readJson<{ values: string[] }>(
    execute,
    `select array[${list}] as values from ${target.sql} where ${isSet} order by 1 limit 20`,
  );
  return rows.map(({ values }) => new Map(columns.map((name, i) => [name, literal(values[i])])));
}

/** Chooses the keys of two rows before the rows exist, so that rows can refer to themselves or to later ones. */
async function reserve(
  target: SampleTable,
  { targets }: Reference,
  sampling: Sampling,
  execute: Execute,
): Promise<Alternative[]> {
  const known = sampling.reserved.get(target.oid);
  if (known) return known.every((key) => targets.every((name) => key.has(name))) ? known : [];
  const keys: Alternative[] = [];
  for (const row of [0, 1]) {
    const key: Alternative = new Map();
    for (const name of targets) {
      const column = target.columns.find((each) => each.name === name);
      if (!column) return [];
      const [drawn] = hasSequence(column) ? await execute(`select (${column.default})::text as value`) : [];
      key.set(name, literal(drawn ? String(drawn.value) : valuesOf(column.type, column.modifier, sampling.types)[row]));
    }
    keys.push(key);
  }
  sampling.reserved.set(target.oid, keys);
  return keys;
}

/** A natural join: slots that share columns become one, with the alternatives that agree on them. */
function joined(slots: Slot[], added: Slot): Slot[] {
  const shared = slots.find((slot) => slot.columns.some((name) => added.columns.includes(name)));
  if (!shared) return [...slots, added];
  const common = shared.columns.filter((name) => added.columns.includes(name));
  const alternatives = shared.alternatives.flatMap((one) =>
    added.alternatives
      .filter((other) => common.every((name) => one.get(name) === other.get(name)))
      .map((other) => new Map([...one, ...other])),
  );
  const columns = [...new Set([...shared.columns, ...added.columns])];
  if (alternatives.length === 0)
    throw new NothingToReferTo(`No rows agree on ${common.join(', ')}, which two foreign keys share.`);
  return joined(
    slots.filter((slot) => slot !== shared),
    { columns, alternatives },
  );
}

async function freeSlot(
  column: SampleColumn,
  at: number,
  table: SampleTable,
  { types }: Sampling,
  execute: Execute,
): Promise<Slot> {
  const slot = (values: string[]): Slot => ({
    columns: [column.name],
    alternatives: values.map((sql) => new Map([[column.name, sql]])),
  });
  // An explicit number would collide with a later one of the sequence.
  if (hasSequence(column)) return slot(['default']);
  const texts = valuesOf(column.type, column.modifier, types);
  const trusted = isCertain(column.type, types) ? texts : await acceptedTexts(texts, column.sqlType, execute);
  const checks = table.checks
    .filter(({ columns }) => columns.includes(column.name))
    .map(({ expression }) => expression);
  const mined = await minedValues([...checks, ...domainChecks(column.type, types)], column, types, execute);
  const [ordinary, ...edges] = [...new Set([...trusted, ...mined])].map(literal);
  // Which edge a row shows differs from column to column, but a key takes them in order: each is needed once.
  const isKey = table.keys.some((key) => key.includes(column.name));
  const turned = isKey
    ? edges
    : edges
        .slice(0, 4)
        .map((_, i) => edges[(i + at) % Math.min(4, edges.length)] ?? 'null')
        .concat(edges.slice(4));
  return slot([
    ...(ordinary === undefined ? [] : [ordinary]),
    ...(isNullable(column, types) ? ['null'] : []),
    ...turned.slice(0, 1),
    ...(column.default === null ? [] : ['default']),
    ...turned.slice(1),
  ]);
}

/** Values on the edge of what the checks of a column allow. */
async function minedValues(
  checks: string[],
  column: SampleColumn,
  types: Map<number, SampleType>,
  execute: Execute,
): Promise<string[]> {
  if (checks.length === 0) return [];
  const type = types.get(column.type);
  const found = checks.map(constantsOf);
  const texts = found.flatMap((each) => each.texts);
  const numbers = found.flatMap((each) => each.numbers);
  let base = type;
  while (base?.kind === 'd') base = types.get(base.base);
  const limit = base?.category === 'S' && column.modifier >= 4 ? column.modifier - 4 : 10_000;
  const proposals: Record<string, () => string[]> = {
    S: () => {
      const lengths = numbers.filter((n) => n > 0 && n <= limit).map((n) => 'x'.repeat(Math.floor(n)));
      const seeds = [...texts, ...lengths];
      // A unique column needs several that match.
      const variants = seeds.flatMap((text) => [
        `${text}1`,
        `b${text}`,
        `${text.slice(0, -1)}b`,
        `${text.slice(0, -1)}2`,
      ]);
      return [...seeds, ...variants].filter((text) => text.length <= limit);
    },
    A: () => [...texts, ...texts.map((text) => `{"${text}"}`), ...numbers.map((n) => `{${n}}`)],
    U: () => [...texts, ...texts.map((text) => JSON.stringify({ [text]: text }))],
    B: () => [],
  };
  const proposed = proposals[base?.category ?? '']?.() ?? [...numbers.map(String), ...texts];
  return acceptedTexts([...new Set(proposed)], column.sqlType, execute);
}

function domainChecks(oid: number, types: Map<number, SampleType>): string[] {
  const type = types.get(oid);
  return type?.kind === 'd' ? [...type.checks, ...domainChecks(type.base, types)] : [];
}

function isNullable(column: SampleColumn, types: Map<number, SampleType>): boolean {
  if (column.notNull) return false;
  for (let type = types.get(column.type); type?.kind === 'd'; type = types.get(type.base)) {
    if (type.notNull || type.checks.some((check) => /is not null/i.test(check))) return false;
  }
  return true;
}

/** A number that comes from a sequence. */
export const hasSequence = (column: SampleColumn) => column.identity || Boolean(column.default?.includes('nextval('));
