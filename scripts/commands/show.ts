// Runs a scenario and shows how it goes: live on a terminal, step by step in a pipe, or not at all.
import type { Attachment } from '../../boards/attached/lines.ts';
import type { Progress, RunResult } from '../../boards/result.ts';
import type { Scenario } from '../../boards/scenario.ts';
import { hostNanoseconds } from '../host-clock.ts';
import { measuredRun } from '../pair-run.ts';
import { LiveView } from '../render/live.ts';
import { wrap } from '../render/format.ts';
import { type Look, paint } from '../render/look.ts';
import { plan, withEvents } from '../render/plan.ts';
import { stepLines } from '../render/steps.ts';

export interface ShowOptions {
  disksDir?: string | undefined;
  firmware?: string | undefined;
  attached?: Attachment | undefined;
  look: Look;
  silent: boolean;
  title: string;
}

export const print = (lines: readonly string[]): void => {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
};

const write = (text: string): void => void process.stdout.write(text);

export async function runShown(scenario: Scenario, options: ShowOptions): Promise<RunResult> {
  const { disksDir, firmware, attached, look, silent, title } = options;
  if (silent) return measuredRun({ scenario, disksDir, firmware, attached });
  print([
    ...wrap(title, look.columns()).map((line) => paint(look, 'bold', line)),
    ...plan(scenario).flatMap((line) => wrap(`  ${line}`, look.columns())),
  ]);
  const told = withEvents(scenario);
  if (!look.live) {
    return measuredRun({
      scenario,
      disksDir,
      firmware,
      attached,
      onProgress: (progress: Progress) => print(stepLines(look, told(progress).log)),
    });
  }
  const view = new LiveView(look, { write, now: hostNanoseconds });
  const close = (): void => view.close();
  const end = (signal: NodeJS.Signals): void => {
    close();
    process.removeListener('SIGINT', end);
    process.removeListener('SIGTERM', end);
    process.kill(process.pid, signal); // ended by the signal, as whoever waits for us expects
  };
  process.on('exit', close);
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  try {
    return await measuredRun({
      scenario,
      disksDir,
      firmware,
      attached,
      onProgress: (progress) => view.update(told(progress)),
    });
  } finally {
    close();
    process.removeListener('exit', close);
    process.removeListener('SIGINT', end);
    process.removeListener('SIGTERM', end);
  }
}
