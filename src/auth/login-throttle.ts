import { createHash } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import ipaddr from 'ipaddr.js';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { RateLimited } from '../graphql/errors.ts';

/**
 * Makes guessing passwords slow, from one address or from thousands, and never locks the owner out: from an address where
 * they have signed in before, only their own wrong passwords count. Every process counts in the same table.
 */
export class LoginThrottle {
  private readonly limiters: Record<keyof typeof LIMITS, RateLimiterPostgres>;

  constructor(em: EntityManager) {
    const storeClient = {
      // Without the names that the limiter gives its statements, for poolers do not all keep them.
      query: async ({ text, values }: { text: string; values?: unknown[] }) =>
        (await em.getConnection().getNativeClient()).query(text, values),
    };
    const limiter = (name: keyof typeof LIMITS) =>
      new RateLimiterPostgres({
        ...LIMITS[name],
        keyPrefix: name,
        storeClient,
        storeType: 'client',
        tableName: 'rate_limits',
        tableCreated: true, // by a migration, as every table
      });
    this.limiters = {
      pair: limiter('pair'),
      account: limiter('account'),
      address: limiter('address'),
      known: limiter('known'),
      registration: limiter('registration'),
    };
  }

  /**
   * Whether the password is right. The try is counted before it is made, so that many at once are no way around, and
   * forgotten when it was right, or was not made after all. Throws RateLimited instead of trying when there were too many.
   */
  async attempt(account: string, address: string, isRight: () => Promise<boolean>): Promise<boolean> {
    const { pair, account: anywhere, address: anyone, known } = this.limiters;
    const from = network(address);
    const both = digest(account, from);
    const limits: Counted[] = [[pair, both]];
    if (!(await known.get(both))) limits.push([anywhere, digest(account)], [anyone, digest(from)]);
    const counted: Counted[] = [];
    let right: boolean;
    try {
      for (const limit of limits) {
        await count(...limit);
        counted.push(limit);
      }
      right = await isRight();
    } catch (error) {
      await takeBack(counted);
      throw error;
    }
    if (right) {
      await known.set(both, 1, LIMITS.known.duration);
      await pair.delete(both);
      await takeBack(counted.slice(1));
    }
    return right;
  }

  /** Counts a new account from an address; throws RateLimited when there were too many. */
  countRegistration = (address: string): Promise<void> => count(this.limiters.registration, digest(network(address)));
}

/** How many wrong passwords, in how many seconds, before one has to wait for the rest of them. */
const LIMITS = {
  /** For one account from one address: somebody who has forgotten theirs. */
  pair: { points: 10, duration: 15 * 60 },
  /** For one account from all addresses together that have never signed in to it. */
  account: { points: 10, duration: 60 },
  /** From one address for all accounts: an office, or somebody who tries one password on everybody. */
  address: { points: 100, duration: 15 * 60 },
  /** Not a limit: how long an address where an account has signed in is remembered. */
  known: { points: 1, duration: 30 * 86_400 },
  /** New accounts from one address. */
  registration: { points: 100, duration: 3600 },
} as const;

async function count(limiter: RateLimiterPostgres, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    const wait = Math.ceil(refused.msBeforeNext / 1000);
    const longest = limiter.duration;
    if (wait > longest) await limiter.block(key, longest); // its window was begun by a clock that was wrong
    throw new RateLimited(Math.min(wait, longest));
  }
}

async function takeBack(counted: readonly Counted[]): Promise<void> {
  for (const [limiter, key] of counted) await limiter.reward(key);
}

/** A limit, and whom it counts. */
type Counted = [RateLimiterPostgres, string];

/** Whoever has one IPv6 address has the 2^64 beside it. */
function network(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const ip = ipaddr.process(address);
  return ip.kind() === 'ipv6' ? ip.toByteArray().slice(0, 8).join('.') : ip.toString();
}

const digest = (...parts: string[]) => createHash('sha256').update(parts.join('\0')).digest('base64url');
