// The same failure with the invention and without it.
import type { RunResult } from '../../boards/result.ts';
import { bar, bytes, seconds, table, wrap } from './format.ts';
import { type Look, paint } from './look.ts';

const BAR = 40;

export function comparison(parallel: RunResult, sequential: RunResult, look: Look): string[] {
  const end = Math.max(
    ...[parallel, sequential].flatMap(({ outage_s: outage, dump }) => [outage ?? 0, dump.ended_s ?? 0]),
    0.001,
  );
  const line = (what: string, value: number | null): string[] => [
    what,
    seconds(value),
    value === null
      ? ''
      : bar(look, value / end, Math.min(BAR, Math.max(10, look.columns() - 40))).replace(/[.░]+$/, ''),
  ];
  return [
    paint(look, 'bold', 'The same panic, with the takeover beside the dump and after it'),
    '',
    ...table(
      [
        line('parallel    no service', parallel.outage_s),
        line('            dump', parallel.dump.ended_s),
        line('sequential  no service', sequential.outage_s),
        line('            dump', sequential.dump.ended_s),
      ],
      [1],
    ).map((text) => `  ${text}`),
    '',
    ...meaning(parallel, sequential).flatMap((text) => wrap(text, Math.min(100, look.columns()))),
  ];
}

/** Why it matters, from what was measured. */
function meaning(parallel: RunResult, sequential: RunResult): string[] {
  const [fast, slow] = [parallel.outage_s, sequential.outage_s];
  if (fast === null || slow === null || fast <= 0) return ['One of the two brought no service back.'];
  if (slow <= fast) return ['Here waiting for the dump costs nothing: there was no dump to wait for.'];
  return [
    `${parallel.core !== null && sequential.core !== null ? 'Both keep the core. ' : ''}Waiting for the dump keeps clients out ${(slow / fast).toFixed(1)} times as long with ` +
      `${bytes(parallel.memory_bytes)} of memory, and longer the more memory a board has; beside the dump, ` +
      'the outage does not depend on memory.',
  ];
}
