/**
 * A run: the machine of a scenario from power-on until everything is as it must be, and what came of it.
 */
import { MS, SECOND } from './clock.ts';
import { type Attachment, openLines } from './attached/lines.ts';
import { type Machine, makeMachine } from './machine.ts';
import { finalChecks, settled } from './observer/end.ts';
import { progressOf, stepsSince } from './observer/progress.ts';
import type { TraceEvent } from './observer/trace.ts';
import { resultOf } from './observer/report.ts';
import type { Progress, RunResult } from './result.ts';
import type { Scenario } from './scenario.ts';
import { Script } from './script.ts';

export interface RunOptions {
  scenario: Scenario;
  /** Decimal, 0 to 2^64 - 1; by default the scenario's. */
  seed?: string;
  /** Folder for disk images that stay; by default media are in memory. */
  disksDir?: string;
  /** Firmware image; by default the one that the build made. */
  firmware?: string;
  /** Where boards are attached; by default both are emulated. */
  attached?: Attachment;
  onProgress?: (progress: Progress) => void;
  /** Each event of the firmware, as it happens. */
  onEvent?: (event: TraceEvent) => void;
  /** Awaited now and then, so that the host can draw. */
  pause?: () => Promise<void>;
}

const SLICE = 50 * MS;
/** At the end clients send no more, and what is on its way gets this long. */
const DRAIN = 1 * SECOND;

export async function runPair(options: RunOptions): Promise<RunResult> {
  const { scenario } = options;
  const attached = await openLines(options);
  const machine = makeMachine({
    scenario,
    seed: options.seed ?? scenario.seed,
    folder: options.disksDir ?? null,
    firmware: options.firmware ?? null,
    attached,
  });
  try {
    return await run(machine, options);
  } finally {
    machine.close();
  }
}

async function run(machine: Machine, options: RunOptions): Promise<RunResult> {
  const { clock, scenario, clients, boards, observer } = machine;
  const script = new Script(machine);
  observer.onEvent = (name, event) => {
    script.heard(name);
    options.onEvent?.(event);
  };
  for (const board of boards) board.powerOn();
  let shown = 0;
  let quietAt = Infinity;
  for (;;) {
    clock.runUntil(clock.now + SLICE);
    if (options.onProgress !== undefined) {
      const steps = stepsSince(machine, shown);
      shown = steps.next;
      options.onProgress(progressOf(machine, steps.log));
    }
    if (options.pause !== undefined) await options.pause();
    if (
      quietAt === Infinity &&
      script.pending === 0 &&
      clock.now >= scenario.endMs * MS &&
      settled(machine)
    ) {
      quietAt = clock.now;
      for (const client of clients) client.quiet();
    }
    const drained = clock.now - quietAt >= DRAIN || !clients.some((client) => client.waiting);
    if (quietAt !== Infinity && drained) break;
    if (clock.now >= scenario.endMaxMs * MS) break;
  }
  const isSettled = settled(machine);
  finalChecks(machine, isSettled);
  return resultOf(machine, options.seed ?? scenario.seed, isSettled);
}
