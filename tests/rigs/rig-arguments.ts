import { parseArgs } from 'node:util';

/** Reads the names of rigs and the flags from the command line. Exits after `--help`, and on anything unknown. */
export function readRigArguments(script: string, rigs: readonly string[], flags: readonly string[]) {
  try {
    const options = Object.fromEntries([...flags, 'help'].map((flag) => [flag, { type: 'boolean' as const }]));
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    if (values.help) {
      console.log(`npm run ${script} -- ${flags.map((flag) => `[--${flag}]`).join(' ')} [rig ...]`);
      console.log(`Rigs: ${rigs.join(', ')}.`);
      process.exit(0);
    }
    const unknown = positionals.filter((name) => !rigs.includes(name));
    if (unknown.length > 0) throw new Error(`There is no rig "${unknown.join(' ')}"; the rigs are ${rigs.join(', ')}.`);
    return { selected: positionals, short: values.short === true, json: values.json === true };
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
