import { expect } from 'vitest';
import type { Answer } from './blog.ts';

/** The errors of a response: codes of top-level errors, and codes and paths of user errors. */
export function errorsOf(answer: Answer<unknown>): string[] {
  const payloads = Object.values(
    (answer.data ?? {}) as Record<string, { errors?: { code: string; path?: string[] }[] }>,
  );
  return [
    ...(answer.errors ?? []).map(({ extensions }) => extensions.code),
    ...payloads.flatMap((payload) => payload?.errors ?? []).map(({ code, path }) => [code, ...(path ?? [])].join(' ')),
  ];
}

expect.extend({
  /** The response has exactly these errors: `FORBIDDEN`, `BLANK input title`. */
  toFailWith(answer: Answer<unknown>, ...codes: string[]) {
    const errors = errorsOf(answer);
    return {
      pass: this.equals(errors.toSorted(), codes.toSorted()),
      message: () => `expected ${JSON.stringify(codes)}, got ${JSON.stringify(errors)} in ${JSON.stringify(answer)}`,
    };
  },
  toSucceed(answer: Answer<unknown>) {
    return { pass: errorsOf(answer).length === 0, message: () => `expected no errors in ${JSON.stringify(answer)}` };
  },
});

declare module 'vitest' {
  interface Matchers {
    toFailWith(...codes: string[]): void;
    toSucceed(): void;
  }
}
