import { parseArgs } from 'node:util';
import { LIMITS, type Size, sizeFor } from './large/size.ts';
import { ExitCode, Stop } from './seed-error.ts';

export interface Options {
  /** Null means the demo blog. */
  readonly size: Size | null;
  readonly json: boolean;
  readonly help: boolean;
}

/** What the command line asks for. Stops with everything that is wrong with it at once. */
export function readOptions(commandLine: readonly string[]): Options {
  // Not strict: parseArgs would name only the first fault, and not say what is wished instead.
  const { values, positionals } = parseArgs({ args: [...commandLine], options: KNOWN, strict: false });
  const given = values as Record<string, string | boolean | undefined>;

  const faults = [
    ...Object.keys(given).filter(isUnknown).map(unknown),
    ...positionals.map(positional),
    ...NUMBERS.map((name) => faultOfNumber(name, given[name])),
    ...FLAGS.map((name) => (typeof given[name] === 'string' ? `--${name} takes no value.` : null)),
    ...NUMBERS.map((name) => faultWithoutArticles(name, given)),
  ].filter((fault) => fault !== null);
  if (faults.length > 0)
    throw new Stop(ExitCode.BAD_OPTIONS, [...faults, 'All options: npm run seed -- --help'].join('\n'));

  const number = (name: NumberOption) => (given[name] === undefined ? {} : { [name]: Number(given[name]) });
  const rest = { ...number('users'), ...number('tags'), ...number('seed') };
  const size = given.articles === undefined ? null : sizeFor(Number(given.articles), rest);
  return { size, json: given.json === true, help: given.help === true };
}

type NumberOption = keyof typeof LIMITS;

const NUMBERS = ['articles', 'users', 'tags', 'seed'] as const satisfies NumberOption[];
const FLAGS = ['json', 'help'] as const;

const KNOWN = {
  articles: { type: 'string' },
  users: { type: 'string' },
  tags: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const isUnknown = (name: string) => !Object.hasOwn(KNOWN, name);

const unknown = (name: string) =>
  `${name.length > 1 ? '--' : '-'}${name} is not an option; there are ${Object.keys(KNOWN)
    .map((known) => `--${known}`)
    .join(', ')}.`;

/** npm keeps an option to itself that comes before the two dashes, and passes on only its value. */
const positional = (text: string) =>
  `"${text}" belongs to no option. With npm, options come after two dashes: npm run seed -- --articles 1000`;

function faultOfNumber(name: NumberOption, value: string | boolean | undefined): string | null {
  const { least, most } = LIMITS[name];
  const wish = `it must be a whole number from ${least} to ${most.toLocaleString('en')}, in digits only`;
  if (value === undefined) return null;
  if (typeof value === 'boolean') return `--${name} has no value; ${wish}.`;
  return /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most
    ? null
    : `--${name} is "${value}"; ${wish}.`;
}

const faultWithoutArticles = (name: NumberOption, given: Record<string, unknown>) =>
  given[name] !== undefined && given.articles === undefined
    ? `--${name} says what a large blog is like; give --articles too.`
    : null;
