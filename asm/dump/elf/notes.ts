/**
 * The notes of a core file: two that every debugger looks for, the caller's, and the coverage of the memory. They are
 * put out through a window, so that no buffer need hold them all.
 *
 * [gABI] System V ABI 4.1: "Note Section"
 * [core] Linux include/uapi/linux/elfcore.h: struct elf_prstatus, struct elf_prpsinfo
 */
import {
  CHUNK_BYTES,
  CODEC_ZERO,
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
  MISSING_POISONED,
  NOTE_COVERAGE,
  RANGE_BYTES,
} from '../../layout';
import { Elf, SLOT, SPARE, is_missing, poison_of } from './plan';
import { SCRATCH, put } from './window';

const NT_PRSTATUS: u32 = 1;
const NT_PRPSINFO: u32 = 3;
/** Both names take 12 bytes of a note's head and of padding: "CORE" 8, "sparecore" 12. */
const HEAD: u32 = 12;
const CORE = memory.data<u8>([0x43, 0x4f, 0x52, 0x45, 0, 0, 0, 0]);
const OWN = memory.data<u8>([0x73, 0x70, 0x61, 0x72, 0x65, 0x63, 0x6f, 0x72, 0x65, 0, 0, 0]);
const CORE_BYTES: u32 = 5;
const OWN_BYTES: u32 = 10;

/** A note of the caller's: type, bytes, address. They lie behind the fields of the state. */
export const NOTE_SLOT_BYTES: u32 = 12;

export function note_slot(e: Elf, i: u32): usize {
  return changetype<usize>(e) + offsetof<Elf>() + i * NOTE_SLOT_BYTES;
}

function align4(n: u32): u32 {
  return (n + 3) & ~3;
}

function prstatus_bytes(e: Elf): u32 {
  return e.is64 ? 336 : 144;
}

function prpsinfo_bytes(e: Elf): u32 {
  return e.is64 ? 136 : 124;
}

/** Runs of missing chunks with one reason, and chunks with missing pages. */
function count_ranges(e: Elf): u32 {
  let count: u32 = 0;
  let before: u32 = CODEC_ZERO;
  for (let i: u32 = 0; i < e.chunks; i++) {
    const value = (<u32>load<u8>(e.map + i)) & ~SLOT;
    if ((is_missing(value) && value != before) || poison_of(e, i)) count++;
    before = value;
  }
  return count;
}

/** Bytes of all notes, and of SPARE more ranges: each chunk found missing later adds one at most. */
export function notes_room(e: Elf): u32 {
  return notes_bytes(e) + SPARE * RANGE_BYTES;
}

export function notes_bytes(e: Elf): u32 {
  let bytes = 2 * (HEAD + align4(CORE_BYTES)) + prstatus_bytes(e) + prpsinfo_bytes(e);
  for (let i: u32 = 0; i < e.notes; i++)
    bytes += HEAD + align4(OWN_BYTES) + align4(load<u32>(note_slot(e, i), 4));
  return bytes + HEAD + align4(OWN_BYTES) + COVERAGE_RANGE_AT + count_ranges(e) * RANGE_BYTES;
}

/** Puts out all notes from file offset `at` on. */
export function put_notes(e: Elf, at: u32): void {
  at = put_status(e, at);
  at = put_info(e, at);
  for (let i: u32 = 0; i < e.notes; i++) {
    const slot = note_slot(e, i);
    const bytes = load<u32>(slot, 4);
    at = put_head(at, OWN, OWN_BYTES, bytes, load<u32>(slot));
    put(at, load<usize>(slot, 8), bytes);
    at += align4(bytes);
  }
  put_coverage(e, at);
}

function put_head(at: u32, name: usize, nameBytes: u32, bytes: u32, type: u32): u32 {
  store<u32>(SCRATCH, nameBytes);
  store<u32>(SCRATCH, bytes, 4);
  store<u32>(SCRATCH, type, 8);
  put(at, SCRATCH, HEAD);
  put(at + HEAD, name, align4(nameBytes));
  return at + HEAD + align4(nameBytes);
}

