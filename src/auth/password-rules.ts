import { dictionary } from '@zxcvbn-ts/language-common';
import { toNfc } from '../text/to-nfc.ts';

/** What a password must be. */

/** Minimum and maximum length, in characters. */
export const PASSWORD_LIMITS = { min: 8, max: 128 } as const;

/**
 * The password as it is counted and hashed: NFC, with every space as U+0020 (RFC 8265, OpaqueString), because keyboards and
 * systems differ in both.
 */
export const preparePassword = (typed: string): string => toNfc(typed.replaceAll(/\p{Zs}/gu, ' '), PASSWORD_LIMITS.max);

export const isCommonPassword = (password: string): boolean => COMMON_PASSWORDS.has(password.toLowerCase());

/** The 3,000 most common passwords of those that are long enough to be accepted (ASVS 5.0, 6.2.4). */
const COMMON_PASSWORDS = new Set(
  dictionary['passwords-common'].filter((password) => password.length >= PASSWORD_LIMITS.min).slice(0, 3000),
);
