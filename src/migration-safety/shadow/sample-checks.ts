import type { Execute } from '../sql/execute.ts';
import { literal, quote } from '../sql/quote.ts';
import { attempt } from '../sql/savepoint.ts';
import { parseStatements, type Tree } from '../sql/statements.ts';
import { sampleOfRegex } from './regex-sample.ts';
import type { Check, SampleColumn } from './sample-tables.ts';

/** The SQL of the values of some columns: a literal, null or default. */
export type Alternative = Map<string, string>;

/** Columns whose values depend on each other, and the values that they can take together, the ordinary ones first. */
export interface Slot {
  columns: string[];
  alternatives: Alternative[];
}

const MAX_COMBINATIONS = 4_096;
const MAX_ALTERNATIVES = 200;

/** Keeps the alternatives that the checks accept; the database evaluates them. Slots that share a check become one. */
export async function satisfyChecks(
  slots: Slot[],
  checks: Check[],
  columns: Map<string, SampleColumn>,
  execute: Execute,
): Promise<Slot[]> {
  let solved = slots;
  // The checks of one slot first: they leave fewer combinations for those of several.
  for (const single of [true, false]) {
    for (const group of groupsOf(solved, checks)) {
      if ((group.slots.length === 1) !== single || group.checks.length === 0) continue;
      const alternatives = await accepted(group.slots, group.checks, columns, execute);
      // The checks may be beyond this; then the database refuses rows one by one.
      if (alternatives.length === 0) continue;
      const merged = { columns: group.slots.flatMap((slot) => slot.columns), alternatives: diverse(alternatives) };
      solved = [...solved.filter((slot) => !group.slots.includes(slot)), merged];
    }
  }
  return solved;
}

/** Texts and numbers in an expression: values on the edge of what a check allows. */
export function constantsOf(expression: string): { texts: string[]; numbers: number[] } {
  const texts = new Set<string>();
  const numbers = new Set<number>();
  const visit = (node: Tree): void => {
    if (node === null || typeof node !== 'object') return;
    const constant = node.A_Const;
    if (constant?.sval) {
      const text: string = constant.sval.sval ?? '';
      for (const each of [text, text.replaceAll('%', 'a').replaceAll('_', 'a'), sampleOfRegex(text)]) {
        if (each !== undefined) texts.add(each);
      }
    }
    const number = Number(constant?.fval?.fval ?? (constant?.ival ? (constant.ival.ival ?? 0) : Number.NaN));
    if (!Number.isNaN(number)) for (const each of [number, number + 1, number - 1]) numbers.add(each);
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseStatements(`select ${expression}`)[0]?.tree);
  return { texts: [...texts], numbers: [...numbers] };
}

interface Group {
  slots: Slot[];
  checks: Check[];
}

/** The slots that checks connect. */
function groupsOf(slots: Slot[], checks: Check[]): Group[] {
  let groups: Group[] = slots.map((slot) => ({ slots: [slot], checks: [] }));
  for (const check of checks) {
    const touched = groups.filter((group) =>
      group.slots.some((slot) => slot.columns.some((column) => check.columns.includes(column))),
    );
    const known = new Set(touched.flatMap((group) => group.slots.flatMap((slot) => slot.columns)));
    // A check of a generated column depends on columns that it does not name.
    if (touched.length === 0 || !check.columns.every((column) => known.has(column))) continue;
    const merged = {
      slots: touched.flatMap((group) => group.slots),
      checks: [...touched.flatMap((group) => group.checks), check],
    };
    groups = [...groups.filter((group) => !touched.includes(group)), merged];
  }
  return groups;
}

async function accepted(
  slots: Slot[],
  checks: Check[],
  columns: Map<string, SampleColumn>,
  execute: Execute,
): Promise<Alternative[]> {
  const each = Math.max(2, Math.floor(MAX_COMBINATIONS ** (1 / slots.length)));
  const offered = slots.map((slot) => ({ ...slot, alternatives: slot.alternatives.slice(0, each) }));
  const sources = offered.map(({ columns: names, alternatives }, at) => {
    const rows = alternatives.map(
      (one, i) => `(${[i, ...names.map((name) => evaluated(one, columns.get(name)))].join(', ')})`,
    );
    return `(values ${rows.join(', ')}) "slot ${at}"(${[`number ${at}`, ...names].map(quote).join(', ')})`;
  });
  const numbers = offered.map((_, at) => quote(`number ${at}`));
  const where = checks.map(({ expression }) => `(${expression}) is not false`).join(' and ');
  const query = `select array_to_string(array[${numbers.join(', ')}], ',') as picked from ${sources.join(' cross join ')}
    where ${where} order by ${numbers.join(' + ')}, ${numbers.join(', ')} limit ${MAX_ALTERNATIVES}`;
  let rows: { picked?: unknown }[] = [];
  await attempt(execute, async () => {
    rows = await execute(query);
  });
  return rows.map(({ picked }) => {
    const indexes = String(picked).split(',').map(Number);
    return new Map(offered.flatMap(({ alternatives }, at) => [...(alternatives[indexes[at] ?? 0] ?? [])]));
  });
}

/** A default is evaluated in place; the value of a sequence is not known and counts as null. */
function evaluated(alternative: Alternative, column: SampleColumn | undefined): string {
  const sql = alternative.get(column?.name ?? '') ?? 'null';
  const expression = sql !== 'default' ? sql : column?.default?.includes('nextval(') ? 'null' : column?.default;
  return `(${expression ?? 'null'})::${column?.sqlType}`;
}

/** Orders the alternatives so that the first few show as many different values of each column as possible. */
function diverse(alternatives: Alternative[]): Alternative[] {
  const rest = [...alternatives];
  const shown = new Set<string>();
  const ordered: Alternative[] = [];
  while (rest.length > 0 && ordered.length < 24) {
    const gains = rest.map((one) => [...one].filter(([column, sql]) => !shown.has(`${column} ${sql}`)).length);
    const [best] = rest.splice(gains.indexOf(Math.max(...gains)), 1);
    if (!best) break;
    ordered.push(best);
    for (const [column, sql] of best) shown.add(`${column} ${sql}`);
  }
  return [...ordered, ...rest];
}

/** Those of the texts that the type takes, as SQL. */
export async function acceptedTexts(texts: string[], sqlType: string, execute: Execute): Promise<string[]> {
  const castOf = (text: string) => `${literal(text)}::${sqlType}`;
  const all = await attempt(execute, () => execute(`select ${texts.map(castOf).join(', ') || 'null'}`));
  if (!all) return texts;
  const kept: string[] = [];
  for (const text of texts) {
    if (!(await attempt(execute, () => execute(`select ${castOf(text)}`)))) kept.push(text);
  }
  return kept;
}
