import { test, vi } from 'vitest';
import { blog } from './blog.ts';
import { type Change, holds } from './change.ts';

vi.setConfig({ testTimeout: 120_000 });

const index = (options: object) => () => blog({ articles: { indexes: [{ name: 'articles_index', ...options }] } });
const byTitle = index({ properties: ['title'] });

const CHANGES: Record<string, Change> = {
  'adds an index': { to: byTitle },
  'drops an index': { from: byTitle, to: () => blog() },
};

for (const [change, what] of Object.entries(CHANGES)) test(change, () => holds(what));
