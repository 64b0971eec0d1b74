import argon2 from 'argon2';
import fastq from 'fastq';
import { RateLimited } from '../graphql/errors.ts';
import { preparePassword } from './password-rules.ts';

/** argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane): about 50 ms a hash. */
const ARGON2_OPTIONS = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

export const hashPassword = (password: string): Promise<string> =>
  enqueue(() => argon2.hash(preparePassword(password), ARGON2_OPTIONS));

/**
 * Whether the password matches the hash, as it is prepared or as it is typed, which older releases hashed. Without a hash it takes
 * as long, so that timing does not reveal which accounts exist.
 */
export async function verifyPassword(password: string, passwordHash: string | null): Promise<boolean> {
  dummyHash ??= argon2.hash('dummy password', ARGON2_OPTIONS); // not queued, since a full queue would reject it for good
  const hash = passwordHash ?? (await dummyHash);
  let right = false;
  for (const spelling of new Set([preparePassword(password), password])) {
    right ||= await enqueue(() => argon2.verify(hash, spelling));
  }
  return right && passwordHash !== null;
}

/** Whether the hash was made with other parameters than the current ones, or of the password as it is typed. */
export async function needsRehash(password: string, passwordHash: string): Promise<boolean> {
  const prepared = preparePassword(password);
  const isOfTyped = password !== prepared && !(await enqueue(() => argon2.verify(passwordHash, prepared)));
  return isOfTyped || argon2.needsRehash(passwordHash, ARGON2_OPTIONS);
}

/** Hashes two passwords at a time, so that sign-ins leave CPU to reads. A queue of more than about a second is refused. */
async function enqueue<T>(work: () => Promise<T>): Promise<T> {
  if (queue.length() >= MAX_QUEUE_LENGTH) throw new RateLimited(1);
  return queue.push(work) as Promise<T>;
}

const queue = fastq.promise((work: () => Promise<unknown>) => work(), 2);
const MAX_QUEUE_LENGTH = 32;

let dummyHash: Promise<string> | undefined;
