/** Parses a duration as PostgreSQL's settings write it: `1500`, `'30s'`, `2min`. */
export function parseMilliseconds(setting: string): number {
  const [, count = '0', unit = 'ms'] = /^\W*(\d+(?:\.\d+)?)\s*(\w*)/.exec(setting) ?? [];
  return Math.min(Number(count) * (MILLISECONDS[unit || 'ms'] ?? 1), MAX_TIMER);
}

const MILLISECONDS: Record<string, number> = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_TIMER = 2 ** 31 - 1;
