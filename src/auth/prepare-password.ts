import { toNfc } from '../text/to-nfc.ts';
import { PASSWORD_LIMITS } from './password.limits.ts';

/**
 * The password as it is counted and hashed: NFC, with every space as U+0020 (RFC 8265, OpaqueString), because keyboards and
 * systems differ in both. No character is refused.
 */
export const preparePassword = (typed: string): string => toNfc(typed.replaceAll(/\p{Zs}/gu, ' '), PASSWORD_LIMITS.max);
