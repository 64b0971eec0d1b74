import { execFile } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cluster } from './cluster.ts';
import { assertEqual, type Figures, query, type Rig, until } from './rig.ts';

const run = promisify(execFile);

/** Connections of the server and of every command are encrypted, and verify the server, exactly as DATABASE_URL says. */
export async function tls({ cluster, server, note }: Rig): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'faults-tls-'));
  try {
    chmodSync(folder, 0o755);
    await makeCertificates(folder);
    await enableTls(cluster, folder);
    const [ca, otherCa] = [join(folder, 'ca.crt'), join(folder, 'other.crt')];
    const url = (host: string, parameters: string) =>
      `postgresql://postgres@${host}:${cluster.port}/postgres${parameters && `?${parameters}`}`;
    const bySslVariables = { DATABASE_URL: url('localhost', ''), PGSSLMODE: 'verify-full', PGSSLROOTCERT: ca };
    let connections = 0;

    const accepted: [Record<string, string>, boolean][] = [
      [{ DATABASE_URL: url('localhost', '') }, false],
      [{ DATABASE_URL: url('localhost', 'sslmode=disable'), PGSSLMODE: 'require' }, false],
      [{ DATABASE_URL: url('127.0.0.1', 'sslmode=require') }, true],
      [{ DATABASE_URL: url('127.0.0.1', `sslmode=verify-ca&sslrootcert=${ca}`) }, true],
      [{ DATABASE_URL: url('localhost', `sslmode=verify-full&sslrootcert=${ca}`) }, true],
      [{ DATABASE_URL: url('localhost', ''), PGSSLMODE: 'require' }, true],
      [bySslVariables, true],
      [
        { ...bySslVariables, DATABASE_URL: '', DB_HOST: 'localhost', DB_PORT: `${cluster.port}`, DB_NAME: 'postgres' },
        true,
      ],
    ];
    for (const [variables, encrypted] of accepted) {
      const seen = await connectionsDuring(cluster, async () => {
        const started = await server(variables);
        const stat = await query<{ ssl: boolean; name: string }>(
          cluster.url,
          `select ssl, application_name as name from pg_stat_ssl join pg_stat_activity using (pid)
            where application_name like 'conduit%'`,
        );
        assertEqual(
          `the pool and the pulse are there, ${text(variables)}`,
          new Set(stat.map(({ name }) => name)).size,
          2,
        );
        assertEqual(`pg_stat_ssl, ${text(variables)}`, stat.filter(({ ssl }) => ssl !== encrypted).length, 0);
        await started.stop();
      });
      check(seen, encrypted, variables);
      connections += seen.length;
    }

    const commands: [string, string[]][] = [
      ['migrate', ['dist/src/migrate.js']],
      ['migration:check', ['node_modules/@mikro-orm/cli/cli.js', 'migration:check']],
      ['migration:down', ['node_modules/@mikro-orm/cli/cli.js', 'migration:down']],
      ['migration:up', ['node_modules/@mikro-orm/cli/cli.js', 'migration:up']],
      ['seed', ['--import', '@oxc-node/core/register', 'src/seeding/seed.ts']],
    ];
    const { DATABASE_URL } = bySslVariables;
    const ways: Record<string, string>[] = [
      { DATABASE_URL: url('localhost', `sslmode=verify-full&sslrootcert=${ca}`) },
      bySslVariables,
      { DATABASE_URL, MIGRATION_DATABASE_URL: url('localhost', `sslmode=verify-full&sslrootcert=${ca}`) },
    ];
    for (const variables of ways) {
      for (const [name, args] of commands) {
        if (variables.MIGRATION_DATABASE_URL && !name.startsWith('migration:')) continue;
        const env = { PATH: process.env.PATH, DISPOSABLE_DATABASES: 'postgres', ...variables };
        const seen = await connectionsDuring(cluster, async () => {
          await run(process.execPath, args, { env });
        });
        check(seen, true, { command: name, ...variables });
        connections += seen.length;
        note(`${name}, ${text(variables)}: ${seen.length} connections`);
      }
    }

    const refused: Record<string, string>[] = [
      { DATABASE_URL: url('localhost', `sslmode=verify-ca&sslrootcert=${otherCa}`) },
      { DATABASE_URL: url('localhost', `sslmode=require&sslrootcert=${otherCa}`) },
      { DATABASE_URL: url('localhost', `sslmode=verify-full&sslrootcert=${otherCa}`) },
      { DATABASE_URL: url('127.0.0.1', `sslmode=verify-full&sslrootcert=${ca}`) },
      { DATABASE_URL: url('localhost', 'sslmode=verify-full') },
      { DATABASE_URL: url('127.0.0.1', ''), PGSSLMODE: 'verify-full', PGSSLROOTCERT: ca },
    ];
    for (const variables of refused) {
      const seen = await connectionsDuring(cluster, async () => {
        const env = { PATH: process.env.PATH, ...variables };
        const failed = await run(process.execPath, ['dist/src/migrate.js'], { env }).catch((error) => error);
        assertEqual(`the exit code, ${text(variables)}`, failed.code > 0, true);
      });
      assertEqual(`connections, ${text(variables)}`, seen.length, 0);
    }

    await requireTls(cluster);
    const only = await server({ DATABASE_URL: url('localhost', `sslmode=verify-full&sslrootcert=${ca}`) });
    await only.stop();
    return { 'connections, all as asked': connections, 'settings refused': refused.length };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const text = (variables: Record<string, string>) => JSON.stringify(variables);

function check(seen: readonly string[], encrypted: boolean, variables: Record<string, string>): void {
  const wrong = seen.filter((line) => /SSL enabled/.test(line) !== encrypted);
  assertEqual(`there are connections, ${text(variables)}`, seen.length > 0, true);
  assertEqual(`connections that are not as asked, ${text(variables)}`, wrong.join('\n'), '');
}

/** The lines of PostgreSQL's log about connections that were made meanwhile, except those of this rig. */
async function connectionsDuring(cluster: Cluster, work: () => Promise<void>): Promise<string[]> {
  const before = cluster.log.length;
  await work();
  const lines = cluster.log.slice(before).split('\n');
  return lines.filter((line) => line.includes('connection authorized') && !line.includes(OF_THIS_RIG));
}

const OF_THIS_RIG = 'application_name=rig';

/** An authority, a certificate for localhost, and another authority. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const authority = (name: string) =>
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
      '-subj',
      `/CN=${name}`,
    );
  await authority('ca');
  await authority('other');
  await openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'server.key',
    '-out',
    'server.csr',
    '-subj',
    '/CN=localhost',
  );
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost');
  await openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'names',
    '-out',
    'server.crt',
  );
}

async function enableTls(cluster: Cluster, folder: string): Promise<void> {
  const data = await dataFolder(cluster);
  const { uid } = statSync(data); // PostgreSQL refuses a key that another user owns
  for (const name of ['server.key', 'server.crt']) {
    copyFileSync(join(folder, name), join(data, name));
    chmodSync(join(data, name), 0o600);
    chownSync(join(data, name), uid, -1);
  }
  for (const setting of ['ssl = on', 'log_connections = on']) await query(cluster.url, `alter system set ${setting}`);
  await reload(cluster);
  await until(
    'PostgreSQL offers TLS',
    async () => (await query<{ ssl: string }>(cluster.url, 'show ssl'))[0]?.ssl === 'on',
  );
}

async function requireTls(cluster: Cluster): Promise<void> {
  writeFileSync(join(await dataFolder(cluster), 'pg_hba.conf'), 'hostssl all all all trust\n');
  await reload(cluster);
  const isRefused = () =>
    query(cluster.url, 'select 1').then(
      () => false,
      (error) => error.code === '28000',
    );
  await until('PostgreSQL requires TLS', isRefused);
}

async function dataFolder(cluster: Cluster): Promise<string> {
  const [row] = await query<{ data_directory: string }>(cluster.url, 'show data_directory');
  return row?.data_directory ?? '';
}

const reload = (cluster: Cluster) => query(cluster.url, 'select pg_reload_conf()');
