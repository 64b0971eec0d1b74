import { parseArgs } from 'node:util';
import { SIZE_LIMITS, type Size, sizeFor } from './large/size.ts';
import { ExitCode, SeedError } from './seed-error.ts';

export interface Options {
  /** Null means the demo blog. */
  readonly size: Size | null;
  readonly json: boolean;
  readonly help: boolean;
}

/** Parses the command line, or throws one error that lists every problem. */
export function readOptions(commandLine: readonly string[]): Options {
  // Strict parsing would report only the first problem, and not what is valid instead.
  const { values, positionals } = parseArgs({ args: [...commandLine], options: KNOWN, strict: false });
  const given = values as Record<string, string | boolean | undefined>;

  const problems = [
    ...Object.keys(given).filter(isUnknown).map(unknownOption),
    ...positionals.map(positionalArgument),
    ...NUMBERS.map((name) => numberProblem(name, given[name])),
    ...FLAGS.map((name) => (typeof given[name] === 'string' ? `--${name} takes no value.` : null)),
    ...NUMBERS.map((name) => missingArticles(name, given)),
  ].filter((problem) => problem !== null);
  if (problems.length > 0)
    throw new SeedError(ExitCode.BAD_OPTIONS, [...problems, 'All options: npm run seed -- --help'].join('\n'));

  const number = (name: NumberOption) => (given[name] === undefined ? {} : { [name]: Number(given[name]) });
  const rest = { ...number('users'), ...number('tags'), ...number('seed') };
  const size = given.articles === undefined ? null : sizeFor(Number(given.articles), rest);
  return { size, json: given.json === true, help: given.help === true };
}

type NumberOption = keyof typeof SIZE_LIMITS;

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

const unknownOption = (name: string) =>
  `${name.length > 1 ? '--' : '-'}${name} is not an option; the options are ${Object.keys(KNOWN)
    .map((known) => `--${known}`)
    .join(', ')}.`;

/** Without the two dashes npm takes the option for itself and passes on only its value. */
const positionalArgument = (text: string) =>
  `"${text}" is not an option. With npm, options come after two dashes: npm run seed -- --articles 1000`;

function numberProblem(name: NumberOption, value: string | boolean | undefined): string | null {
  const { min, max } = SIZE_LIMITS[name];
  const rule = `it must be a whole number from ${min} to ${max.toLocaleString('en')}, in digits only`;
  if (value === undefined) return null;
  if (typeof value === 'boolean') return `--${name} has no value; ${rule}.`;
  return /^\d+$/.test(value) && Number(value) >= min && Number(value) <= max
    ? null
    : `--${name} is "${value}"; ${rule}.`;
}

const missingArticles = (name: NumberOption, given: Record<string, unknown>) =>
  given[name] !== undefined && given.articles === undefined
    ? `--${name} applies to a large blog; add --articles.`
    : null;
