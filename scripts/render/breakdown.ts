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

/** Disks taken at one moment stand in one step, and so do disks that come back one after the other. */
export function together(steps: readonly Step[]): Step[] {
  const groups: (Step & { names: string[]; kind: string })[] = [];
  for (const step of steps) {
    const [, taken, reason] = /^took (\S+) (\(.*\))$/.exec(step.what) ?? [];
    const back = /^(\S+) is back$/.exec(step.what)?.[1];
    const name = taken ?? back;
    const kind = taken !== undefined ? `${reason} at ${step.at_s}` : back !== undefined ? 'back' : '';
    const last = groups.at(-1);
    if (name !== undefined && last?.kind === kind && last.board === step.board) {
      last.names.push(name);
      last.at_s = step.at_s;
      last.what = kind === 'back' ? `${ranges(last.names)} are back` : `took ${ranges(last.names)} ${reason}`;
    } else groups.push({ ...step, names: name === undefined ? [] : [name], kind });
  }
  return groups.map(({ at_s, board, what }) => ({ at_s, board, what }));
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