/** Signal, process and program counter; wasm has no other registers. */
function put_status(e: Elf, at: u32): u32 {
  const bytes = prstatus_bytes(e);
  at = put_head(at, CORE, CORE_BYTES, bytes, NT_PRSTATUS);
  memory.fill(SCRATCH, 0, bytes);
  store<u32>(SCRATCH, e.signal);
  store<u16>(SCRATCH, e.signal, 12);
  if (e.is64) {
    store<u32>(SCRATCH, e.pid, 32);
    store<u64>(SCRATCH, e.pc, 240); // rip
  } else {
    store<u32>(SCRATCH, e.pid, 24);
    store<u32>(SCRATCH, e.pc, 120); // eip
  }
  put(at, SCRATCH, bytes);
  return at + bytes;
}

function put_info(e: Elf, at: u32): u32 {
  const bytes = prpsinfo_bytes(e);
  at = put_head(at, CORE, CORE_BYTES, bytes, NT_PRPSINFO);
  memory.fill(SCRATCH, 0, bytes);
  store<u8>(SCRATCH, 0x52, 1); // "R", running
  store<u32>(SCRATCH + (e.is64 ? 24 : 12), e.pid);
  const name = SCRATCH + (e.is64 ? 40 : 28);
  store<u64>(name, e.name0);
  store<u64>(name, e.name1, 8);
  store<u64>(name, e.name0, 16); // the arguments too: tools show the one or the other
  store<u64>(name, e.name1, 24);
  put(at, SCRATCH, bytes);
  return at + bytes;
}

function put_coverage(e: Elf, at: u32): void {
  const ranges = count_ranges(e);
  at = put_head(at, OWN, OWN_BYTES, COVERAGE_RANGE_AT + ranges * RANGE_BYTES, NOTE_COVERAGE);
  memory.fill(SCRATCH, 0, COVERAGE_RANGE_AT);
  store<u32>(SCRATCH + COVERAGE_VERSION_AT, COVERAGE_VERSION);
  store<u32>(SCRATCH + COVERAGE_CHUNK_BYTES_AT, CHUNK_BYTES);
  store<u32>(SCRATCH + COVERAGE_CHUNKS_AT, e.chunks);
  let zero: u32 = 0;
  let missing: u32 = 0;
  for (let i: u32 = 0; i < e.chunks; i++) {
    const value: u32 = load<u8>(e.map + i);
    if (value == CODEC_ZERO) zero++;
    else if (is_missing(value)) missing++;
  }
  store<u32>(SCRATCH + COVERAGE_STORED_AT, e.chunks - zero - missing);
  store<u32>(SCRATCH + COVERAGE_ZERO_AT, zero);
  store<u32>(SCRATCH + COVERAGE_MISSING_AT, missing);
  store<u32>(SCRATCH + COVERAGE_RANGES_AT, ranges);
  store<u32>(SCRATCH + COVERAGE_ATTRIBUTE_AT, e.attribute);
  store<u32>(SCRATCH + COVERAGE_ABORT_AT, e.abort);
  put(at, SCRATCH, COVERAGE_RANGE_AT);
  put_ranges(e, at + COVERAGE_RANGE_AT);
}

function put_ranges(e: Elf, at: u32): void {
  for (let i: u32 = 0; i < e.chunks;) {
    const first = i;
    const reason = (<u32>load<u8>(e.map + i)) & ~SLOT;
    const pages = poison_of(e, i);
    if (!is_missing(reason)) {
      if (pages) at = put_range(at, first, 1, MISSING_POISONED, pages);
      i++;
      continue;
    }
    while (i < e.chunks && ((<u32>load<u8>(e.map + i)) & ~SLOT) == reason) i++;
    at = put_range(at, first, i - first, reason, 0);
  }
}

function put_range(at: u32, first: u32, chunks: u32, reason: u32, pages: u32): u32 {
  store<u32>(SCRATCH, first);
  store<u32>(SCRATCH, chunks, 4);
  store<u32>(SCRATCH, reason, 8);
  store<u32>(SCRATCH, pages, 12);
  put(at, SCRATCH, RANGE_BYTES);
  return at + RANGE_BYTES;
}
