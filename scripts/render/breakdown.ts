// Where each millisecond of the outage went.
import type { RunResult, Step } from '../../boards/result.ts';
import { milliseconds, plural, ranges, table } from './format.ts';

const LINES_MAX = 24;

/** Steps up to the moment of service; with `all`, every one. */
export function breakdown(result: RunResult, all: boolean): string[] {
  const end = result.outage_s ?? result.takeover.service_s;
  if (end === null && !all) return [];
  const steps = result.steps.filter(({ at_s: at }) => all || (at >= 0 && at <= (end ?? 0)));
  const grouped = all ? steps : together(steps);
  const shown = all ? grouped : thinned(grouped);
  let last = 0;
  const rows = shown.map((step) => {
    const delta = step.at_s - last;
    last = step.at_s;
    const sign = delta < 0 ? '' : '+';
    return [milliseconds(step.at_s), `${sign}${milliseconds(delta)}`, step.board ?? '', step.what];
  });
  const left = grouped.length - shown.length;
  return [
    ...table([['at ms', 'delta ms', '', 'step'], ...rows], [0, 1]),
    ...(left > 0 ? [`(${plural(left, 'step')} more: --verbose)`] : []),
  ];
}

/** Disks that were taken at one moment stand in one step. */
export function together(steps: readonly Step[]): Step[] {
  const groups: (Step & { names: string[]; reason: string })[] = [];
  for (const step of steps) {
    const [, name, reason = ''] = /^took (\S+) (\(.*\))$/.exec(step.what) ?? [];
    const names = name === undefined ? [] : [name];
    const last = groups.at(-1);
    const joins =
      name !== undefined && last?.at_s === step.at_s && last.board === step.board && last.reason === reason;
    if (joins) last.names.push(name);
    else groups.push({ ...step, names, reason });
  }
  return groups.map(({ at_s, board, what, names, reason }) => ({
    at_s,
    board,
    what: names.length === 0 ? what : `took ${ranges(names)} ${reason}`,
  }));
}

/** Keeps what boards did, the last step, and of the others those before which most time passed. */
function thinned(steps: readonly Step[]): readonly Step[] {
  if (steps.length <= LINES_MAX) return steps;
  const deltas = steps.map((step, at) => step.at_s - (steps[at - 1]?.at_s ?? 0));
  const boards = (at: number): number => (steps[at]?.board === null ? 0 : 1);
  const keep = new Set(
    deltas
      .map((delta, at) => ({ delta, at }))
      .toSorted(
        (one, other) => boards(other.at) - boards(one.at) || other.delta - one.delta || one.at - other.at,
      )
      .slice(0, LINES_MAX - 1)
      .map(({ at }) => at),
  );
  return steps.filter((_, at) => at === steps.length - 1 || keep.has(at));
}
