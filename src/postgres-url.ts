import { readFileSync } from 'node:fs';
import { checkServerIdentity, createSecureContext, type ConnectionOptions as TlsOptions } from 'node:tls';

/** A PostgreSQL server as its URL describes it. */
export interface PostgresServer {
  /** One of them is the primary. */
  readonly hosts: readonly [PostgresHost, ...PostgresHost[]];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly applicationName: string | undefined;
  /** Run-time parameters, such as `-c search_path=blog`. */
  readonly options: string | undefined;
  readonly connectTimeoutSeconds: number | undefined;
}

export interface PostgresHost {
  /** A name, an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  readonly ssl: TlsOptions | false;
  readonly sslnegotiation?: 'direct';
}

type Variables = Readonly<Record<string, string | undefined>>;

/** What is wrong with a URL or a variable that completes it. */
export class PostgresUrlError extends Error {
  constructor(
    /** The variable; null for the URL. */
    readonly variable: string | null,
    message: string,
  ) {
    super(message);
    this.name = 'PostgresUrlError';
  }
}

/**
 * The parameters of a URL, as in libpq, each with the variable that gives its default. Everything that connects uses the
 * result, so that no connection is without what was asked for. Any other parameter is an error, because a dropped one
 * (`sslmodes=verify-full`) may mean a connection without encryption.
 */
const PARAMETERS = {
  host: 'PGHOST',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  application_name: 'PGAPPNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  options: 'PGOPTIONS',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslmode: 'PGSSLMODE',
  sslnegotiation: 'PGSSLNEGOTIATION',
  sslrootcert: 'PGSSLROOTCERT',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
} as const;

type Parameter = keyof typeof PARAMETERS;

export const LIBPQ_VARIABLES: readonly string[] = Object.values(PARAMETERS);

/** Reads a URL such as `postgresql://user:password@one:5432,two:5432/conduit?sslmode=verify-full`. */
export function parsePostgresUrl(url: string, variables: Variables): PostgresServer {
  const [, userInfo, hosts = '', path = '', query = ''] = URL_SHAPE.exec(url) ?? fail(null, SHAPE_ERROR);
  const [user, password] = (userInfo ?? '').split(/:(.*)/s, 2);
  const list = hosts.split(',').map((each) => HOST_SHAPE.exec(each) ?? fail(null, SHAPE_ERROR));
  return postgresServer(
    {
      ...parametersOf(query),
      ...given('user', decoded(user)),
      ...given('password', decoded(password)),
      ...given('dbname', decoded(path.slice(1))),
      ...given('host', list.map(([, host = '']) => decoded(host.replace(/^\[(.*)\]$/, '$1'))).join(',')),
      ...given('port', list.map(([, , port = '']) => port).join(',')),
    },
    variables,
  );
}

/** The server of these parameters; the variables complete them. */
export function postgresServer(parameters: Partial<Record<Parameter, string>>, variables: Variables): PostgresServer {
  const read = new Parameters(parameters, variables);
  const hosts = (read.text('host') ?? 'localhost').split(',');
  const ports = (read.text('port') ?? '').split(',');
  if (ports.length > 1 && ports.length !== hosts.length) read.fail('port', 'must have one port, or one for each host');
  const tls = readTls(read);
  read.oneOf('target_session_attrs', ['read-write', 'primary'], 'because this server writes');
  const [first, ...others] = hosts.map((host, n) => {
    const port = (ports.length > 1 ? ports[n] : ports[0]) || '5432';
    if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
      read.fail('port', 'must be a whole number from 1 to 65535');
    }
    return { host: host || 'localhost', port: Number(port), ...tls(host || 'localhost') };
  });
  return {
    hosts: [first as PostgresHost, ...others],
    user: read.text('user') ?? '',
    password: read.text('password') ?? '',
    database: read.text('dbname') ?? fail(null, SHAPE_ERROR),
    applicationName: read.text('application_name'),
    options: read.text('options'),
    connectTimeoutSeconds: read.seconds('connect_timeout'),
  };
}

const URL_SHAPE = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/;
const HOST_SHAPE = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/;
const SHAPE_ERROR = 'must be a URL such as postgresql://user:password@localhost:5432/conduit';

/** An empty part of a URL counts as missing. */
const given = (name: Parameter, value: string) => (value.replaceAll(',', '') ? { [name]: value } : {});

function decoded(text = ''): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail(null, 'has a % that is not followed by two hexadecimal digits; write it as %25');
  }
}

function parametersOf(query: string): Partial<Record<Parameter, string>> {
  const pairs = query.split('&').filter(Boolean);
  const parameters = pairs.map((pair) => pair.split(/=(.*)/s, 2).map(decoded));
  const [unknown] = parameters.find(([name = '']) => !Object.hasOwn(PARAMETERS, name)) ?? [];
  if (unknown === undefined) return Object.fromEntries(parameters);
  return fail(
    null,
    `has the parameter ${unknown}, which is not known; known are ${Object.keys(PARAMETERS).join(', ')}`,
  );
}

