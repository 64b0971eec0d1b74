import { expect } from 'vitest';
import type { GraphQLResponse } from './test-server.ts';

/** The errors of a response: codes of top-level errors, and codes and paths of user errors. */
export function errorsOf(response: GraphQLResponse<unknown>): string[] {
  const payloads = Object.values(
    (response.data ?? {}) as Record<string, { errors?: { code: string; path?: string[] }[] }>,
  );
  return [
    ...(response.errors ?? []).map(({ extensions }) => extensions.code),
    ...payloads.flatMap((payload) => payload?.errors ?? []).map(({ code, path }) => [code, ...(path ?? [])].join(' ')),
  ];
}

expect.extend({
  /** The response has exactly these errors: `FORBIDDEN`, `BLANK input title`. */
  toFailWith(response: GraphQLResponse<unknown>, ...codes: string[]) {
    const errors = errorsOf(response);
    return {
      pass: this.equals(errors.toSorted(), codes.toSorted()),
      message: () => `expected ${JSON.stringify(codes)}, got ${JSON.stringify(errors)} in ${JSON.stringify(response)}`,
    };
  },
  toSucceed(response: GraphQLResponse<unknown>) {
    return {
      pass: errorsOf(response).length === 0,
      message: () => `expected no errors in ${JSON.stringify(response)}`,
    };
  },
});

declare module 'vitest' {
  interface Matchers {
    toFailWith(...codes: string[]): void;
    toSucceed(): void;
  }
}
