import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  buildSchema,
  findBreakingChanges,
  findDangerousChanges,
  type GraphQLSchema,
  isInputObjectType,
  isNonNullType,
  isRequiredInputField,
} from 'graphql';

/**
 * `npm run schema:check [REVISION]`: breaking changes of schema/schema.graphql since a git revision.
 * Exit code 0: none; 1: some; 2: the comparison failed.
 */
const HELP = 'npm run schema:check -- [REVISION] [--json]   breaking changes since REVISION; default HEAD';
const FILE = 'schema/schema.graphql';

try {
  const options = { json: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [revision = 'HEAD', ...more] = positionals;
  if (more.length > 0) throw new Error(`"${more.join(' ')}" is unexpected; give one revision to compare with.`);
  if (values.help) console.log(HELP);
  else process.exitCode = check(revision, values.json ?? false);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}

function check(revision: string, json: boolean): 0 | 1 {
  const then = schemaAt(revision);
  const now = buildSchema(readFileSync(FILE, 'utf8'));
  const breaking = then ? [...findBreakingChanges(then, now), ...narrowedInputs(then, now)] : [];
  const dangerous = then ? findDangerousChanges(then, now) : [];
  if (json) console.log(JSON.stringify({ revision, compared: then !== null, breaking, dangerous }, null, 2));
  else console.log(then ? report(revision, breaking, dangerous) : `${revision} has no ${FILE} to compare with.`);
  return breaking.length > 0 ? 1 : 0;
}

/** Null if the revision has no schema. */
function schemaAt(commit: string) {
  if (!git('rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`)) {
    throw new Error(`"${commit}" is not a revision of this repository; use one such as main, v1.2.0 or HEAD~3.`);
  }
  const text = git('show', `${commit}:./${FILE}`);
  return text === null ? null : buildSchema(text);
}

/** Breaking changes that graphql-js does not detect: an input that becomes @oneOf, and a field that loses its default. */
function narrowedInputs(before: GraphQLSchema, after: GraphQLSchema): Change[] {
  return Object.values(after.getTypeMap()).flatMap((type) => {
    const old = before.getType(type.name);
    if (!isInputObjectType(type) || !isInputObjectType(old)) return [];
    const required = Object.values(type.getFields()).filter((field) => {
      const was = old.getFields()[field.name];
      return was && !isRequiredInputField(was) && isRequiredInputField(field) && isNonNullType(was.type);
    });
    return [
      ...(type.isOneOf && !old.isOneOf ? [{ type: 'ONE_OF_ADDED', description: `${type.name} is now @oneOf.` }] : []),
      ...required.map(({ name }) => ({
        type: 'DEFAULT_REMOVED',
        description: `${type.name}.${name} has lost its default and is now required.`,
      })),
    ];
  });
}

/** The output of git; null if it fails. */
function git(...args: string[]): string | null {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return null;
  }
}

function report(revision: string, breaking: readonly Change[], dangerous: readonly Change[]): string {
  const lines = [
    ...breaking.map(({ description }) => `breaking   ${description}`),
    ...dangerous.map(({ description }) => `dangerous  ${description}`),
  ];
  return lines.length > 0 ? lines.join('\n') : `No breaking changes since ${revision}.`;
}

interface Change {
  readonly type: string;
  readonly description: string;
}