/** Reads parameters, of the URL or else of their variables; errors name the one that was read. */
class Parameters {
  constructor(
    private readonly parameters: Partial<Record<Parameter, string>>,
    private readonly variables: Variables,
  ) {}

  text(name: Parameter): string | undefined {
    return this.parameters[name] || this.variables[PARAMETERS[name]] || undefined;
  }

  oneOf<T extends string>(name: Parameter, allowed: readonly T[], reason = ''): T | undefined {
    const value = this.text(name);
    if (value === undefined || allowed.includes(value as T)) return value as T;
    return this.fail(name, `is "${value}"; it must be one of: ${allowed.join(', ')}${reason && `, ${reason}`}`);
  }

  seconds(name: Parameter): number | undefined {
    const value = this.text(name);
    if (value === undefined || /^\d{1,4}$/.test(value)) return value === undefined ? value : Number(value);
    return this.fail(name, `is "${value}"; it must be a number of seconds`);
  }

  file(name: Parameter): string | undefined {
    const path = this.text(name);
    try {
      return path && readFileSync(path, 'utf8');
    } catch (error) {
      return this.fail(name, `names a file that cannot be read: ${(error as Error).message}`);
    }
  }

  fail(name: Parameter, problem: string): never {
    if (this.parameters[name] || !this.variables[PARAMETERS[name]])
      fail(null, `has a wrong parameter: ${name} ${problem}`);
    return fail(PARAMETERS[name], problem);
  }
}

function fail(variable: string | null, message: string): never {
  throw new PostgresUrlError(variable, message);
}

type Tls = Pick<PostgresHost, 'ssl' | 'sslnegotiation'>;

/**
 * TLS as libpq does it: `require` encrypts and trusts any certificate, or those of `sslrootcert`; `verify-ca` also checks
 * who signed it, `verify-full` that it is for this host. A socket has none. `prefer` and `allow` are refused, because
 * anyone in between could remove the encryption.
 */
function readTls(read: Parameters): (host: string) => Tls {
  const usesSystem = read.text('sslrootcert') === 'system';
  const mode = read.oneOf('sslmode', SSL_MODES, 'because the others give up encryption silently');
  const negotiation = read.oneOf('sslnegotiation', ['postgres', 'direct'] as const);
  const ca = usesSystem ? undefined : read.file('sslrootcert');
  const [cert, key] = [read.file('sslcert'), read.file('sslkey')];
  if (!mode || mode === 'disable') {
    for (const name of ['sslrootcert', 'sslcert', 'sslkey'] as const) {
      if (!mode && read.text(name)) read.fail(name, 'needs sslmode, such as sslmode=verify-full');
    }
    if (negotiation === 'direct') read.fail('sslnegotiation', 'is direct, which needs sslmode');
    return () => ({ ssl: false });
  }
  if (usesSystem && mode !== 'verify-full') read.fail('sslrootcert', 'is system, which needs sslmode=verify-full');
  if (mode === 'verify-ca' && !ca) read.fail('sslmode', 'is verify-ca, which needs sslrootcert');
  if (Boolean(cert) !== Boolean(key)) read.fail(cert ? 'sslcert' : 'sslkey', 'needs both sslcert and sslkey');
  const secureContext = readContext(read, { ...(ca && { ca }), ...(cert && { cert, key }) });
  const isVerified = mode !== 'require' || ca !== undefined;
  return (host) => {
    if (host.startsWith('/')) return { ssl: false };
    const identity: TlsOptions['checkServerIdentity'] =
      mode === 'verify-full' ? (_name, certificate) => checkServerIdentity(host, certificate) : () => undefined;
    const ssl = {
      secureContext,
      rejectUnauthorized: isVerified,
      checkServerIdentity: identity,
      // MikroORM copies options deeply, and a copy of the context does not work.
      clone: (): TlsOptions => ssl,
    };
    return { ssl, ...(negotiation === 'direct' && { sslnegotiation: negotiation }) };
  };
}

const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

function readContext(read: Parameters, files: { ca?: string; cert?: string; key?: string | undefined }) {
  try {
    return createSecureContext(files as { ca?: string; cert?: string; key?: string });
  } catch (error) {
    return read.fail(
      files.cert ? 'sslcert' : 'sslrootcert',
      `names a file that is not valid: ${(error as Error).message}`,
    );
  }
}

/** The options of pg for one of the hosts, by default the first. */
export function clientOptions(server: PostgresServer, host: PostgresHost = server.hosts[0]) {
  const { applicationName, options, connectTimeoutSeconds } = server;
  return {
    ...host,
    user: server.user,
    password: server.password,
    database: server.database,
    ...(applicationName && { application_name: applicationName }),
    ...(options && { options }),
    ...(connectTimeoutSeconds && { connectionTimeoutMillis: connectTimeoutSeconds * 1000 }),
  };
}
