/**
 * The core file that savecore makes of a dump: ELF32 for i386, or ELF64 for x86-64 where the memory is 4 GiB or the
 * file too large for 32 bits. A segment lies at its wasm address. Use:
 *
 *   elf_begin, elf_task, elf_note..., elf_plan
 *   while (elf_next(state) != ELF_END) put a chunk, or zeros, at elf_piece_offset; elf_miss when it cannot be had
 *   elf_head in pieces of any size, from offset 0 to elf_head_bytes; last, because elf_miss changes it
 *
 * The chunk map (a byte a chunk, see MISSING_UNREACHED in the layout) stays the caller's and is read until the end.
 *
 * [gABI] System V ABI 4.1: "ELF Header", "Program Header"
 */
import { CHUNK_BYTES, CODEC_ZERO, PAGE_BYTES } from '../layout';
import {
  Elf,
  NOTES_MAX,
  SLOT,
  SPARE,
  count_loads,
  is_missing,
  next_load,
  next_slot,
  plan_loads,
  rewind_loads,
  rewind_pieces,
} from './elf/plan';
import { note_slot, notes_bytes, notes_room, put_notes } from './elf/notes';
import { SCRATCH, open_window, put } from './elf/window';

export const ELF_STATE_BYTES = 256;
/** What elf_next found. */
export const ELF_END = 0;
export const ELF_CHUNK = 1; // the content of chunk elf_piece_chunk
export const ELF_ZEROS = 2; // CHUNK_BYTES of zeros

const ET_CORE: u32 = 4;
const EM_386: u32 = 3;
const EM_X86_64: u32 = 62;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const PF_R: u32 = 4;
const PF_RW: u32 = 6;

/**
 * Starts a core of a memory of `chunks` (1 to 65,536) chunks, of which `map` tells where each one is. ATTRIBUTE_* and
 * ABORT_* of the dump go into the coverage note.
 */
export function elf_begin(state: usize, map: usize, chunks: u32, attribute: u32, abort: u32): void {
  memory.fill(state, 0, ELF_STATE_BYTES);
  const e = changetype<Elf>(state);
  e.map = map;
  e.chunks = chunks;
  e.attribute = attribute;
  e.abort = abort;
}

/**
 * What the standard notes say: process `pid`, stopped by `signal` at `pc`, of a program called by the `nameBytes`
 * (at most 15) bytes of ASCII at `name`.
 */
export function elf_task(state: usize, pid: u32, signal: u32, pc: u32, name: usize, nameBytes: u32): void {
  const e = changetype<Elf>(state);
  e.pid = pid;
  e.signal = signal;
  e.pc = pc;
  memory.copy(state + offsetof<Elf>('name0'), name, min<u32>(nameBytes, 15));
}

/** Adds a note NOTE_* of `bytes` bytes, read at `ptr` whenever elf_head is called. False when there are 8. */
export function elf_note(state: usize, type: u32, ptr: usize, bytes: u32): bool {
  const e = changetype<Elf>(state);
  if (e.notes >= NOTES_MAX) return false;
  const slot = note_slot(e, e.notes++);
  store<u32>(slot, type);
  store<u32>(slot, bytes, 4);
  store<usize>(slot, ptr, 8);
  return true;
}

/**
 * Tells which pages are missing in chunks that are there: a u16 a chunk, bit n for page n, read until the end. A chunk
 * of nothing but missing pages is none that is there.
 */
export function elf_poison(state: usize, poison: usize): void {
  changetype<Elf>(state).poison = poison;
}

/** Lays the file out. The file's size and place of each chunk are final after this. */
export function elf_plan(state: usize): void {
  const e = changetype<Elf>(state);
  e.headBytes = 0;
  e.missed = 0;
  plan_loads(e);
  e.is64 = 0;
  lay_head(e);
  e.is64 = e.chunks >= 65536 || elf_file_bytes(state) > 0xffffffff ? 1 : 0;
  lay_head(e);
  rewind_pieces(e);
}

