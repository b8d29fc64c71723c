/**
 * The notes of a core file.
 *
 * [gABI]   System V ABI 4.1: "Note Section"
 * [layout] NOTE_*, COVERAGE_* in asm/layout.ts; RECORD_* in firmware/layout.ts
 */
import {
  CHUNK_BYTES,
  CHUNK_POISONED,
  CODEC_LOST,
  COVERAGE_ABORT_AT,
  COVERAGE_ATTRIBUTE_AT,
  COVERAGE_CHUNKS_AT,
  COVERAGE_CHUNK_BYTES_AT,
  COVERAGE_MISSING_AT,
  COVERAGE_RANGES_AT,
  COVERAGE_RANGE_AT,
  COVERAGE_STORED_AT,
  COVERAGE_VERSION,
  COVERAGE_VERSION_AT,
  COVERAGE_ZERO_AT,
  MISSING_SEALED,
  MISSING_UNREACHED,
  RANGE_BYTES,
} from '../../asm/layout.ts';
import {
  RECORD_ADDRESS_AT,
  RECORD_BUILD_AT,
  RECORD_COLUMN_AT,
  RECORD_EPOCH_AT,
  RECORD_LINE_AT,
  RECORD_MAGIC,
  RECORD_MAGIC_AT,
  RECORD_MEMORY_AT,
  RECORD_PC_AT,
  RECORD_PHASE_AT,
  RECORD_PLACE_AT,
  RECORD_PLACE_BYTES,
  RECORD_REASON_AT,
  RECORD_SYSTEM_AT,
  RECORD_TEXT_AT,
  RECORD_TEXT_BYTES,
  RECORD_TIME_AT,
  RECORD_UTC_AT,
} from '../../firmware/layout.ts';
import { MISSING_NOT_SAID, MISSING_NO_RAM } from './memory-source.ts';
import type { Fields } from './source.ts';

export interface Note {
  name: string;
  type: number;
  fields: Fields;
}

/** Why the board panicked, where and when. */
export interface PanicNote {
  reason: number; // PANIC_*
  timeUs: bigint; // board time
  utcSeconds: number;
  system: number;
  epoch: number;
  phase: number; // PHASE_*
  pc: number; // offset in the firmware's code, 0: not known
  address: number; // of a memory error
  line: number;
  column: number;
  memoryBytes: number;
  build: string;
  place: string; // file:line:column
  text: string;
}

/** Chunks that are not in the core, and why. */
export interface MissingRange {
  firstChunk: number;
  chunks: number;
  reason: number; // CODEC_LOST or MISSING_*
}

export interface Coverage {
  chunkBytes: number;
  chunks: number;
  stored: number;
  zero: number;
  missing: number;
  attribute: number; // ATTRIBUTE_* of the dump
  abort: number; // ABORT_*
  ranges: MissingRange[];
  /** Pages missing in chunks that are there, bit n for page n; by rising chunk. */
  pages: { chunk: number; pages: number; reason: number }[];
}

const NOTES_MAX = 4096;
/** Of 4 GiB. */
const CHUNKS_MAX = 65536;
const align4 = (n: number): number => (n + 3) & ~3;

/** Splits a PT_NOTE segment; Malformed when a note runs over its end. */
export function splitNotes(segment: Fields): Note[] {
  const notes: Note[] = [];
  for (let at = 0; at < segment.bytes.length;) {
    if (notes.length === NOTES_MAX) segment.fail(at, `more than ${NOTES_MAX} notes`);
    const nameBytes = segment.u32(at);
    const bytes = segment.u32(at + 4);
    if (nameBytes > segment.bytes.length || bytes > segment.bytes.length) segment.fail(at, 'a note too long');
    const content = at + 12 + align4(nameBytes);
    const name = segment.text(at + 12, nameBytes);
    notes.push({ name, type: segment.u32(at + 8), fields: segment.part(content, bytes) });
    at = content + align4(bytes);
  }
  return notes;
}

