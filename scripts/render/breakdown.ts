// Where each millisecond of the outage went.
import type { RunResult, Step } from '../../boards/result.ts';
import { milliseconds, plural, table } from './format.ts';

const LINES_MAX = 24;

/** Steps up to the moment of service; with `all`, every one. */
export function breakdown(result: RunResult, all: boolean): string[] {
  const end = result.outage_s ?? result.takeover.service_s;
  if (end === null && !all) return [];
  const steps = result.steps.filter(({ at_s: at }) => all || (at >= 0 && at <= (end ?? 0)));
  const shown = all ? steps : thinned(steps);
  let last = 0;
  const rows = shown.map((step) => {
    const delta = step.at_s - last;
    last = step.at_s;
    return [
      milliseconds(step.at_s),
      `${delta < 0 ? '' : '+'}${milliseconds(delta)}`,
      step.board ?? '-',
      step.what,
    ];
  });
  const left = steps.length - shown.length;
  return [
    ...table([['at ms', 'delta ms', '', 'step'], ...rows], [0, 1]),
    ...(left > 0 ? [`(${plural(left, 'step')} more: --verbose)`] : []),
  ];
}

/** Keeps the first, the last, and those before which most time passed. */
function thinned(steps: readonly Step[]): readonly Step[] {
  if (steps.length <= LINES_MAX) return steps;
  const deltas = steps.map((step, at) => step.at_s - (steps[at - 1]?.at_s ?? 0));
  const keep = new Set(
    deltas
      .map((delta, at) => ({ delta, at }))
      .toSorted((one, other) => other.delta - one.delta || one.at - other.at)
      .slice(0, LINES_MAX - 2)
      .map(({ at }) => at),
  );
  return steps.filter((_, at) => at === 0 || at === steps.length - 1 || keep.has(at));
}
