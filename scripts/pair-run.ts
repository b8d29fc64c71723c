// Runs a pair and measures the host's time for it.
import { runPair } from '../boards/pair.ts';
import type { Progress, RunResult } from '../boards/result.ts';
import type { Scenario } from '../boards/scenario.ts';
import { hostNanoseconds } from './host-clock.ts';
import { hostTurn } from './host-turn.ts';

export interface PairRunOptions {
  scenario: Scenario;
  disksDir?: string | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

export async function measuredRun({ scenario, disksDir, onProgress }: PairRunOptions): Promise<RunResult> {
  const startedAt = hostNanoseconds();
  const result = await runPair({
    scenario,
    ...(disksDir === undefined ? {} : { disksDir }),
    ...(onProgress === undefined ? {} : { onProgress, pause: hostTurn }),
  });
  return { ...result, host_s: Number(hostNanoseconds() - startedAt) / 1e9 };
}
