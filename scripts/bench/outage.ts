// Outage against the size of memory, with the takeover beside the dump and after it.
import type { RunResult } from '../../boards/result.ts';
import type { Policy, Scenario } from '../../boards/scenario.ts';
import { bytes, seconds, table } from '../render/format.ts';
import { measuredRun } from '../pair-run.ts';
import { sized } from './sized.ts';

const SIZES_MIB = [16, 256, 1024, 4096];
const SPREAD_MAX_PERCENT = 5;

export interface OutageRow {
  memory_mib: number;
  policy: Policy;
  /** The partner serves all volumes; the rest of the outage is clients that try again. */
  ready_s: number | null;
  outage_s: number | null;
  dump_s: number | null;
  stored_bytes: number;
  host_s: number;
  good: boolean;
}

export interface OutageBench {
  rows: OutageRow[];
  /** (largest - smallest) / smallest of the outages with a parallel takeover. */
  parallel_spread_percent: number;
  spread_max_percent: number;
  ok: boolean;
}

export async function benchOutage(standard: Scenario, say: (line: string) => void): Promise<OutageBench> {
  const rows: OutageRow[] = [];
  for (const memoryMib of SIZES_MIB) {
    for (const policy of ['parallel', 'sequential'] as const) {
      say(`outage: ${memoryMib} MiB, ${policy}`);
      rows.push(
        rowOf(memoryMib, policy, await measuredRun({ scenario: { ...sized(standard, memoryMib), policy } })),
      );
    }
  }
  const outages = rows
    .filter(({ policy }) => policy === 'parallel')
    .map(({ outage_s: outage }) => outage ?? Infinity);
  const spread = (100 * (Math.max(...outages) - Math.min(...outages))) / Math.min(...outages);
  return {
    rows,
    parallel_spread_percent: spread,
    spread_max_percent: SPREAD_MAX_PERCENT,
    ok: spread < SPREAD_MAX_PERCENT && rows.every(({ good }) => good),
  };
}

const rowOf = (memoryMib: number, policy: Policy, result: RunResult): OutageRow => ({
  memory_mib: memoryMib,
  policy,
  ready_s: result.takeover.service_s,
  outage_s: result.outage_s,
  dump_s: result.dump.ended_s,
  stored_bytes: result.dump.stored_bytes,
  host_s: result.host_s,
  good: result.settled && result.invariants.violations.length === 0,
});

const times = (one: number | null | undefined, other: number | null | undefined): string =>
  typeof one === 'number' && typeof other === 'number' ? `x ${(one / other).toFixed(2)}` : '-';

export function outageTable({ rows, parallel_spread_percent: spread, ok }: OutageBench): string[] {
  const of = (memoryMib: number, policy: Policy): OutageRow | undefined =>
    rows.find((row) => row.memory_mib === memoryMib && row.policy === policy);
  const base = of(SIZES_MIB[0] ?? 0, 'parallel')?.outage_s ?? null;
  const body = SIZES_MIB.map((memoryMib) => {
    const [fast, slow] = [of(memoryMib, 'parallel'), of(memoryMib, 'sequential')];
    return [
      bytes(memoryMib * 2 ** 20),
      bytes(fast?.stored_bytes ?? 0),
      seconds(fast?.dump_s ?? null),
      seconds(fast?.ready_s ?? null),
      seconds(fast?.outage_s ?? null),
      times(fast?.outage_s, base),
      seconds(slow?.ready_s ?? null),
      seconds(slow?.outage_s ?? null),
      times(slow?.outage_s, fast?.outage_s),
      times(slow?.ready_s, slow?.dump_s),
      `${((fast?.host_s ?? 0) + (slow?.host_s ?? 0)).toFixed(1)} s`,
    ];
  });
  const head = [
    ['', '', '', 'parallel', '', 'of the', 'sequential', '', 'of', 'ready of', 'host'],
    [
      'memory',
      'dumped',
      'dump ends',
      'ready',
      'outage',
      'first',
      'ready',
      'outage',
      'parallel',
      'dump',
      'time',
    ],
  ];
  return [
    'Outage against memory, in board time (ready: the partner serves all volumes; outage: until a client was served)',
    ...table([...head, ...body], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    `parallel outages differ by ${spread.toFixed(1)} % (at most ${SPREAD_MAX_PERCENT} %): ${ok ? 'ok' : 'FAILED'}`,
  ];
}
