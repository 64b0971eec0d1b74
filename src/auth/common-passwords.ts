import { dictionary } from '@zxcvbn-ts/language-common';
import { PASSWORD_LIMITS } from './password.limits.ts';

/** The 3,000 most common passwords among those that are long enough to be one here (ASVS 5.0, 6.2.4). */
const common = new Set(
  dictionary['passwords-common'].filter((password) => password.length >= PASSWORD_LIMITS.min).slice(0, 3000),
);

export const isCommonPassword = (password: string): boolean => common.has(password.toLowerCase());