export function parsePanic(note: Fields): PanicNote {
  if (note.u32(RECORD_MAGIC_AT) !== RECORD_MAGIC) note.fail(RECORD_MAGIC_AT, 'no panic record');
  return {
    reason: note.u32(RECORD_REASON_AT),
    timeUs: note.u64(RECORD_TIME_AT),
    utcSeconds: note.u32(RECORD_UTC_AT),
    system: note.u32(RECORD_SYSTEM_AT),
    epoch: note.u32(RECORD_EPOCH_AT),
    phase: note.u32(RECORD_PHASE_AT),
    pc: note.u32(RECORD_PC_AT),
    address: note.u32(RECORD_ADDRESS_AT),
    line: note.u32(RECORD_LINE_AT),
    column: note.u32(RECORD_COLUMN_AT),
    memoryBytes: note.size(RECORD_MEMORY_AT),
    build: note.text(RECORD_BUILD_AT, 32),
    place: note.text(RECORD_PLACE_AT, RECORD_PLACE_BYTES),
    text: note.text(RECORD_TEXT_AT, RECORD_TEXT_BYTES),
  };
}

/** Bytes before the text of the log ring; the first four count the bytes ever written. */
const LOG_TEXT_AT = 16;

/** The lines of the log ring, oldest first: its text part is the largest power of two that the note holds. */
export function parseLog(note: Fields): string {
  const written = note.u32(0);
  const room = note.bytes.length - LOG_TEXT_AT;
  if (room < 1) note.fail(0, 'a log ring without text');
  const ring = note.part(LOG_TEXT_AT, 2 ** Math.floor(Math.log2(room))).bytes;
  const text = new TextDecoder();
  if (written <= ring.length) return text.decode(ring.subarray(0, written));
  const oldest = written % ring.length;
  const bytes = new Uint8Array(ring.length);
  bytes.set(ring.subarray(oldest));
  bytes.set(ring.subarray(0, oldest), ring.length - oldest);
  return text.decode(bytes.subarray(bytes.indexOf(0x0a) + 1)); // the oldest line is cut: leave it out
}

/** What stands for something else must not make a gap look like memory that is there. */
const isReason = (reason: number): boolean =>
  reason === CODEC_LOST ||
  (reason >= MISSING_UNREACHED && reason <= MISSING_SEALED) ||
  reason === MISSING_NO_RAM ||
  reason === MISSING_NOT_SAID;

export function parseCoverage(note: Fields): Coverage {
  if (note.u32(COVERAGE_VERSION_AT) !== COVERAGE_VERSION) note.fail(COVERAGE_VERSION_AT, 'another version');
  if (note.u32(COVERAGE_CHUNK_BYTES_AT) !== CHUNK_BYTES)
    note.fail(COVERAGE_CHUNK_BYTES_AT, 'another chunk size');
  const chunks = note.u32(COVERAGE_CHUNKS_AT);
  if (chunks > CHUNKS_MAX) note.fail(COVERAGE_CHUNKS_AT, `a memory of ${chunks} chunks`);
  const stored = note.u32(COVERAGE_STORED_AT);
  const zero = note.u32(COVERAGE_ZERO_AT);
  const missing = note.u32(COVERAGE_MISSING_AT);
  if (stored + zero + missing !== chunks) note.fail(COVERAGE_CHUNKS_AT, 'counts that do not add up');
  const count = note.u32(COVERAGE_RANGES_AT);
  if (COVERAGE_RANGE_AT + count * RANGE_BYTES !== note.bytes.length)
    note.fail(COVERAGE_RANGES_AT, `${count} ranges`);
  const ranges: MissingRange[] = [];
  const inChunks: Coverage['pages'] = [];
  let end = 0;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const at = COVERAGE_RANGE_AT + i * RANGE_BYTES;
    const range = { firstChunk: note.u32(at), chunks: note.u32(at + 4), reason: note.u32(at + 8) };
    const pages = note.u32(at + 12);
    if (range.firstChunk < end || range.chunks < 1) note.fail(at, 'ranges out of order');
    end = range.firstChunk + range.chunks;
    if (end > chunks) note.fail(at, 'a range past the memory');
    if (!isReason(range.reason)) note.fail(at + 8, `memory that is missing for no reason: ${range.reason}`);
    if (pages !== 0) {
      if (pages >= CHUNK_POISONED || range.chunks !== 1) note.fail(at, 'pages of no one chunk');
      inChunks.push({ chunk: range.firstChunk, pages, reason: range.reason });
      continue;
    }
    sum += range.chunks;
    ranges.push(range);
  }
  if (sum !== missing) note.fail(COVERAGE_MISSING_AT, 'ranges that do not add up');
  const attribute = note.u32(COVERAGE_ATTRIBUTE_AT);
  return {
    chunkBytes: CHUNK_BYTES,
    chunks,
    stored,
    zero,
    missing,
    attribute,
    abort: note.u32(COVERAGE_ABORT_AT),
    ranges,
    pages: inChunks,
  };
}
