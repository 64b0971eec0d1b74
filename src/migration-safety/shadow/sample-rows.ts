import type { Execute } from '../sql/execute.ts';
import { quote } from '../sql/quote.ts';
import { attempt, type DatabaseError, inTransaction } from '../sql/savepoint.ts';
import type { Alternative, Slot } from './sample-checks.ts';
import { type Sampling, slotsOf } from './sample-slots.ts';
import { readSampleTables, type SampleTable } from './sample-tables.ts';

export interface SampleRowsResult {
  /** How many rows each table got, by its name as in the catalog: articles, audit."Log". */
  inserted: Map<string, number>;
  /** Why a table has no rows: what the database last said. */
  unfilled: Map<string, string>;
}

const ROWS = 5;
const TRIES = 16;
const ROUNDS = 4;

/**
 * Puts rows into every table that has fewer than five: nulls, defaults and the edges of each type, as constraints and
 * triggers allow. The values depend on nothing but the catalog and the rows that are there.
 */
export async function insertSampleRows(execute: Execute, trackingTable: string): Promise<SampleRowsResult> {
  return inTransaction(execute, async () => {
    const sampling = await startSampling(execute, trackingTable);
    let result: SampleRowsResult | undefined;
    const refused = await attempt(execute, async () => {
      result = await fillTables(sampling, execute);
      await execute('set constraints all immediate');
    });
    if (!refused && result) return result;
    // A deferred constraint or trigger refused the rows of some table: find out which.
    return fillTables({ ...sampling, reserved: new Map() }, execute, true);
  });
}

/** The tables to fill, without any rows planned yet. */
export async function startSampling(execute: Execute, trackingTable: string): Promise<Sampling> {
  const { tables, types } = await readSampleTables(execute, trackingTable);
  return { tables: new Map(tables.map((table) => [table.oid, table])), types, reserved: new Map() };
}

/** Inserts the rows with these numbers as constraints and triggers allow, and returns what was refused on the way. */
export async function insertRows(
  table: SampleTable,
  sampling: Sampling,
  wanted: { from: number; to: number },
  execute: Execute,
): Promise<{ inserted: number; refusals: DatabaseError[] }> {
  const slots = await slotsOf(table, sampling, execute);
  const numbers = Array.from({ length: wanted.to - wanted.from }, (_, i) => wanted.from + i);
  const together = new Plans(table, slots);
  const rows = numbers.map((row) => together.keep(together.plan(row)));
  const refused = await attempt(execute, () => execute(insertStatement(table, rows)));
  if (!refused) return { inserted: rows.length, refusals: [] };
  const plans = new Plans(table, slots);
  const refusals: DatabaseError[] = [];
  let inserted = 0;
  for (const row of numbers) {
    if (await insertRow(table, plans, row, refusals, execute)) inserted++;
    // The other rows would be refused as well.
    else if (inserted === 0) break;
  }
  return { inserted, refusals };
}

async function insertRow(
  table: SampleTable,
  plans: Plans,
  row: number,
  refusals: DatabaseError[],
  execute: Execute,
): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries++) {
    const plan = plans.plan(row, tries);
    const refusal = await attempt(execute, () => execute(insertStatement(table, [plan])));
    if (!refusal) {
      plans.keep(plan);
      return true;
    }
    refusals.push(refusal);
  }
  return false;
}

/** Tables that refer to each other need several rounds: first with nulls, then with each other's rows. */
async function fillTables(sampling: Sampling, execute: Execute, checkEach = false): Promise<SampleRowsResult> {
  await execute('set constraints all deferred');
  const inserted = new Map<string, number>();
  const reasons = new Map<string, string>();
  const counts = new Map<number, number>();
  for (const table of sampling.tables.values()) counts.set(table.oid, await countRows(table, execute));
  let open = byReferences(sampling.tables);
  for (let round = 0; open.length > 0 && round < ROUNDS; round++) {
    const waiting: SampleTable[] = [];
    for (const table of open) {
      const before = await countRows(table, execute);
      inserted.set(table.name, inserted.get(table.name) ?? 0);
      counts.set(table.oid, before); // a trigger of another table may have filled it
      if (before >= ROWS) continue;
      // Nulls or reserved keys now; other values once there are rows to refer to.
      const isPreliminary =
        sampling.reserved.has(table.oid) || table.references.some((each) => counts.get(each.table) === 0);
      const wanted = { from: before, to: isPreliminary ? Math.min(before + 2, ROWS) : ROWS };
      const refusal = await attempt(execute, async () => {
        const { refusals } = await insertRows(table, sampling, wanted, execute);
        const last = refusals.at(-1);
        if (last) reasons.set(table.name, describe(last));
        if (!checkEach) return;
        await execute('set constraints all immediate');
        await execute('set constraints all deferred');
      });
      if (refusal) reasons.set(table.name, describe(refusal));
      else sampling.reserved.delete(table.oid);
      const after = await countRows(table, execute);
      counts.set(table.oid, after);
      inserted.set(table.name, (inserted.get(table.name) ?? 0) + after - before);
      if (after < ROWS && (isPreliminary || refusal)) waiting.push(table);
    }
    open = waiting;
  }
  const empty = [...sampling.tables.values()].filter(({ oid }) => counts.get(oid) === 0);
  const discarded = 'A trigger or rule discards the rows without an error.';
  return { inserted, unfilled: new Map(empty.map(({ name }) => [name, reasons.get(name) ?? discarded])) };
}

