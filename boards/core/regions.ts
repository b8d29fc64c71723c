/** The regions of a board's memory in the order in which the panic handler dumps them: by importance. */
import { CHUNK_BYTES } from '../../asm/layout.ts';
import {
  CACHE_AT,
  CORE_AT,
  LOG_AT,
  SCRATCH_AT,
  TRACE_AT,
  WORK_AT,
  WORK_BYTES,
} from '../../firmware/layout.ts';
import type { MemorySource } from './memory-source.ts';

/** Numbered as in firmware/order.ts. */
const REGION_INDEX = 7;
export const REGION_NAMES: Readonly<Record<number, string>> = {
  1: 'firmware state and panic record',
  2: 'log ring',
  3: 'trace ring',
  4: 'static data',
  5: 'buffers',
  6: 'work area',
  7: 'index of the cache',
};

export interface Region {
  name: string;
  firstChunk: number;
  chunks: number;
}

const region = (kind: number, from: number, to: number): Region => ({
  name: REGION_NAMES[kind] ?? `region ${kind}`,
  firstChunk: from / CHUNK_BYTES,
  chunks: Math.ceil((to - from) / CHUNK_BYTES),
});

/** As the header of the dump says, else as the memory map has them; the cache is what lies behind. */
export function regionsOf(source: MemorySource): Region[] {
  const chunks = source.map.length;
  const named =
    source.dump !== null && source.dump.order.length > 0
      ? source.dump.order.map(({ firstChunk, chunks: count, kind }) => ({
          name: REGION_NAMES[kind] ?? `region ${kind}`,
          firstChunk,
          chunks: count,
        }))
      : [
          region(1, CORE_AT, LOG_AT),
          region(2, LOG_AT, TRACE_AT),
          region(3, TRACE_AT, SCRATCH_AT),
          region(4, 0, CORE_AT),
          region(5, SCRATCH_AT, WORK_AT),
          region(6, WORK_AT, WORK_AT + WORK_BYTES),
          region(REGION_INDEX, CACHE_AT, CACHE_AT + CHUNK_BYTES),
        ];
  const inside = named
    .map((each) => ({ ...each, chunks: Math.max(0, Math.min(each.chunks, chunks - each.firstChunk)) }))
    .filter((each) => each.chunks > 0);
  const end = inside.reduce((most, each) => Math.max(most, each.firstChunk + each.chunks), 0);
  return end < chunks ? [...inside, { name: 'cache', firstChunk: end, chunks: chunks - end }] : inside;
}

/** The region that holds an address. */
export const regionAt = (source: MemorySource, address: number): Region | null =>
  regionsOf(source).find(
    ({ firstChunk, chunks }) =>
      address >= firstChunk * CHUNK_BYTES && address < (firstChunk + chunks) * CHUNK_BYTES,
  ) ?? null;
