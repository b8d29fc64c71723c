/** The same run emulated and with attached boards: the same, or where they part, in terms of what the firmware did. */
import { eventName } from '../observer/events.ts';
import type { TraceEvent } from '../observer/trace.ts';
import { type RunOptions, runPair } from '../pair.ts';
import type { RunResult } from '../result.ts';

export interface Comparison {
  same: boolean;
  emulated: RunResult;
  attached: RunResult;
  events: number; // that both have in common, from the start
  /** The first event that is not the same; null on one side where that run has no more. */
  difference: { before: TraceEvent | null; emulated: TraceEvent | null; attached: TraceEvent | null } | null;
}

/** Runs the scenario twice; `attached` must name a board. */
export async function compareRuns(options: RunOptions): Promise<Comparison> {
  const { attached, ...rest } = options;
  const here = await recorded(rest);
  const there = await recorded(attached === undefined ? rest : { ...rest, attached });
  return comparisonOf(here, there);
}

interface Recorded {
  result: RunResult;
  events: TraceEvent[];
}

async function recorded(options: RunOptions): Promise<Recorded> {
  const events: TraceEvent[] = [];
  const result = await runPair({ ...options, onEvent: (event) => void events.push(event) });
  return { result, events };
}

export function comparisonOf(here: Recorded, there: Recorded): Comparison {
  const most = Math.max(here.events.length, there.events.length);
  let common = 0;
  while (common < most && isSame(here.events[common], there.events[common])) common++;
  return {
    same: here.result.digest === there.result.digest,
    emulated: here.result,
    attached: there.result,
    events: common,
    difference:
      common === most
        ? null
        : {
            before: here.events[common - 1] ?? null,
            emulated: here.events[common] ?? null,
            attached: there.events[common] ?? null,
          },
  };
}

const isSame = (one: TraceEvent | undefined, other: TraceEvent | undefined): boolean =>
  one !== undefined && other !== undefined && eventText(one) === eventText(other);

/** "0.402300000 a dump-begin 3 0 0" */
export const eventText = ({ time, board, code, a, b, c }: TraceEvent): string =>
  `${(time / 1e9).toFixed(9)} ${'ab'[board]} ${eventName(code)} ${a} ${b} ${c}`;
