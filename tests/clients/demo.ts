import closeWithGrace from 'close-with-grace';
import { DEMO_EMAIL, PASSWORD } from '../../src/seeding/credentials.ts';
import { type Demo, startDemo } from './start-demo.ts';

/** `npm run demo`: the server, the demo blog and the frontend. What is written stays in .demo; Ctrl-C stops all of it. */
const { PORT = '4000', PAGE_PORT = '5173' } = process.env;

try {
  let demo: Demo | undefined;
  closeWithGrace({ logger: false }, () => demo?.close());
  demo = await startDemo({
    folder: '.demo',
    apiPort: Number(PORT),
    pagePort: Number(PAGE_PORT),
    say: (what) => console.log(`${what} ...`),
  });
  console.log(`\nOpen ${demo.page}`);
  console.log(`Sign in as ${DEMO_EMAIL} with the password "${PASSWORD}". The API is at ${demo.api}/graphql.`);
  console.log('Ctrl-C stops it. The blog stays in .demo for the next time.');
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
