import { LISTS, type ListName } from './growth-lists.ts';
import { aligned } from './report.ts';

/** The milliseconds of each answer, by list and by size of the blog. */
export type Times = Record<ListName, Record<number, number[]>>;

/** How each list grew: its percentiles in each blog, and the largest's median against the smallest's. */
export function growthOf(times: Times, sizes: readonly number[]) {
  const [smallest = 0, largest = smallest] = [sizes[0], sizes.at(-1)];
  return (Object.keys(LISTS) as ListName[]).map((name) => {
    const { title, bar } = LISTS[name];
    const bySize = sizes.map((articles) => {
      const took = times[name][articles] ?? [];
      return { articles, answers: took.length, p50: percentile(took, 50), p99: percentile(took, 99) };
    });
    const ratio = percentile(times[name][largest] ?? [], 50) / percentile(times[name][smallest] ?? [], 50);
    return { name, title, bySize, ratio, bar, holds: bar === null ? null : ratio <= bar };
  });
}

export function growthTable(growth: ReturnType<typeof growthOf>, sizes: readonly number[]): string {
  const [smallest = 0] = sizes;
  const head = [
    'p50 (p99), ms',
    ...sizes.map((size) => size.toLocaleString('en')),
    `x ${smallest.toLocaleString('en')}`,
    'bar',
    '',
  ];
  const rows = growth.map(({ title, bySize, ratio, bar, holds }) => [
    title,
    ...bySize.map(({ p50, p99 }) => `${p50.toFixed(2)} (${p99.toFixed(2)})`),
    ratio.toFixed(2),
    bar === null ? '' : `<= ${bar}`,
    holds === null ? '' : holds ? 'held' : 'MISSED',
  ]);
  return aligned([head, ...rows]).join('\n');
}

/** The smallest value that so many of a hundred do not exceed. */
export function percentile(values: readonly number[], hundredths: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil((sorted.length * hundredths) / 100) - 1)] ?? Number.NaN;
}
