import { LISTS, type ListName } from './growth-lists.ts';
import { aligned } from './report.ts';

/** The milliseconds of each request, by list and by size of the blog. */
export type Times = Record<ListName, Record<number, number[]>>;

/** The percentiles of each list in each blog, and the ratio of the largest blog's median to the smallest's. */
export function growthOf(times: Times, sizes: readonly number[]) {
  const [smallest = 0, largest = smallest] = [sizes[0], sizes.at(-1)];
  return (Object.keys(LISTS) as ListName[]).map((name) => {
    const { title, target } = LISTS[name];
    const bySize = sizes.map((articles) => {
      const took = times[name][articles] ?? [];
      return { articles, requests: took.length, p50: percentile(took, 50), p99: percentile(took, 99) };
    });
    const ratio = percentile(times[name][largest] ?? [], 50) / percentile(times[name][smallest] ?? [], 50);
    return { name, title, bySize, ratio, target, holds: target === null ? null : ratio <= target };
  });
}

export function growthTable(growth: ReturnType<typeof growthOf>, sizes: readonly number[]): string {
  const [smallest = 0] = sizes;
  const head = [
    'p50 (p99), ms',
    ...sizes.map((size) => size.toLocaleString('en')),
    `x ${smallest.toLocaleString('en')}`,
    'target',
    '',
  ];
  const rows = growth.map(({ title, bySize, ratio, target, holds }) => [
    title,
    ...bySize.map(({ p50, p99 }) => `${p50.toFixed(2)} (${p99.toFixed(2)})`),
    ratio.toFixed(2),
    target === null ? '' : `<= ${target}`,
    holds === null ? '' : holds ? 'met' : 'MISSED',
  ]);
  return aligned([head, ...rows]).join('\n');
}

export function percentile(values: readonly number[], hundredths: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil((sorted.length * hundredths) / 100) - 1)] ?? Number.NaN;
}
