// The same seed gives the same digest: twice in a process, in another process, and with disks in files.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunResult } from '../../boards/result.ts';
import type { Scenario } from '../../boards/scenario.ts';
import { measuredRun } from '../pair-run.ts';
import { table } from '../render/format.ts';

export interface DigestBench {
  scenario: string;
  rows: { where: string; digest: string }[];
  ok: boolean;
}

export async function benchDigest(scenario: Scenario): Promise<DigestBench> {
  const rows = [
    { where: 'in memory', digest: (await measuredRun({ scenario })).digest },
    { where: 'in memory, again', digest: (await measuredRun({ scenario })).digest },
    { where: 'another process', digest: elsewhere(scenario) },
    { where: 'another process, again', digest: elsewhere(scenario) },
    { where: 'disks in files', digest: await inFiles(scenario) },
  ];
  return { scenario: scenario.name, rows, ok: new Set(rows.map(({ digest }) => digest)).size === 1 };
}

/** Starts this very command line anew. */
function elsewhere({ name, seed }: Scenario): string {
  const [, script = ''] = process.argv;
  const run = spawnSync(
    process.execPath,
    [...process.execArgv, script, 'run', name, '--seed', seed, '--json'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 },
  );
  try {
    return (JSON.parse(run.stdout) as RunResult).digest;
  } catch {
    return `exit code ${run.status}`;
  }
}

async function inFiles(scenario: Scenario): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-bench-'));
  try {
    return (await measuredRun({ scenario, disksDir: join(folder, 'shelf') })).digest;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const digestLines = ({ scenario, rows, ok }: DigestBench): string[] => [
  `Trace digest of the ${scenario} scenario`,
  ...table(rows.map(({ where, digest }) => [where, digest])),
  `the same everywhere: ${ok ? 'ok' : 'FAILED'}`,
];
