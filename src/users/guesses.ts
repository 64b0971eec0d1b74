import { createHash } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import ipaddr from 'ipaddr.js';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { RateLimited } from '../server/errors.ts';

/**
 * Makes guessing passwords slow, from one address or from thousands, and never locks the owner out: from an address where
 * they have signed in before, only their own wrong passwords count. Every process counts in the same table.
 */
export class Guesses {
  private constructor(private readonly limiters: Record<keyof typeof LIMITS, RateLimiterPostgres>) {}

  static async in(em: EntityManager): Promise<Guesses> {
    const storeClient = await em.getConnection().getNativeClient();
    const limiter = (name: keyof typeof LIMITS) =>
      new RateLimiterPostgres({
        ...LIMITS[name],
        keyPrefix: name,
        storeClient,
        storeType: 'pool',
        tableName: 'rate_limits',
        tableCreated: true, // by a migration, as every table
      });
    return new Guesses({
      pair: limiter('pair'),
      account: limiter('account'),
      address: limiter('address'),
      known: limiter('known'),
      registration: limiter('registration'),
    });
  }

  /**
   * Whether the password is right. The try is counted before it is made, so that many at once are no way around, and
   * forgotten when it was right. Throws RateLimited instead of trying when there were too many.
   */
  async allow(account: string, address: string, isRight: () => Promise<boolean>): Promise<boolean> {
    const { pair, account: anywhere, address: anyone, known } = this.limiters;
    const from = network(address);
    const both = digest(account, from);
    const ofStrangers = [
      [anywhere, digest(account)],
      [anyone, digest(from)],
    ] as const;
    const others = (await known.get(both)) ? [] : ofStrangers;
    await count(pair, both);
    for (const [limiter, key] of others) await count(limiter, key);
    const right = await isRight();
    if (right) {
      await known.set(both, 1, LIMITS.known.duration);
      await pair.delete(both);
      for (const [limiter, key] of others) await limiter.reward(key);
    }
    return right;
  }

  /** Counts a new account from an address; throws RateLimited when there were too many. */
  register = (address: string): Promise<void> => count(this.limiters.registration, digest(network(address)));
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
    if (refused instanceof RateLimiterRes) throw new RateLimited(Math.ceil(refused.msBeforeNext / 1000));
    throw refused;
  }
}

/** Whoever has one IPv6 address has the 2^64 beside it. */
function network(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const ip = ipaddr.process(address);
  return ip.kind() === 'ipv6' ? ip.toByteArray().slice(0, 8).join('.') : ip.toString();
}

const digest = (...parts: string[]) => createHash('sha256').update(parts.join('\0')).digest('base64url');