function lay_head(e: Elf): void {
  e.notesAt = ehdr_bytes(e) + (e.loads + 1 + SPARE) * phdr_bytes(e);
  e.headBytes = (e.notesAt + notes_room(e) + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

/** Bytes of the head: all before the first chunk, a multiple of 4,096. */
export function elf_head_bytes(state: usize): u32 {
  return changetype<Elf>(state).headBytes;
}

export function elf_file_bytes(state: usize): u64 {
  const e = changetype<Elf>(state);
  return e.headBytes + <u64>e.slots * CHUNK_BYTES;
}

/** 1 for ELF64. */
export function elf_is_64(state: usize): u32 {
  return changetype<Elf>(state).is64;
}

/** Finds the next piece in file order: ELF_CHUNK, ELF_ZEROS or ELF_END. Each is CHUNK_BYTES long. */
export function elf_next(state: usize): u32 {
  const e = changetype<Elf>(state);
  if (!next_slot(e)) return ELF_END;
  const value: u32 = load<u8>(e.map + e.piece);
  return value == CODEC_ZERO || is_missing(value) ? ELF_ZEROS : ELF_CHUNK;
}

/** Starts elf_next over. */
export function elf_rewind(state: usize): void {
  rewind_pieces(changetype<Elf>(state));
}

export function elf_piece_chunk(state: usize): u32 {
  return changetype<Elf>(state).piece;
}

export function elf_piece_offset(state: usize): u64 {
  return changetype<Elf>(state).pieceOffset;
}

/**
 * Takes a stored chunk out of the core after the plan, for MISSING_*: its slot in the file stays unused. False when
 * 64 have been taken out, or it is not a stored chunk: then plan anew with the map changed.
 */
export function elf_miss(state: usize, chunk: u32, reason: u32): bool {
  const e = changetype<Elf>(state);
  if (e.missed >= SPARE || chunk >= e.chunks) return false;
  const value: u32 = load<u8>(e.map + chunk);
  if (value == CODEC_ZERO || is_missing(value)) return false;
  store<u8>(e.map + chunk, <u8>(reason | SLOT));
  e.missed++;
  return true;
}

/** Fills `buf` with the head's `bytes` bytes from `offset` on; what is past the head's end is 0. */
export function elf_head(state: usize, buf: usize, offset: u32, bytes: u32): void {
  const e = changetype<Elf>(state);
  open_window(buf, offset, bytes);
  if (offset >= e.headBytes) return;
  const loads = count_loads(e);
  put_ehdr(e, loads + 1);
  let at = ehdr_bytes(e);
  put_phdr(e, at, PT_NOTE, PF_R, e.notesAt, 0, notes_bytes(e), 0, 4);
  for (rewind_loads(e); next_load(e);) {
    at += phdr_bytes(e);
    const address = <u64>e.first * PAGE_BYTES;
    const file = <u64>e.file * PAGE_BYTES;
    put_phdr(e, at, PT_LOAD, PF_RW, e.offset, address, file, <u64>e.memory * PAGE_BYTES, PAGE_BYTES);
  }
  put_notes(e, e.notesAt);
}

function ehdr_bytes(e: Elf): u32 {
  return e.is64 ? 64 : 52;
}

function phdr_bytes(e: Elf): u32 {
  return e.is64 ? 56 : 32;
}

function put_ehdr(e: Elf, phdrs: u32): void {
  const bytes = ehdr_bytes(e);
  memory.fill(SCRATCH, 0, bytes);
  store<u32>(SCRATCH, 0x464c457f); // 7Fh "ELF"
  store<u8>(SCRATCH, e.is64 ? 2 : 1, 4); // EI_CLASS
  store<u8>(SCRATCH, 1, 5); // EI_DATA: little-endian
  store<u8>(SCRATCH, 1, 6); // EI_VERSION
  store<u16>(SCRATCH, ET_CORE, 16);
  store<u16>(SCRATCH, e.is64 ? EM_X86_64 : EM_386, 18);
  store<u32>(SCRATCH, 1, 20);
  store<u32>(SCRATCH + (e.is64 ? 32 : 28), bytes); // e_phoff
  const sizes = SCRATCH + (e.is64 ? 52 : 40); // e_ehsize, e_phentsize, e_phnum
  store<u16>(sizes, bytes);
  store<u16>(sizes, phdr_bytes(e), 2);
  store<u16>(sizes, phdrs, 4);
  put(0, SCRATCH, bytes);
}

function put_phdr(
  e: Elf,
  at: u32,
  type: u32,
  flags: u32,
  offset: u64,
  address: u64,
  fileBytes: u64,
  memoryBytes: u64,
  align: u32,
): void {
  store<u32>(SCRATCH, type);
  if (e.is64) {
    store<u32>(SCRATCH, flags, 4);
    store<u64>(SCRATCH, offset, 8);
    store<u64>(SCRATCH, address, 16);
    store<u64>(SCRATCH, 0, 24);
    store<u64>(SCRATCH, fileBytes, 32);
    store<u64>(SCRATCH, memoryBytes, 40);
    store<u64>(SCRATCH, align, 48);
  } else {
    store<u32>(SCRATCH, <u32>offset, 4);
    store<u32>(SCRATCH, <u32>address, 8);
    store<u32>(SCRATCH, 0, 12);
    store<u32>(SCRATCH, <u32>fileBytes, 16);
    store<u32>(SCRATCH, <u32>memoryBytes, 20);
    store<u32>(SCRATCH, flags, 24);
    store<u32>(SCRATCH, align, 28);
  }
  put(at, SCRATCH, phdr_bytes(e));
}
