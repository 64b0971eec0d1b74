import argon2 from 'argon2';
import fastq from 'fastq';
import { RateLimited } from '../graphql/errors.ts';

/** argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane): about 50 ms a hash. */
const COST = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

export const hashPassword = (password: string): Promise<string> => inTurn(() => argon2.hash(password, COST));

/** Whether it is the password. Without a hash to compare with it takes as long and says no, so that nobody can tell. */
export async function verifyPassword(password: string, passwordHash: string | null): Promise<boolean> {
  nobodysHash ??= argon2.hash('nobody has this password', COST); // made once, and so in no queue, which could refuse it
  const hash = passwordHash ?? (await nobodysHash);
  const right = await inTurn(() => argon2.verify(hash, password));
  return right && passwordHash !== null;
}

/** Whether it was made with other parameters than those of today. */
export const needsRehash = (passwordHash: string): boolean => argon2.needsRehash(passwordHash, COST);

/** Two at a time, so that sign-ins leave something of the machine to reads; a longer queue than a second is refused. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (turns.length() >= LONGEST_QUEUE) throw new RateLimited(1);
  return turns.push(work) as Promise<T>;
}

const turns = fastq.promise((work: () => Promise<unknown>) => work(), 2);
const LONGEST_QUEUE = 32;

let nobodysHash: Promise<string> | undefined;
