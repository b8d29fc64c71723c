// What the bench found, as it stands in the JSON file.
import type { DumpCase } from './cases.ts';
import type { Missing } from './native.ts';
import type { Timed } from './timed.ts';

export const VERSION = 1;

/**
 * Seconds by which a dump is compared with its references, which are timed in the same way: CPU time of the busiest
 * thread, because others use the machine, too; but by the host's clock for a disk, and for two CPUs. These wait for each
 * other, and what one spends waiting no thread's CPU time tells; nor do two threads take half the time where there is
 * but one core.
 */
export const timeOf = ({ medium, cpus }: DumpCase, { wall, busy }: Timed): number =>
  medium === 'disk' || cpus === 2 ? wall : busy;

export interface Reference {
  name: string;
  /** Seconds, median, as `DumpRow.seconds`. */
  seconds: number;
  /** Of the same round: how many times as fast the dump was. Median. */
  ratio: number;
}

export interface DumpRow extends DumpCase {
  rounds: number;
  /** Median, as `timeOf` has it. */
  seconds: number;
  wall_s: number;
  board_s: number;
  first_write_s: number;
  zero_chunks: number;
  stored_bytes: number;
  commands: number;
  /** Read back and the same as memory, byte by byte. */
  equal: boolean;
  references: Reference[];
}

export interface Goal {
  name: string;
  /** `least` or `most`: what `limit` is. */
  bound: 'least' | 'most';
  limit: number;
  unit: '' | '%' | 'ms';
  /** null: could not be measured here. */
  measured: number | null;
  ok: boolean | null;
}

export interface DumpBench {
  version: typeof VERSION;
  host: string;
  rows: DumpRow[];
  goals: Goal[];
  missing: Missing[];
  /** Every dump was equal to memory. */
  ok: boolean;
}

export const goal = (
  name: string,
  bound: Goal['bound'],
  limit: number,
  measured: number | null,
  unit: Goal['unit'] = '',
): Goal => ({
  name,
  bound,
  limit,
  unit,
  measured,
  ok: measured === null ? null : bound === 'least' ? measured >= limit : measured <= limit,
});

/** Of an even number, half of the two in the middle: the upper one alone would be the better of two ratios. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The bytes of a memory a second, in 10^9. */
export const rateOf = (memoryMib: number, seconds: number): number => (memoryMib * 2 ** 20) / seconds / 1e9;
