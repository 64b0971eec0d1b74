import { readFileSync } from 'node:fs';

const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** The arguments of node in `npm start`: flags and the program. */
export const START: readonly string[] = scripts.start.split('&& node ')[1].split(' ');
