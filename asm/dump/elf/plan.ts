/**
 * Where each chunk of a memory lies in a core file, from the chunk map alone. Chunks have slots in the file in the
 * order of their addresses:
 *
 *   raw, LZ4         a slot
 *   zero             none: the end of a segment that is larger in memory than in the file; yet a gap of few zero
 *                    chunks before a stored one takes slots, where else there would be too many segments
 *   missing          none, and no segment
 *   missing | SLOT   found out after the file was planned: its slot stays, no segment covers it
 *
 * [gABI] System V ABI 4.1: "Program Header", p_filesz, p_memsz; "Segment Contents"
 */
import { CHUNK_BYTES, CODEC_LZ4, CODEC_RAW, CODEC_ZERO } from '../../layout';

/** In the map: not in the core, though a slot was kept for it. */
export const SLOT: u32 = 0x40;
/** Chunks that may be found missing after the plan. */
export const SPARE: u32 = 64;
/** Gaps of zero chunks are stored rather than have more segments: file(1) reads 2,048 program headers at most. */
const LOADS_AIM: u32 = 2047 - SPARE;
export const NOTES_MAX: u32 = 8;


@unmanaged
export class Elf {
  /** A byte a chunk. */
  map: usize;
  chunks: u32;
  attribute: u32;
  abort: u32;
  /** Gaps of fewer zero chunks take slots, and gaps of as many up to chunk gapEnd. */
  gap: u32;
  gapEnd: u32;
  loads: u32;
  slots: u32;
  missed: u32;
  is64: u32;
  headBytes: u32;
  notesAt: u32;
  /** The segment that next_load found: first chunk, chunks in the file and in memory, file offset. */
  first: u32;
  file: u32;
  memory: u32;
  /** Where next_load goes on. */
  cursor: u32;
  offset: u64;
  cursorOffset: u64;
  /** The piece that elf_next found, and where it goes on. */
  pieceOffset: u64;
  nextOffset: u64;
  piece: u32;
  next: u32;
  pid: u32;
  signal: u32;
  pc: u32;
  notes: u32;
  name0: u64;
  name1: u64;
}

export function is_slot(value: u32): bool {
  return value == CODEC_RAW || value == CODEC_LZ4 || (value & SLOT) != 0;
}

export function is_missing(value: u32): bool {
  return value < <u32>CODEC_ZERO || value > <u32>CODEC_LZ4;
}

/** Zero chunks in a row from chunk `at` on. */
function zero_run(e: Elf, at: u32): u32 {
  let end = at;
  while (end < e.chunks && load<u8>(e.map + end) == CODEC_ZERO) end++;
  return end - at;
}

/** Slots that the zero chunks from `at` on take: all of the gap, or none. */
function gap_slots(e: Elf, at: u32, run: u32): u32 {
  const stored = run < e.gap || (run == e.gap && at < e.gapEnd);
  return stored && is_gap(e, at, run) ? run : 0;
}

/** A stored chunk follows, so that slots for the gap save a segment. */
function is_gap(e: Elf, at: u32, run: u32): bool {
  return at + run < e.chunks && is_slot(load<u8>(e.map + at + run));
}

export function rewind_loads(e: Elf): void {
  e.cursor = 0;
  e.cursorOffset = e.headBytes;
}

/** Finds the next segment; false after the last. */
export function next_load(e: Elf): bool {
  let at = e.cursor;
  let offset = e.cursorOffset;
  for (; at < e.chunks; at++) {
    const value: u32 = load<u8>(e.map + at);
    if (!is_missing(value)) break;
    if (value & SLOT) offset += CHUNK_BYTES;
  }
  if (at == e.chunks) return false;
  e.first = at;
  e.offset = offset;
  while (at < e.chunks) {
    const value: u32 = load<u8>(e.map + at);
    if (is_missing(value)) break;
    const slots = value == CODEC_ZERO ? gap_slots(e, at, zero_run(e, at)) : 1;
    if (!slots) break;
    at += slots;
    offset += <u64>slots * CHUNK_BYTES;
  }
  e.file = at - e.first;
  if (at < e.chunks && load<u8>(e.map + at) == CODEC_ZERO) at += zero_run(e, at);
  e.memory = at - e.first;
  e.cursor = at;
  e.cursorOffset = offset;
  return true;
}

export function rewind_pieces(e: Elf): void {
  e.next = 0;
  e.nextOffset = e.headBytes;
}

/** Finds the next chunk that has a slot; false after the last. */
export function next_slot(e: Elf): bool {
  let at = e.next;
  while (at < e.chunks) {
    const value: u32 = load<u8>(e.map + at);
    if (is_slot(value)) break;
    if (value == CODEC_ZERO) {
      const run = zero_run(e, at);
      if (gap_slots(e, at, run)) break;
      at += run;
    } else at++;
  }
  if (at >= e.chunks) return false;
  e.piece = at;
  e.pieceOffset = e.nextOffset;
  e.next = at + 1;
  e.nextOffset += CHUNK_BYTES;
  return true;
}

export function count_loads(e: Elf): u32 {
  let count: u32 = 0;
  for (rewind_loads(e); next_load(e);) count++;
  return count;
}

/**
 * Counts gaps of at most `longest` zero chunks. With `enough`, sets gapEnd to where that many of exactly `longest` have
 * been seen.
 */
function count_gaps(e: Elf, longest: u32, enough: u32): u32 {
  let count: u32 = 0;
  for (let at: u32 = 0; at < e.chunks;) {
    const run = zero_run(e, at);
    if (run && run <= longest && is_gap(e, at, run)) {
      count++;
      if (run == longest && enough && !--enough) e.gapEnd = at + 1;
    }
    at += run ? run : 1;
  }
  return count;
}

/** Stores the shortest gaps, and no more of them than it takes to come down to LOADS_AIM segments. */
function plan_gaps(e: Elf): void {
  e.gap = 0;
  e.gapEnd = 0;
  const loads = count_loads(e);
  if (loads <= LOADS_AIM) return;
  const excess = loads - LOADS_AIM;
  if (count_gaps(e, e.chunks, 0) <= excess) {
    e.gap = e.chunks;
    return;
  }
  let fewer: u32 = 0;
  let count: u32 = 0;
  do {
    fewer = count;
    count = count_gaps(e, ++e.gap, 0);
  } while (count < excess);
  count_gaps(e, e.gap, excess - fewer);
}

/** Decides which gaps take slots, and counts segments and slots. */
export function plan_loads(e: Elf): void {
  for (let i: u32 = 0; i < e.chunks; i++) {
    const value: u32 = load<u8>(e.map + i);
    if (value & SLOT) store<u8>(e.map + i, <u8>(value & ~SLOT));
  }
  plan_gaps(e);
  e.loads = count_loads(e);
  e.slots = 0;
  for (rewind_pieces(e); next_slot(e);) e.slots++;
}
