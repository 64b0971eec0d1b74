import { expect } from 'vitest';
import type { Answer } from './blog.ts';

/** What went wrong in an answer: codes of top-level errors, and of errors as data with their paths. */
export function faultsOf(answer: Answer<unknown>): string[] {
  const payloads = Object.values(
    (answer.data ?? {}) as Record<string, { errors?: { code: string; path?: string[] }[] }>,
  );
  return [
    ...(answer.errors ?? []).map(({ extensions }) => extensions.code),
    ...payloads.flatMap((payload) => payload?.errors ?? []).map(({ code, path }) => [code, ...(path ?? [])].join(' ')),
  ];
}

expect.extend({
  /** The answer has exactly these faults: `FORBIDDEN`, `BLANK input title`. */
  toFailWith(answer: Answer<unknown>, ...codes: string[]) {
    const faults = faultsOf(answer);
    return {
      pass: this.equals(faults.toSorted(), codes.toSorted()),
      message: () => `expected ${JSON.stringify(codes)}, got ${JSON.stringify(faults)} in ${JSON.stringify(answer)}`,
    };
  },
  toSucceed(answer: Answer<unknown>) {
    return { pass: faultsOf(answer).length === 0, message: () => `expected no faults in ${JSON.stringify(answer)}` };
  },
});

declare module 'vitest' {
  interface Matchers {
    toFailWith(...codes: string[]): void;
    toSucceed(): void;
  }
}
