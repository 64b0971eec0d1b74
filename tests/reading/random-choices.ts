/**
 * Random choices from a list of numbers, so that fast-check can shrink them. When the numbers run out they are zeros, which
 * select the first option: fewer and lower numbers make a simpler document.
 */
export class RandomChoices {
  private used = 0;

  constructor(private readonly numbers: readonly number[]) {}

  upTo(max: number): number {
    this.used += 1;
    return (this.numbers[this.used - 1] ?? 0) % (max + 1);
  }

  one<T>(items: readonly T[]): T {
    return items[this.upTo(items.length - 1)] as T;
  }

  /** True once in `period` times, and never for zero. */
  once(period: number): boolean {
    return this.upTo(period - 1) === 1;
  }
}
