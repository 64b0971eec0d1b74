import argon2 from 'argon2';

/** argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane): about 50 ms a hash. */
const COST = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

export const hashPassword = (password: string): Promise<string> => argon2.hash(password, COST);

/** Whether it is the password. Without a hash to compare with it takes as long and says no, so that nobody can tell. */
export async function isPassword(password: string, passwordHash: string | null): Promise<boolean> {
  nobodysHash ??= hashPassword('nobody has this password');
  const right = await argon2.verify(passwordHash ?? (await nobodysHash), password);
  return right && passwordHash !== null;
}

let nobodysHash: Promise<string> | undefined;
