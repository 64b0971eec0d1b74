import { dictionary } from '@zxcvbn-ts/language-common';
import { PASSWORD_LIMITS } from './password.limits.ts';

/** The 3,000 most common passwords of those that are long enough to be accepted (ASVS 5.0, 6.2.4). */
const COMMON_PASSWORDS = new Set(
  dictionary['passwords-common'].filter((password) => password.length >= PASSWORD_LIMITS.min).slice(0, 3000),
);

export const isCommonPassword = (password: string): boolean => COMMON_PASSWORDS.has(password.toLowerCase());
