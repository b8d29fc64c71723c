// Steps of a run as they happen, a line each.
import type { Step } from '../../boards/result.ts';
import { together } from './breakdown.ts';
import { fit } from './format.ts';
import { type Look, type Paint, paint } from './look.ts';

const LOUD: readonly [RegExp, Paint][] = [
  [/ s {2}- /, 'yellow'],
  [/PANIC|fenced|fails|could not|lost the/, 'red'],
  [/completed|core file written|serves all|giveback done/, 'green'],
  [/sees the partner|took |won the/, 'cyan'],
];

/** `log` as Progress has it: seconds since power-on, board, what. */
export function stepLines(look: Look, log: readonly string[], width = Infinity): string[] {
  const steps = log.map((line): Step => {
    const [, at = '0', board = '', what = line] = /^([\d.]+) ([ab-]) (.*)$/.exec(line) ?? [];
    return { at_s: Number(at), board: board === 'a' || board === 'b' ? board : null, what };
  });
  return together(steps).map(({ at_s: at, board, what }) => {
    const text = fit(`${at.toFixed(4).padStart(9)} s  ${board ?? '-'}  ${what}`, width);
    const as = LOUD.find(([pattern]) => pattern.test(text))?.[1];
    return as === undefined ? text : paint(look, as, text);
  });
}
