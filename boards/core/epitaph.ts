/**
 * What a board's memory tells of its end: the panic record, the log ring and the trace ring, from the notes of a core
 * file or from their addresses in the memory.
 */
import { NOTE_LOG, NOTE_PANIC, NOTE_TRACE } from '../../asm/layout.ts';
import {
  CORE_AT,
  LOG_AT,
  LOG_BYTES,
  RECORD_AT,
  RECORD_BYTES,
  RECORD_MAGIC,
  TRACE_AT,
  TRACE_BYTES,
} from '../../firmware/layout.ts';
import { readWhole } from './memory-source.ts';
import type { MemorySource } from './memory-source.ts';
import { parseLog, parsePanic } from './notes.ts';
import type { PanicNote } from './notes.ts';
import { Fields } from './source.ts';

export interface TraceEntry {
  timeUs: bigint;
  code: number; // EV_*
  a: number;
  b: number;
  c: number;
}

/** Bytes before the first event of the trace ring, and of each, as firmware/trace.ts has them. */
const EVENTS_AT = 16;
const EVENT_BYTES = 24;

async function ringOf(
  source: MemorySource,
  note: number,
  address: number,
  bytes: number,
): Promise<Fields | null> {
  const own = source.note(note);
  if (own !== null) return own;
  const memory = await readWhole(source, address, bytes);
  return memory === null ? null : new Fields('core file', address, memory);
}

/** Null when the record is not there; 'none' when it is and no panic is written in it. */
export async function panicOf(source: MemorySource): Promise<PanicNote | 'none' | null> {
  const record = await ringOf(source, NOTE_PANIC, RECORD_AT, RECORD_BYTES);
  if (record === null) return null;
  return record.u32(0) === RECORD_MAGIC ? parsePanic(record) : 'none';
}

/** What the firmware's state says of the board itself: first fields of struct Core in firmware/memory.ts. */
export interface BoardState {
  system: number;
  partner: number;
  epoch: number;
  state: number; // BOARD_*
  phase: number; // PHASE_*
  nowUs: bigint;
}

export async function stateOf(source: MemorySource): Promise<BoardState | null> {
  const memory = await readWhole(source, CORE_AT, 40);
  if (memory === null) return null;
  const core = new Fields('core file', CORE_AT, memory);
  return {
    system: core.u32(4),
    partner: core.u32(8),
    epoch: core.u32(12),
    state: core.u32(16),
    phase: core.u32(20),
    nowUs: core.u64(32),
  };
}

/** The lines of the log, oldest first; null when the ring is missing. */
export async function logOf(source: MemorySource): Promise<string[] | null> {
  const ring = await ringOf(source, NOTE_LOG, LOG_AT, LOG_BYTES);
  if (ring === null) return null;
  const lines = parseLog(ring).split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The events of the trace, oldest first; null when the ring is missing. */
export async function traceOf(source: MemorySource): Promise<TraceEntry[] | null> {
  const ring = await ringOf(source, NOTE_TRACE, TRACE_AT, TRACE_BYTES);
  return ring === null ? null : parseTrace(ring);
}

/** The ring holds the largest power of two of events that fits. */
export function parseTrace(ring: Fields): TraceEntry[] {
  const written = ring.u32(0);
  const fits = Math.floor((ring.bytes.length - EVENTS_AT) / EVENT_BYTES);
  if (fits < 1) ring.fail(0, 'a trace ring without events');
  const room = 2 ** Math.floor(Math.log2(fits));
  return Array.from({ length: Math.min(written, room) }, (_, i) => {
    const at = EVENTS_AT + ((written - Math.min(written, room) + i) % room) * EVENT_BYTES;
    return {
      timeUs: ring.u64(at),
      code: ring.u32(at + 8),
      a: ring.u32(at + 12),
      b: ring.u32(at + 16),
      c: ring.u32(at + 20),
    };
  });
}
