import { cpus, totalmem } from 'node:os';
import type { MeasuredLoad } from './load.ts';
import { SERVERS, type ServerName } from './servers.ts';
import { WORKLOADS, type WorkloadName } from './workloads.ts';

/** The rounds of each server, for each workload. */
export type Rounds = Partial<Record<WorkloadName, Partial<Record<ServerName, MeasuredLoad[]>>>>;

export interface Figure {
  title: string;
  value: number;
  unit: string;
  target: string;
  holds: boolean;
}

export const machine = () => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  gigabytes: Math.round(totalmem() / 2 ** 30),
});

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

const rate = (turns: readonly MeasuredLoad[] = []) => median(turns.map((turn) => turn.rate));

/** The CPU time of a request, of the server and PostgreSQL together. It hardly depends on what else runs on the machine. */
const cpu = (turns: readonly MeasuredLoad[] = []) => median(turns.map((turn) => turn.serverCpu + turn.databaseCpu));

/** Medians, ratios and targets. */
export function summaryOf(rounds: Rounds) {
  return Object.entries(rounds).map(([name, servers]) => {
    const workload = WORKLOADS[name as WorkloadName];
    const rows = Object.entries(servers).map(([server, turns]) => ({
      server: SERVERS[server as ServerName].title,
      rate: rate(turns),
      slowest: Math.min(...turns.map((turn) => turn.rate)),
      fastest: Math.max(...turns.map((turn) => turn.rate)),
      p50: median(turns.map((turn) => turn.p50)),
      p99: median(turns.map((turn) => turn.p99)),
      toPostgraphile: rate(turns) / rate(servers.postgraphile),
      toFloor: rate(turns) / rate(servers.floor),
      serverCpu: median(turns.map((turn) => turn.serverCpu)),
      databaseCpu: median(turns.map((turn) => turn.databaseCpu)),
      cpuToPostgraphile: cpu(servers.postgraphile) / cpu(turns),
      cpuToFloor: cpu(servers.floor) / cpu(turns),
    }));
    const toFastApi = servers.fastapi ? rate(servers.ours) / rate(servers.fastapi) : null;
    return { name, title: workload.title, target: workload.target, rows, toFastApi };
  });
}

export function table(rounds: Rounds, figures: readonly Figure[]): string {
  const parts = summaryOf(rounds).map(({ title, target, rows, toFastApi }) => {
    const [ours] = rows;
    const verdicts = [
      verdict('PostGraphile', ours?.toPostgraphile ?? 0, target.postgraphile),
      verdict('the floor', ours?.toFloor ?? 0, target.floor),
      `by CPU time: ${(ours?.cpuToPostgraphile ?? 0).toFixed(2)} times PostGraphile, ${(ours?.cpuToFloor ?? 0).toFixed(2)} times the floor`,
      ...(toFastApi === null ? [] : [verdict('FastAPI + SQLAlchemy', toFastApi, 10)]),
    ];
    const head = [
      '',
      'requests/s',
      'rounds from - to',
      'p50 ms',
      'p99 ms',
      'x PostGraphile',
      'x floor',
      'server us',
      'PostgreSQL us',
      'CPU x PostGraphile',
      'CPU x floor',
    ];
    const lines = rows.map((row) => [
      row.server,
      row.rate.toFixed(0),
      `${row.slowest.toFixed(0)} - ${row.fastest.toFixed(0)}`,
      row.p50.toFixed(0),
      row.p99.toFixed(0),
      row.toPostgraphile.toFixed(2),
      row.toFloor.toFixed(2),
      row.serverCpu.toFixed(0),
      row.databaseCpu.toFixed(0),
      row.cpuToPostgraphile.toFixed(2),
      row.cpuToFloor.toFixed(2),
    ]);
    return [title, ...aligned([head, ...lines]), ...verdicts.map((line) => `  ${line}`)].join('\n');
  });
  const rest = figures.map(({ title, value, unit, target, holds }) => {
    return `${title}: ${value.toFixed(2)} ${unit} (target: ${target}): ${holds ? 'met' : 'MISSED'}`;
  });
  return [...parts, ...(rest.length > 0 ? [rest.join('\n')] : [])].join('\n\n');
}

const verdict = (peer: string, ratio: number, target: number) =>
  `${ratio.toFixed(2)} times ${peer} (target: ${target}): ${ratio >= target ? 'met' : 'MISSED'}`;

export function aligned(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map(
    (row) =>
      `  ${row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')}`,
  );
}
