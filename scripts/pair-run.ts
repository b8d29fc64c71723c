// Runs a pair and measures the host's time for it.
import type { Attachment } from '../boards/attached/lines.ts';
import { runPair } from '../boards/pair.ts';
import type { Progress, RunResult } from '../boards/result.ts';
import type { Scenario } from '../boards/scenario.ts';
import { hostNanoseconds } from './host-clock.ts';
import { hostTurn } from './host-turn.ts';

export interface PairRunOptions {
  scenario: Scenario;
  disksDir?: string | undefined;
  firmware?: string | undefined;
  attached?: Attachment | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

export async function measuredRun(options: PairRunOptions): Promise<RunResult> {
  const { scenario, disksDir, firmware, attached, onProgress } = options;
  const startedAt = hostNanoseconds();
  const result = await runPair({
    scenario,
    ...(disksDir === undefined ? {} : { disksDir }),
    ...(firmware === undefined ? {} : { firmware }),
    ...(attached === undefined ? {} : { attached }),
    ...(onProgress === undefined ? {} : { onProgress, pause: hostTurn }),
  });
  return { ...result, host_s: Number(hostNanoseconds() - startedAt) / 1e9 };
}
