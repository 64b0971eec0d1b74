/**
 * Random choices from a list of numbers, so that fast-check can shrink them. When the numbers run out they are zeros, which
 * select the first option: fewer and lower numbers make a simpler document.
 */
export class Rolls {
  private rolled = 0;

  constructor(private readonly rolls: readonly number[]) {}

  upTo(most: number): number {
    this.rolled += 1;
    return (this.rolls[this.rolled - 1] ?? 0) % (most + 1);
  }

  one<T>(items: readonly T[]): T {
    return items[this.upTo(items.length - 1)] as T;
  }

  /** True once in so many times, and never for zero. */
  once(inHowMany: number): boolean {
    return this.upTo(inHowMany - 1) === 1;
  }
}
