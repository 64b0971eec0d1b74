/**
 * Dice that were rolled before. When they run out they are zeros, which choose what comes first; fewer and lower rolls
 * make something simpler.
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

  /** Once in so many times, and never with zeros. */
  once(inHowMany: number): boolean {
    return this.upTo(inHowMany - 1) === 1;
  }
}
