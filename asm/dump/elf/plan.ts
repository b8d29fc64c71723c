/**
 * Where each chunk of a memory lies in a core file, from the chunk map alone. Chunks have slots in the file in the
 * order of their addresses:
 *
 *   raw, LZ4         a slot
 *   zero             none: the end of a segment that is larger in memory than in the file; yet a gap of few zero
 *                    chunks before a stored one takes slots, where else there would be too many segments
 *   missing          none, and no segment
 *   poisoned pages   a chunk of these and of good ones has a slot, if it is not zero, and a segment of its own for each
 *                    run of good pages
 *   missing | SLOT   found out after the file was planned: its slot stays, no segment covers it
 *
 * [gABI] System V ABI 4.1: "Program Header", p_filesz, p_memsz; "Segment Contents"
 */
import {
  CHUNK_BYTES,
  CHUNK_PAGES,
  CODEC_LZ4,
  CODEC_RAW,
  CODEC_ZERO,
  MISSING_POISONED,
  PAGE_BYTES,
} from '../../layout';

/** In the map: not in the core, though a slot was kept for it. */
export const SLOT: u32 = 0x40;
/** Chunks that may be found missing after the plan. */
export const SPARE: u32 = 64;
/** Gaps of zero chunks are stored rather than have more segments: file(1) reads 2,048 program headers at most. */
const LOADS_AIM: u32 = 2047 - SPARE;
export const NOTES_MAX: u32 = 8;
/** e_phnum has 16 bits, and the last value a meaning of its own. */
const LOADS_MAX: u32 = 0xfffe - 1 - SPARE;


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
  /** The segment that next_load found: first page, pages in the file and in memory, file offset. */
  first: u32;
  file: u32;
  memory: u32;
  /** Where next_load goes on: a chunk, and a page of it. */
  cursor: u32;
  cursorPage: u32;
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
  /** u16 a chunk: its pages that are missing; 0: none is. */
  poison: usize;
}

export function is_slot(value: u32): bool {
  return value == CODEC_RAW || value == CODEC_LZ4 || (value & SLOT) != 0;
}

export function is_missing(value: u32): bool {
  return value < <u32>CODEC_ZERO || value > <u32>CODEC_LZ4;
}

/** Pages that are missing in a chunk which is there, bit n for page n. */
export function poison_of(e: Elf, chunk: u32): u32 {
  if (!e.poison || is_missing(load<u8>(e.map + chunk))) return 0;
  return load<u16>(e.poison + <usize>chunk * 2);
}

function is_whole_zero(e: Elf, chunk: u32): bool {
  return load<u8>(e.map + chunk) == CODEC_ZERO && !poison_of(e, chunk);
}

/** Zero chunks in a row from chunk `at` on. */
function zero_run(e: Elf, at: u32): u32 {
  let end = at;
  while (end < e.chunks && is_whole_zero(e, end)) end++;
  return end - at;
}

/** Slots that the zero chunks from `at` on take: all of the gap, or none. */
function gap_slots(e: Elf, at: u32, run: u32): u32 {
  const stored = run < e.gap || (run == e.gap && at < e.gapEnd);
  return stored && is_gap(e, at, run) ? run : 0;
}

/** A stored chunk follows, so that slots for the gap save a segment. */
function is_gap(e: Elf, at: u32, run: u32): bool {
  return at + run < e.chunks && is_slot(load<u8>(e.map + at + run)) && !poison_of(e, at + run);
}

export function rewind_loads(e: Elf): void {
  e.cursor = e.cursorPage = 0;
  e.cursorOffset = e.headBytes;
}

/** Finds the next segment; false after the last. */
export function next_load(e: Elf): bool {
  let at = e.cursor;
  let offset = e.cursorOffset;
  for (; at < e.chunks; at++) {
    const value: u32 = load<u8>(e.map + at);
    if (is_missing(value)) {
      if (value & SLOT) offset += CHUNK_BYTES;
      continue;
    }
    if (!poison_of(e, at)) break;
    if (next_pages(e, at, offset)) return true;
    if (is_slot(value)) offset += CHUNK_BYTES;
  }
  if (at == e.chunks) return false;
  const first = at;
  e.first = at * CHUNK_PAGES;
  e.offset = offset;
  while (at < e.chunks) {
    const value: u32 = load<u8>(e.map + at);
    if (is_missing(value) || poison_of(e, at)) break;
    const slots = value == CODEC_ZERO ? gap_slots(e, at, zero_run(e, at)) : 1;
    if (!slots) break;
    at += slots;
    offset += <u64>slots * CHUNK_BYTES;
  }
  e.file = (at - first) * CHUNK_PAGES;
  if (at < e.chunks) at += zero_run(e, at);
  e.memory = (at - first) * CHUNK_PAGES;
  e.cursor = at;
  e.cursorOffset = offset;
  return true;
}

/** The next run of good pages in a chunk with poisoned ones, which begins at `offset`; false after the last. */
function next_pages(e: Elf, chunk: u32, offset: u64): bool {
  const poison = poison_of(e, chunk);
  let from = e.cursorPage;
  while (from < <u32>CHUNK_PAGES && (poison >> from) & 1) from++;
  let end = from;
  while (end < <u32>CHUNK_PAGES && !((poison >> end) & 1)) end++;
  if (from == end) {
    e.cursorPage = 0;
    return false;
  }
  e.first = chunk * CHUNK_PAGES + from;
  e.memory = end - from;
  e.file = is_slot(load<u8>(e.map + chunk)) ? e.memory : 0;
  e.offset = e.file ? offset + from * PAGE_BYTES : offset;
  e.cursor = chunk;
  e.cursorPage = end;
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
      if (run && gap_slots(e, at, run)) break;
      at += run ? run : 1;
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

/** So many runs of good pages that no ELF file can tell them: their chunks are missing as a whole. */
function give_up_pages(e: Elf): void {
  for (let i: u32 = 0; i < e.chunks; i++) {
    if (poison_of(e, i)) store<u8>(e.map + i, <u8>MISSING_POISONED);
  }
}

/** Decides which gaps take slots, and counts segments and slots. */
export function plan_loads(e: Elf): void {
  for (let i: u32 = 0; i < e.chunks; i++) {
    const value: u32 = load<u8>(e.map + i);
    if (value & SLOT) store<u8>(e.map + i, <u8>(value & ~SLOT));
  }
  plan_gaps(e);
  e.loads = count_loads(e);
  if (e.poison && e.loads > LOADS_MAX) {
    give_up_pages(e);
    plan_gaps(e);
    e.loads = count_loads(e);
  }
  e.slots = 0;
  for (rewind_pieces(e); next_slot(e);) e.slots++;
}