/** The rows to insert: each shows other alternatives of the slots, and none repeats a key. */
class Plans {
  private readonly kept = new Set<string>();
  private readonly slots: Slot[];
  private readonly keys: string[][];
  private readonly computed: Set<string>;

  constructor(table: SampleTable, slots: Slot[]) {
    this.slots = slots;
    this.keys = table.keys;
    // A sequence or function gives another value each time.
    this.computed = new Set(table.columns.filter((each) => each.default?.includes('(')).map(({ name }) => name));
  }

  /** What to insert as this row; after a refusal, ordinary values first, then others. */
  plan(row: number, tries = 0): Alternative {
    let plan = this.combine(row, tries, tries);
    for (let turn = tries + 1; this.keysOf(plan).some((key) => this.kept.has(key)) && turn < 200; turn++) {
      plan = this.combine(row, tries, turn);
    }
    return plan;
  }

  keep(plan: Alternative): Alternative {
    for (const key of this.keysOf(plan)) this.kept.add(key);
    return plan;
  }

  /** The turns go through all combinations of the slots that keys touch, like an odometer. */
  private combine(row: number, tries: number, turn: number): Alternative {
    let rest = turn;
    const parts = this.slots.map(({ columns, alternatives }) => {
      const { length } = alternatives;
      if (length === 0) return [];
      if (!this.keys.some((key) => key.some((name) => columns.includes(name)))) {
        return [...(alternatives[tries === 1 ? 0 : (row + tries) % length] ?? [])];
      }
      const digit = rest % length;
      rest = Math.floor(rest / length);
      return [...(alternatives[(row + digit) % length] ?? [])];
    });
    return new Map(parts.flat());
  }

  /** Nulls and computed values repeat nothing. */
  private keysOf(plan: Alternative): string[] {
    return this.keys.flatMap((names, at) => {
      const values = names.map((name) => plan.get(name) ?? 'null');
      const isOpen = names.some(
        (name, i) => values[i] === 'null' || (values[i] === 'default' && this.computed.has(name)),
      );
      return isOpen ? [] : [[at, ...values].join('\n')];
    });
  }
}

function insertStatement(table: SampleTable, rows: Alternative[]): string {
  const names = table.columns.map(({ name }) => name);
  if (names.length === 0) return `insert into ${table.sql} default values`;
  const values = rows.map((row) => `(${names.map((name) => row.get(name) ?? 'default').join(', ')})`);
  const overriding = table.columns.some(({ identity }) => identity) ? 'overriding system value ' : '';
  return `insert into ${table.sql} (${names.map(quote).join(', ')}) ${overriding}values ${values.join(', ')}`;
}

/** What a table refers to comes before it, where they do not refer to each other. */
function byReferences(tables: Map<number, SampleTable>): SampleTable[] {
  const ordered = new Set<SampleTable>();
  const started = new Set<SampleTable>();
  const visit = (table: SampleTable | undefined) => {
    if (!table || started.has(table)) return;
    started.add(table);
    for (const { table: target } of table.references) visit(tables.get(target));
    ordered.add(table);
  };
  for (const table of tables.values()) visit(table);
  return [...ordered];
}

/** Up to the number of rows that is wanted. */
async function countRows({ only }: SampleTable, execute: Execute): Promise<number> {
  const [row] = await execute(`select count(*)::int as n from (select from ${only} limit ${ROWS}) t`);
  return Number(row?.n);
}

function describe({ message, detail, where }: DatabaseError): string {
  const [routine] = routinesOf(where);
  return [message, detail, routine && `In function ${routine}.`].filter(Boolean).join(' ');
}

/** The functions in which an error was raised, innermost first: 'count_favorites()'. */
export const routinesOf = (where: string | undefined): string[] =>
  [...(where ?? '').matchAll(/^(?:PL\/pgSQL|SQL) function (.+?) (?:line|statement|during|while)\b/gm)].map(
    ([, name = '']) => name.replace(/^"(.*)"$/, '$1'),
  );
