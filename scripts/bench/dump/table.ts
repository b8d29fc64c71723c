// The bench as text.
import { bytes, table } from '../../render/format.ts';
import { nameOf } from './cases.ts';
import { type DumpBench, type Goal, rateOf } from './result.ts';

const HEAD = [
  'memory',
  'content',
  'codec',
  'CPUs',
  'medium',
  'DMA',
  'stored',
  'GB/s host',
  'GB/s board',
  'equal',
  'references',
];

export function dumpTable({ rows, goals, missing, host }: DumpBench): string[] {
  const body = rows.map((row) => [
    bytes(row.memoryMib * 2 ** 20),
    row.content,
    row.codec,
    `${row.cpus}`,
    row.medium,
    row.medium === 'memory' ? '-' : row.dma,
    bytes(row.stored_bytes),
    rateOf(row.memoryMib, row.seconds).toFixed(2),
    rateOf(row.memoryMib, row.board_s).toFixed(2),
    row.equal ? 'yes' : 'NO',
    row.references.map(({ name, ratio }) => `${ratio.toFixed(2)} x ${name}`).join(', '),
  ]);
  return [
    'Dumps, by the firmware of a board: bytes of memory a second (10^9)',
    `${host}; host time is CPU time of the busiest thread, for a disk and for two CPUs the clock`,
    '',
    ...table([HEAD, ...body], [0, 3, 6, 7, 8]),
    ...(goals.length === 0 ? [] : ['', ...goalTable(goals)]),
    ...(missing.length === 0 ? [] : ['', 'Not measured:']),
    ...missing.map(({ name, reason }) => `  ${name}: ${reason}`),
  ];
}

const number = (value: number, unit: string): string => `${value.toFixed(2)}${unit === '' ? '' : ` ${unit}`}`;

export const goalTable = (goals: readonly Goal[]): string[] =>
  table(
    [
      ['goal', 'bound', 'measured', ''],
      ...goals.map(({ name, bound, limit, unit, measured, ok }) => [
        name,
        `at ${bound} ${number(limit, unit)}`,
        measured === null ? '-' : number(measured, unit),
        ok === null ? 'not measured' : ok ? 'ok' : 'SHORT',
      ]),
    ],
    [1, 2],
  );

/** What changed since an older result: host rates as ratios, for the rows that both have. */
export function comparison(now: DumpBench, old: DumpBench): string[] {
  const before = new Map(old.rows.map((row) => [nameOf(row), row]));
  const lines = now.rows.flatMap((row) => {
    const then = before.get(nameOf(row));
    if (then === undefined) return [];
    const references = row.references.flatMap(({ name, ratio }) => {
      const was = then.references.find((each) => each.name === name);
      return was === undefined ? [] : [`${(ratio / was.ratio).toFixed(2)} of ${name}`];
    });
    return [[nameOf(row), `x ${(then.seconds / row.seconds).toFixed(2)}`, references.join(', ')]];
  });
  if (lines.length === 0) return ['Nothing to compare: the older result has none of these rows.'];
  return [
    'Since then: host speed, and what matters between two machines or two loads, speed against the references',
    ...table(lines, [1]),
  ];
}
