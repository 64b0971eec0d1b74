import { createHash } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import ipaddr from 'ipaddr.js';
import { RateLimiterRes } from 'rate-limiter-flexible';
import type { Environment } from '../environment.ts';
import { RateLimited } from '../graphql/errors.ts';
import { RateLimiter } from './rate-limiter.ts';

/**
 * Limits password guessing, from one address or from thousands, without locking the owner out: at an address where they have
 * signed in before, only wrong passwords from there count. All processes count in the same table.
 */
export class LoginThrottle {
  private readonly limiters: Record<keyof typeof LIMITS | 'registration', RateLimiter>;

  constructor(em: EntityManager, { registrationsPerHour }: Pick<Environment, 'registrationsPerHour'>) {
    const limiter = (name: keyof typeof LIMITS) => new RateLimiter(em, { ...LIMITS[name], keyPrefix: name });
    this.limiters = {
      pair: limiter('pair'),
      account: limiter('account'),
      address: limiter('address'),
      known: limiter('known'),
      registration: new RateLimiter(em, {
        keyPrefix: 'registration',
        points: registrationsPerHour,
        duration: 3600,
      }),
    };
  }

  /**
   * Whether the password of the account is right. An attempt is counted before it is made, so that concurrent ones do not bypass the limit,
   * and refunded if it succeeds or fails for another reason. Throws RateLimited without an attempt when the limit is reached.
   */
  async attempt(account: Account, address: string, isRight: () => Promise<boolean>): Promise<boolean> {
    const { limiters } = this;
    const network = networkOf(address);
    const name = nameOf(account);
    const pair = digest(name, network);
    const limits: Counter[] = [[limiters.pair, pair]];
    if (!(await limiters.known.get(pair)))
      limits.push([limiters.account, digest(name)], [limiters.address, digest(network)]);
    const counted: Counter[] = [];
    let right: boolean;
    try {
      for (const limit of limits) {
        await count(...limit);
        counted.push(limit);
      }
      right = await isRight();
    } catch (error) {
      await refund(counted);
      throw error;
    }
    if (right) {
      await limiters.known.set(pair, 1, LIMITS.known.duration);
      await limiters.pair.delete(pair);
      await refund(counted.slice(1));
    }
    return right;
  }

  /**
   * Counts an attempt to register from an address; throws RateLimited when the limit is reached. Refused attempts count too: they
   * show which names are taken.
   */
  countRegistration = (address: string): Promise<void> => count(this.limiters.registration, digest(networkOf(address)));
}

/** An account, or an e-mail address without one. */
export type Account = { readonly id: number } | { readonly emailKey: string };

/** By id: a guesser with a stolen token can change the e-mail address, and would get ten more attempts with each. */
const nameOf = (account: Account) => ('id' in account ? `id ${account.id}` : `email ${account.emailKey}`);

/** How many attempts (`points`) are allowed in how many seconds (`duration`). */
const LIMITS = {
  /** For one account from one address: a user who has forgotten the password. */
  pair: { points: 10, duration: 15 * 60 },
  /** For one account from all addresses together that have not signed in to it. */
  account: { points: 10, duration: 60 },
  /** From one address for all accounts: an office, or an attacker who tries one password on every account. */
  address: { points: 100, duration: 15 * 60 },
  /** Not a limit: how long an address is remembered as one where the account has signed in. */
  known: { points: 1, duration: 30 * 86_400 },
} as const;

async function count(limiter: RateLimiter, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refused) {
    throw refused instanceof RateLimiterRes ? new RateLimited(Math.ceil(refused.msBeforeNext / 1000)) : refused;
  }
}

async function refund(counted: readonly Counter[]): Promise<void> {
  for (const [limiter, key] of counted) await limiter.reward(key);
}

/** A limit, and the key of what it counts. */
type Counter = [RateLimiter, string];

/** An IPv6 address counts as its /64 network, all of which its owner can use. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const ip = ipaddr.process(address);
  return ip.kind() === 'ipv6' ? ip.toByteArray().slice(0, 8).join('.') : ip.toString();
}

const digest = (...parts: string[]) => createHash('sha256').update(parts.join('\0')).digest('base64url');
