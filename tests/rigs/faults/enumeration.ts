import { send } from './client.ts';
import { assertAtMost, assertEqual, type Figures, query, type Rig } from './rig.ts';

/**
 * Whether response times reveal who has an account: existing accounts and made-up addresses alternate, each from another
 * IP address. If the times reveal nothing, the account's is the longer one in half of all pairs (an AUC of 0.5).
 * Registration is measured only for the record: its response says "taken" anyway.
 */
export async function enumeration({ short, cluster, server }: Rig): Promise<Figures> {
  const { url } = await server({ TRUST_PROXY: 'loopback' });
  const each = short ? 50 : 1000;
  await query(
    cluster.url,
    `insert into users (username, username_key, email, email_key, password_hash)
       select 'known' || n, 'known' || n, 'known' || n || '@example.com', 'known' || n || '@example.com', password_hash
       from users, generate_series(1, ${each + WARM_UP}) n where username = 'writer'`,
  );
  const login = await alternate(
    url,
    each,
    (email) => `login(input: { email: "${email}", password: "not-the-password" })`,
  );
  const register = await alternate(
    url,
    each,
    (email, n) => `register(input: { username: "new-${n}", email: "${email}", password: "any-password-${n}" })`,
  );
  const figures = {
    'samples of each': 2 * each,
    ...figuresOf('sign-ins', login),
    ...figuresOf('registrations', register),
  };
  const measured = JSON.stringify(figures);
  assertEqual('responses to sign-ins', [...login.responses].join(), 'INVALID_CREDENTIALS');
  assertAtMost({ short }, `AUC of sign-ins, off 0.5 (${measured})`, Math.abs(login.auc - 0.5), 0.05);
  assertAtMost({ short }, `medians of sign-ins apart, ms (${measured})`, Math.abs(login.apart), 1);
  return figures;
}

const WARM_UP = 20;

const figuresOf = (what: string, { median, apart, auc }: Measured): Figures => ({
  [`${what}: median, ms`]: median.toFixed(2),
  [`${what}: medians apart, ms`]: apart.toFixed(2),
  [`${what}: AUC`]: auc.toFixed(3),
});

interface Measured {
  readonly median: number;
  readonly apart: number;
  readonly auc: number;
  readonly responses: ReadonlySet<string>;
}

async function alternate(url: string, each: number, call: (email: string, n: number) => string): Promise<Measured> {
  const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
  const responses = new Set<string>();
  for (let n = 1; n <= each + WARM_UP; n += 1) {
    const pair = Math.random() < 0.5 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const);
    for (const kind of pair) {
      asked += 1;
      const document = `mutation { ${call(`${kind}${n}@example.com`, asked)} { errors { code } } }`;
      const { body, milliseconds } = await send(url, { query: document, from: addressOf(asked) });
      responses.add(codeIn(body));
      if (n > WARM_UP) times[kind].push(milliseconds);
    }
  }
  const [known, unknown] = [times.known, times.unknown];
  const pairs = known.flatMap((one) => unknown.map((other) => (one > other ? 1 : one === other ? 0.5 : 0)));
  const auc = pairs.reduce((sum: number, won) => sum + won, 0) / pairs.length;
  return { median: middle([...known, ...unknown]), apart: middle(known) - middle(unknown), auc, responses };
}

let asked = 0;
const addressOf = (n: number) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;

/** The error code of the mutation, or "ok". */
function codeIn(body: unknown): string {
  const { data = {}, errors = [] } = body as { data?: Record<string, Payload | null>; errors?: Coded[] };
  const [payload] = Object.values(data);
  return errors[0]?.extensions?.code ?? payload?.errors[0]?.code ?? 'ok';
}

interface Payload {
  readonly errors: readonly { readonly code: string }[];
}

interface Coded {
  readonly extensions?: { readonly code: string };
}

const middle = (values: readonly number[]) => values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
