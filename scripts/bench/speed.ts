// How long runs take on the host.
import type { Scenario } from '../../boards/scenario.ts';
import { measuredRun } from '../pair-run.ts';
import { isGood } from '../render/summary.ts';

const STANDARD_RUNS = 3;
const STANDARD_MAX_S = 5;
const WARM_UPS = 10;
const SMALL_RUNS = 50;
const SMALL_MAX_MS = 50;

export interface SpeedBench {
  name: string;
  runs: number;
  median_ms: number;
  best_ms: number;
  worst_ms: number;
  limit_ms: number;
  /** Board time by host time. */
  times_real_time: number;
  ok: boolean;
}

async function measure(
  scenario: Scenario,
  warmUps: number,
  runs: number,
  limitMs: number,
): Promise<SpeedBench> {
  const host: number[] = [];
  let good = true;
  let boardMs = 0;
  for (let n = 0; n < warmUps + runs; n++) {
    const result = await measuredRun({ scenario });
    good &&= isGood(result);
    boardMs = result.virtual_s * 1000;
    if (n >= warmUps) host.push(result.host_s * 1000);
  }
  host.sort((one, other) => one - other);
  const median = host[host.length >> 1] ?? 0;
  return {
    name: scenario.name,
    runs,
    median_ms: median,
    best_ms: host[0] ?? 0,
    worst_ms: host.at(-1) ?? 0,
    limit_ms: limitMs,
    times_real_time: boardMs / median,
    ok: good && median < limitMs,
  };
}

export const benchStandard = (scenario: Scenario): Promise<SpeedBench> =>
  measure(scenario, 0, STANDARD_RUNS, STANDARD_MAX_S * 1000);

export const benchSmall = (scenario: Scenario): Promise<SpeedBench> =>
  measure(scenario, WARM_UPS, SMALL_RUNS, SMALL_MAX_MS);

export const speedLines = (bench: SpeedBench): string[] => [
  `Host time of the ${bench.name} scenario, ${bench.runs} runs`,
  `median ${bench.median_ms.toFixed(1)} ms (${bench.best_ms.toFixed(1)} to ${bench.worst_ms.toFixed(1)}), ` +
    `${bench.times_real_time.toFixed(0)} times real time`,
  `${(bench.median_ms / bench.limit_ms).toFixed(2)} of the ${bench.limit_ms} ms allowed: ${bench.ok ? 'ok' : 'FAILED'}`,
];
