import { expect, test } from 'vitest';
import { EnvironmentError, readDatabaseEnvironment } from '../src/environment.ts';
import { clientOptions, type PostgresServer } from '../src/postgres-url.ts';

function serverOf(DATABASE_URL: string, variables: NodeJS.ProcessEnv = {}): PostgresServer {
  const { postgres } = readDatabaseEnvironment({ DATABASE_URL, ...variables });
  if (!postgres) throw new Error('no server');
  return postgres;
}

function problemsOf(DATABASE_URL: string, variables: NodeJS.ProcessEnv = {}): readonly string[] {
  try {
    serverOf(DATABASE_URL, variables);
    return [];
  } catch (error) {
    if (error instanceof EnvironmentError) return error.problems;
    throw error;
  }
}

const URL = 'postgresql://ann:secret@db.example/conduit';

test('a URL names hosts, user, password and database, each part percent-encoded', () => {
  expect(serverOf('postgres://a%3An@one,[::1]:6432,%2Ftmp%2Fsockets/my%20blog')).toMatchObject({
    hosts: [
      { host: 'one', port: 5432 },
      { host: '::1', port: 6432 },
      { host: '/tmp/sockets', port: 5432 },
    ],
    user: 'a:n',
    password: '',
    database: 'my blog',
  });
  expect(serverOf('postgresql://ann:p%40s:s@db:6432/blog')).toMatchObject({
    hosts: [{ host: 'db', port: 6432 }],
    user: 'ann',
    password: 'p@s:s',
  });
});

test('what a URL leaves out may be a parameter or a variable of libpq, in this order', () => {
  const variables = { PGHOST: 'elsewhere', PGPORT: '7000', PGUSER: 'bob', PGPASSWORD: 'word', PGDATABASE: 'other' };
  expect(serverOf('postgresql:///blog?host=/run/sockets&port=6432', variables)).toMatchObject({
    hosts: [{ host: '/run/sockets', port: 6432 }],
    user: 'bob',
    password: 'word',
    database: 'blog',
  });
  expect(serverOf('postgresql://', variables)).toMatchObject({
    hosts: [{ host: 'elsewhere', port: 7000 }],
    database: 'other',
  });
});

test('options, application_name and connect_timeout reach every connection', () => {
  const parameters = 'options=-c%20search_path%3Dblog&application_name=blog&connect_timeout=7';
  const expected = { options: '-c search_path=blog', application_name: 'blog', connectionTimeoutMillis: 7000 };
  expect(clientOptions(serverOf(`${URL}?${parameters}`))).toMatchObject(expected);
  const variables = { PGOPTIONS: '-c search_path=blog', PGAPPNAME: 'blog', PGCONNECT_TIMEOUT: '7' };
  expect(clientOptions(serverOf(URL, variables))).toMatchObject(expected);
});

test.each([
  ['sslmodes=verify-full', 'DATABASE_URL has the parameter sslmodes, which is not known; known are host, port,'],
  ['sslmode=require&pgbouncer=true', 'DATABASE_URL has the parameter pgbouncer, which is not known'],
  ['constructor=1', 'DATABASE_URL has the parameter constructor, which is not known'],
  ['sslmode=prefer', 'DATABASE_URL has a wrong parameter: sslmode is "prefer"; it must be one of: disable, require,'],
  ['sslmode=verify-ca', 'DATABASE_URL has a wrong parameter: sslmode is verify-ca, which needs sslrootcert'],
  ['sslmode=require&sslrootcert=/none', 'DATABASE_URL has a wrong parameter: sslrootcert names a file that cannot be'],
  ['sslmode=require&sslrootcert=system', 'DATABASE_URL has a wrong parameter: sslrootcert is system, which needs'],
  ['sslrootcert=package.json', 'DATABASE_URL has a wrong parameter: sslrootcert needs sslmode'],
  ['sslmode=require&sslcert=package.json', 'DATABASE_URL has a wrong parameter: sslcert needs both sslcert and sslkey'],
  [
    'sslmode=require&sslcert=package.json&sslkey=package.json',
    'DATABASE_URL has a wrong parameter: sslcert names a file',
  ],
  ['sslnegotiation=direct', 'DATABASE_URL has a wrong parameter: sslnegotiation is direct, which needs sslmode'],
  ['target_session_attrs=any', 'DATABASE_URL has a wrong parameter: target_session_attrs is "any"; it must be one of'],
  ['connect_timeout=soon', 'DATABASE_URL has a wrong parameter: connect_timeout is "soon"; it must be a number of'],
  ['port=1,2', 'DATABASE_URL has a wrong parameter: port must have one port, or one for each host'],
  ['port=70000', 'DATABASE_URL has a wrong parameter: port must be a whole number from 1 to 65535'],
  ['host=%', 'DATABASE_URL has a % that is not followed by two hexadecimal digits'],
])('the parameters %s are an error that names what is wrong, without the password', (parameters, problem) => {
  const problems = problemsOf(`${URL}?${parameters}`);
  expect(problems).toEqual([expect.stringContaining(problem)]);
  expect(problems.join()).not.toContain('secret');
});

test.each([
  [{ PGSSLMODE: 'allow' }, 'PGSSLMODE is "allow"; it must be one of'],
  [{ PGSSLMODE: 'verify-ca' }, 'PGSSLMODE is verify-ca, which needs sslrootcert'],
  [{ PGSSLMODE: 'verify-full', PGSSLROOTCERT: '/none' }, 'PGSSLROOTCERT names a file that cannot be read'],
  [{ PGTARGETSESSIONATTRS: 'standby' }, 'PGTARGETSESSIONATTRS is "standby"; it must be one of: read-write, primary'],
])('%j is an error that names the variable', (variables, problem) => {
  expect(problemsOf(URL, variables)).toEqual([expect.stringContaining(problem)]);
});

test('a wrong URL is listed along with other problems', () => {
  expect(problemsOf(`${URL}?sslmode=none`, { EMBEDDED_FSYNC: 'maybe' })).toEqual([
    expect.stringContaining('EMBEDDED_FSYNC is "maybe"'),
    expect.stringContaining('sslmode is "none"'),
  ]);
});

test('the embedded database ignores the variables of libpq', () => {
  expect(readDatabaseEnvironment({ PGSSLMODE: 'allow', PGHOST: 'db' }).postgres).toBeNull();
});

test('a socket has no TLS, whatever sslmode says', () => {
  expect(serverOf('postgresql://%2Frun%2Fsockets,db/blog?sslmode=require').hosts).toMatchObject([
    { host: '/run/sockets', ssl: false },
    { host: 'db', ssl: { rejectUnauthorized: false } },
  ]);
});
