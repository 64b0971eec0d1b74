import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { readEnvironment } from '../environment.ts';
import { DEMO_ACCOUNT } from '../seeding/demo/people.ts';
import { PASSWORD } from '../seeding/seed-password.ts';
import { buildMockServer } from './server.ts';

/** `npm run mock`: the API without a database, for those who make a frontend. */
const HELP = `Serves the API of schema/schema.graphql over the demo blog in memory: no database, the same data at every start.
Mutations work, with the real server's checks of input, and are forgotten when it stops. Any password is right,
sessions never end, and nothing is limited.

  npm run mock                 http://localhost:4000/graphql, the Playground at the same address, /schema.graphql
  PORT=4001 npm run mock       somewhere else; 0 is any free port
  npm run mock -- --help       print this

Sign in as ${DEMO_ACCOUNT} with the password "${PASSWORD}".
`;

const unknown = process.argv.slice(2).filter((option) => option !== '--help');

try {
  if (unknown.length > 0) throw new Error(`"${unknown.join(' ')}" is no option; the only one is --help.`);
  if (process.argv.includes('--help')) process.stdout.write(HELP);
  else await serve();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function serve(): Promise<void> {
  const { host, port } = readEnvironment();
  const server = await buildMockServer(readFileSync('schema/schema.graphql', 'utf8'));
  const address = await server.listen({ host, port });
  console.log(`A mock of the API at ${address}/graphql. Sign in as ${DEMO_ACCOUNT} with any password.`);
}
