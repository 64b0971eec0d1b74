import closeWithGrace from 'close-with-grace';
import { readEnvironment } from '../environment.ts';
import { DEMO_EMAIL, PASSWORD } from '../seeding/credentials.ts';
import { openDemoDatabase } from './demo-database.ts';

const HELP = `Serves the API with the demo blog from memory: the server itself, on a database that needs no setup.
The data are the same at every start; changes, accounts and sessions are lost when it stops.

  npm run mock                 http://localhost:4000/graphql, with the Playground, and /schema.graphql
  PORT=4001 npm run mock       another port; 0 for any free one
  npm run mock -- --help       print this

The first start, and the first after a change to the migrations or the demo blog, takes some seconds longer.
The server's settings apply, except for those of the database and LOG_LEVEL.

Sign in as ${DEMO_EMAIL} with the password "${PASSWORD}".
`;

const unknown = process.argv.slice(2).filter((option) => option !== '--help');

try {
  if (unknown.length > 0) throw new Error(`"${unknown.join(' ')}" is not an option; the only one is --help.`);
  if (process.argv.includes('--help')) process.stdout.write(HELP);
  else await serve();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function serve(): Promise<void> {
  const environment = readEnvironment();
  // The server's modules load while the database opens in its thread.
  const [database, { buildMockServer }] = await Promise.all([openDemoDatabase(), import('./mock-server.ts')]);
  const server = await buildMockServer(database, environment);
  const address = await server.listen(environment);
  closeWithGrace({ logger: false }, () => server.close());
  console.log(`Mock server at ${address}/graphql. Sign in as ${DEMO_EMAIL} with the password "${PASSWORD}".`);
}
