import { MikroORM } from '@mikro-orm/postgresql';
import { ormConfig } from '../../mikro-orm.config.ts';
import { openDatabase } from '../database/open-database.ts';
import { EnvironmentError, readSeedEnvironment } from '../environment.ts';
import { DEMO_EMAIL, PASSWORD } from './credentials.ts';
import { addDemoBlog } from './demo/demo-blog.ts';
import { HELP } from './help.ts';
import { addLargeBlog } from './large/large-blog.ts';
import type { Size } from './large/size.ts';
import { emailOfUser } from './large/users.ts';
import { type Options, readOptions } from './options.ts';
import { serverAt } from './pictures.ts';
import { prepareDatabase } from './prepare-database.ts';
import { duration, Progress } from './progress.ts';
import { ExitCode, SeedError } from './seed-error.ts';

/** `npm run seed`: adds a blog to the configured database. */
async function seed(options: Options): Promise<ExitCode> {
  const startedAt = performance.now();
  const out = options.json ? process.stderr : process.stdout;
  const print = (text: string) => out.write(`${text}\n`);
  const signal = abortOn('SIGINT', 'SIGTERM');

  const environment = readSeedEnvironment();
  const database = await openDatabase(environment, 'command');
  const orm = await connect(ormConfig(database));
  try {
    await prepareDatabase(orm, environment, print);
    const em = orm.em.fork();
    const server = serverAt(environment.port);
    const run = { progress: new Progress(out), signal, server };
    const added = options.size ? await addLargeBlog(em, options.size, run) : await addDemoBlog(em, server);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    const signIn = { email: options.size ? emailOfUser(1, options.size) : DEMO_EMAIL, password: PASSWORD };
    const interrupted = options.size !== null && signal.aborted;

    if (options.json)
      console.log(JSON.stringify({ blog: options.size ?? 'demo', added, interrupted, seconds, signIn }));
    else print(summary(added, options.size, seconds));
    if (interrupted) print('Stopped before the end. The same command continues from here.');
    else print(`Sign in as ${signIn.email} with the password "${signIn.password}".`);
    return interrupted ? ExitCode.INTERRUPTED : ExitCode.DONE;
  } finally {
    await orm.close();
    await database.embedded?.close({ waitForClients: true });
  }
}

function summary(added: object, size: Size | null, seconds: number): string {
  const rows = Object.entries(added).filter(([, count]) => count > 0);
  const blog = size ? `blog of ${size.articles.toLocaleString('en')} articles` : 'demo blog';
  if (rows.length === 0) return `The ${blog} is complete: nothing to add.`;
  return `Added to the ${blog}: ${rows.map(([what, count]) => `${count.toLocaleString('en')} ${what}`).join(', ')} in ${duration(seconds)}.`;
}

/** With `npm run`, Ctrl-C arrives twice, from the terminal and from npm; the second must not kill the process. */
function abortOn(...signals: NodeJS.Signals[]): AbortSignal {
  const controller = new AbortController();
  for (const signal of signals) process.on(signal, () => controller.abort());
  return controller.signal;
}

/** `ensureDatabase` would create the database of a mistyped name. */
async function connect(config: ReturnType<typeof ormConfig>): Promise<MikroORM> {
  const orm = await MikroORM.init({
    ...config,
    ensureDatabase: false,
    migrations: { ...config.migrations, silent: true },
  });
  try {
    await orm.em.fork().execute('select 1');
    return orm;
  } catch (error) {
    await orm.close();
    throw new SeedError(ExitCode.FAILED, `The database is unavailable: ${(error as Error).message}`);
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(HELP);
  else process.exitCode = await seed(options);
} catch (error) {
  const expected = error instanceof SeedError || error instanceof EnvironmentError;
  console.error(expected ? error.message : error);
  process.exitCode = error instanceof SeedError ? error.exitCode : ExitCode.FAILED;
}
