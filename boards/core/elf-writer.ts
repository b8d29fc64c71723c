/**
 * Makes a core file of any memory, on the host: what savecore does on a board. ELF32 for i386, or ELF64 for x86-64 where
 * the memory is 4 GiB or the file is too large for 32 bits; a segment lies at its wasm address. Of a native CPU that left
 * its registers it is ELF32 for that one: segments lie where the CPU has them, and their physical address is the wasm one.
 *
 * [gABI] System V ABI 4.1: "ELF Header", "Program Header", "Note Section"
 * [core] Linux include/uapi/linux/elfcore.h: struct elf_prstatus, struct elf_prpsinfo
 */
import {
  ABORT_NONE,
  ATTRIBUTE_INACTIVE,
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
  NOTE_LOG,
  NOTE_PANIC,
  NOTE_SCRUBBED,
  NOTE_TRACE,
  PAGE_BYTES,
  RANGE_BYTES,
  SCRUB_BYTES,
} from '../../asm/layout.ts';
import {
  LOG_AT,
  LOG_BYTES,
  RECORD_AT,
  RECORD_BYTES,
  RECORD_MAGIC,
  TRACE_AT,
  TRACE_BYTES,
} from '../../firmware/layout.ts';
import {
  EF_ARM_EABI5,
  EM_ARM,
  NO_BOARD_ADDRESS,
  type NativeState,
  armStatus,
  nativeState,
} from './native.ts';
import { isMissing, missingRuns, pageRuns, readWhole } from './memory-source.ts';
import type { MemorySource } from './memory-source.ts';
import { panicOf } from './epitaph.ts';
import { Fields, Malformed } from './source.ts';

const SIGABRT = 6;
const NT_PRSTATUS = 1;
const NT_PRPSINFO = 3;
/** Shorter runs of zero chunks take room in the file, a hole: file(1) reads 2,048 program headers at most. */
const ZEROS_MIN = 8;
/** The rest of a core's program headers is for its notes and a native stack. */
const LOADS_MAX = 0xfffc;

export interface Write {
  (at: number, bytes: Uint8Array): void;
}

interface Load {
  address: number;
  fileBytes: number;
  bytes: number;
  offset: number;
}

interface Plan {
  loads: Load[];
  /** Chunks in the file, in its order: each has a slot. */
  slots: number[];
}

/**
 * Writes the core through `write` (what is not written is zero) and returns its size and its map. All memory is read
 * twice: what turns out to be missing at first is left out of the plan.
 */
export async function writeCore(
  source: MemorySource,
  write: Write,
): Promise<{ bytes: number; map: Uint8Array }> {
  const map = await survey(source);
  const { loads, slots } = plan(source, map);
  if (loads.length > LOADS_MAX)
    throw new Malformed('core file', 0, `${loads.length} runs of memory, and it has room for ${LOADS_MAX}`);
  const panic = await panicOf(source);
  const own = await ownNotes(source);
  const record = own.find(({ type }) => type === NOTE_PANIC)?.bytes;
  const task: Task = {
    pc: (await source.registers()).pc,
    pid: panic === null || panic === 'none' ? (source.dump?.system ?? 1) : panic.system,
    own,
    coverage: coverageOf(source, map),
    native: record === undefined ? null : nativeState(record, map.length * CHUNK_BYTES),
  };
  const roomOf = (is64: boolean): number => {
    const bytes = (is64 ? 64 : 52) + (loads.length + 2) * (is64 ? 56 : 32) + notesOf(is64, task).length;
    return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
  };
  const is64 = map.length >= 65536 || roomOf(false) + slots.length * CHUNK_BYTES > 0xffffffff;
  const head = roomOf(is64);
  for (const load of loads) load.offset += head;
  await copy(source, map, slots, head, write);
  write(0, headBytes(is64, segmentsOf(loads, is64 ? null : task.native), task));
  return { bytes: head + slots.length * CHUNK_BYTES, map };
}

/** The map as it is once every stored chunk has been read and checked; one with poisoned pages is there. */
export async function survey(source: MemorySource): Promise<Uint8Array> {
  const map = Uint8Array.from(source.map);
  for (const [chunk, state] of map.entries()) {
    if (isMissing(state) || state === CODEC_ZERO) continue;
    const pieces = await source.read(chunk * CHUNK_BYTES, CHUNK_BYTES);
    const gap = pieces.find(({ content, reason }) => content === null && reason !== MISSING_POISONED);
    map[chunk] = gap?.reason ?? state;
  }
  return map;
}

/**
 * Runs of stored chunks, each with the zero chunks that follow it; of a chunk with poisoned pages, the runs of the
 * others.
 */
function plan({ poisoned }: MemorySource, map: Uint8Array): Plan {
  const loads: Load[] = [];
  const slots: number[] = [];
  const isWhole = (chunk: number): boolean =>
    chunk < map.length && !isMissing(map[chunk]!) && !poisoned.has(chunk);
  for (let at = 0; at < map.length;) {
    const offset = slots.length * CHUNK_BYTES;
    if (!isWhole(at)) {
      if (!isMissing(map[at]!)) loads.push(...loadsOf(at, poisoned.get(at) ?? 0, map[at]!, offset));
      if (!isMissing(map[at]!) && map[at] !== CODEC_ZERO) slots.push(at);
      at++;
      continue;
    }
    const first = at;
    let file = 0;
    for (; isWhole(at); at++) {
      if (map[at] === CODEC_ZERO) continue;
      const zeros = at - first - file;
      if (zeros >= ZEROS_MIN) break;
      for (let slot = first + file; slot <= at; slot++) slots.push(slot);
      file = at + 1 - first;
    }
    const bytes = (at - first) * CHUNK_BYTES;
    loads.push({ address: first * CHUNK_BYTES, fileBytes: file * CHUNK_BYTES, bytes, offset });
  }
  return { loads, slots };
}

function loadsOf(chunk: number, poison: number, state: number, at: number): Load[] {
  return pageRuns(poison)
    .filter(({ isPoisoned }) => !isPoisoned)
    .map(({ offset, bytes }) => ({
      address: chunk * CHUNK_BYTES + offset,
      fileBytes: state === CODEC_ZERO ? 0 : bytes,
      bytes,
      offset: state === CODEC_ZERO ? at : at + offset,
    }));
}

async function copy(
  source: MemorySource,
  map: Uint8Array,
  slots: readonly number[],
  head: number,
  write: Write,
): Promise<void> {
  for (const [i, chunk] of slots.entries()) {
    if (map[chunk] === CODEC_ZERO) continue;
    for (const { address, content, reason } of await source.read(chunk * CHUNK_BYTES, CHUNK_BYTES)) {
      if (content !== null) write(head + i * CHUNK_BYTES + address - chunk * CHUNK_BYTES, content);
      else if (reason !== MISSING_POISONED || !source.poisoned.has(chunk))
        throw new Malformed('dump image', address, 'gone since it was read a moment ago');
    }
  }
}

interface OwnNote {
  type: number;
  bytes: Uint8Array;
}

/** The record and the rings, where they are there. */
async function ownNotes(source: MemorySource): Promise<OwnNote[]> {
  const notes: OwnNote[] = [];
  for (const [type, at, bytes] of [
    [NOTE_PANIC, RECORD_AT, RECORD_BYTES],
    [NOTE_LOG, LOG_AT, LOG_BYTES],
    [NOTE_TRACE, TRACE_AT, TRACE_BYTES],
  ] as const) {
    const found = source.note(type)?.bytes ?? (await readWhole(source, at, bytes));
    if (found === null) continue;
    if (type === NOTE_PANIC && new Fields('core file', 0, found).u32(0) !== RECORD_MAGIC) continue;
    notes.push({ type, bytes: found });
  }
  if (source.scrubbed.length > 0) notes.push({ type: NOTE_SCRUBBED, bytes: scrubbedBytes(source.scrubbed) });
  return notes;
}

function scrubbedBytes(scrubbed: MemorySource['scrubbed']): Uint8Array {
  const out = Buffer.alloc(scrubbed.length * SCRUB_BYTES);
  for (const [i, { address, bytes, kind }] of scrubbed.entries()) {
    out.writeUInt32LE(address, i * SCRUB_BYTES);
    out.writeUInt32LE(bytes, i * SCRUB_BYTES + 4);
    out.writeUInt32LE(kind, i * SCRUB_BYTES + 8);
  }
  return out;
}

interface Task {
  pc: number;
  pid: number;
  own: readonly OwnNote[];
  coverage: Uint8Array;
  native: NativeState | null;
}

interface ElfSegment {
  offset: number;
  address: number;
  physical: number;
  fileBytes: number;
  bytes: number;
  align: number;
}

function segmentsOf(loads: readonly Load[], native: NativeState | null): ElfSegment[] {
  const segments = loads.map(({ address, fileBytes, bytes, offset }) => ({
    offset,
    address: (native?.ram ?? 0) + address,
    physical: native === null ? 0 : address,
    fileBytes,
    bytes,
    align: PAGE_BYTES,
  }));
  const stack = native?.stack ?? null;
  if (stack === null) return segments;
  const { address, bytes, copyAt } = stack;
  const load = loads.find(
    (each) => copyAt >= each.address && copyAt + bytes <= each.address + each.fileBytes,
  );
  if (load === undefined) return segments;
  const offset = load.offset + copyAt - load.address;
  return [
    ...segments,
    { offset, address, physical: NO_BOARD_ADDRESS, fileBytes: bytes, bytes, align: 1 },
  ].toSorted((a, b) => a.address - b.address);
}

function notesOf(is64: boolean, { pc, pid, own, coverage, native }: Task): Uint8Array {
  let status = Buffer.alloc(is64 ? 336 : 144);
  status.writeUInt32LE(SIGABRT, 0);
  status.writeUInt16LE(SIGABRT, 12);
  status.writeUInt32LE(pid >>> 0, is64 ? 32 : 24);
  status.writeUInt32LE(pc >>> 0, is64 ? 240 : 120); // rip, eip
  if (native !== null && !is64) status = Buffer.from(armStatus(native, SIGABRT, pid));
  const info = Buffer.alloc(is64 ? 136 : 124);
  info.write('R', 1, 'latin1');
  info.writeUInt32LE(pid >>> 0, is64 ? 24 : 12);
  info.write('sparecore', is64 ? 40 : 28, 'latin1');
  info.write('sparecore', is64 ? 56 : 44, 'latin1');
  return Buffer.concat([
    note('CORE', NT_PRSTATUS, status),
    note('CORE', NT_PRPSINFO, info),
    ...own.map(({ type, bytes }) => note('sparecore', type, bytes)),
    note('sparecore', NOTE_COVERAGE, coverage),
  ]);
}

const padded = (n: number): number => (n + 3) & ~3;

function note(name: string, type: number, bytes: Uint8Array): Uint8Array {
  const out = Buffer.alloc(12 + padded(name.length + 1) + padded(bytes.length));
  out.writeUInt32LE(name.length + 1, 0);
  out.writeUInt32LE(bytes.length, 4);
  out.writeUInt32LE(type >>> 0, 8);
  out.write(name, 12, 'latin1');
  out.set(bytes, 12 + padded(name.length + 1));
  return out;
}

export function coverageOf({ dump, poisoned }: MemorySource, map: Uint8Array): Uint8Array {
  const ranges = [
    ...missingRuns(map).map((run) => ({ ...run, pages: 0 })),
    ...[...poisoned]
      .filter(([chunk]) => !isMissing(map[chunk]!))
      .map(([first, pages]) => ({ first, chunks: 1, reason: MISSING_POISONED, pages })),
  ].toSorted((a, b) => a.first - b.first);
  const out = Buffer.alloc(COVERAGE_RANGE_AT + ranges.length * RANGE_BYTES);
  const zero = map.filter((state) => state === CODEC_ZERO).length;
  const missing = map.filter(isMissing).length;
  const put = (at: number, value: number): void => void out.writeUInt32LE(value, at);
  put(COVERAGE_VERSION_AT, COVERAGE_VERSION);
  put(COVERAGE_CHUNK_BYTES_AT, CHUNK_BYTES);
  put(COVERAGE_CHUNKS_AT, map.length);
  put(COVERAGE_STORED_AT, map.length - zero - missing);
  put(COVERAGE_ZERO_AT, zero);
  put(COVERAGE_MISSING_AT, missing);
  put(COVERAGE_RANGES_AT, ranges.length);
  put(COVERAGE_ATTRIBUTE_AT, dump?.attribute ?? ATTRIBUTE_INACTIVE);
  put(COVERAGE_ABORT_AT, dump?.abort ?? ABORT_NONE);
  for (const [i, { first, chunks, reason, pages }] of ranges.entries()) {
    const at = COVERAGE_RANGE_AT + i * RANGE_BYTES;
    put(at, first);
    put(at + 4, chunks);
    put(at + 8, reason);
    put(at + 12, pages);
  }
  return out;
}

function headBytes(is64: boolean, segments: readonly ElfSegment[], task: Task): Uint8Array {
  const notes = notesOf(is64, task);
  const arm = task.native !== null && !is64;
  const [ehdr, phdr] = is64 ? [64, 56] : [52, 32];
  const notesAt = ehdr + (segments.length + 1) * phdr;
  const out = Buffer.alloc(notesAt + notes.length);
  out.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, 1, 1]);
  out.writeUInt16LE(4, 16); // ET_CORE
  out.writeUInt16LE(arm ? EM_ARM : is64 ? 62 : 3, 18); // EM_X86_64, EM_386
  if (arm) out.writeUInt32LE(EF_ARM_EABI5, 36);
  out.writeUInt32LE(1, 20);
  out.writeUInt32LE(ehdr, is64 ? 32 : 28); // e_phoff
  out.writeUInt16LE(ehdr, is64 ? 52 : 40);
  out.writeUInt16LE(phdr, is64 ? 54 : 42);
  out.writeUInt16LE(segments.length + 1, is64 ? 56 : 44);
  const put = (i: number, type: number, flags: number, values: readonly number[]): void => {
    const at = ehdr + i * phdr;
    out.writeUInt32LE(type, at);
    if (is64) {
      out.writeUInt32LE(flags, at + 4);
      for (const [n, value] of values.entries()) out.writeBigUInt64LE(BigInt(value), at + 8 + n * 8);
      return;
    }
    for (const [n, value] of values.slice(0, 5).entries()) out.writeUInt32LE(value, at + 4 + n * 4);
    out.writeUInt32LE(flags, at + 24);
    out.writeUInt32LE(values[5]!, at + 28);
  };
  // Offset, virtual and physical address, bytes in the file and in memory, alignment.
  put(0, 4, 4, [notesAt, 0, 0, notes.length, 0, 4]);
  for (const [i, { offset, address, physical, fileBytes, bytes, align }] of segments.entries())
    put(i + 1, 1, 6, [offset, address, physical, fileBytes, bytes, align]);
  out.set(notes, notesAt);
  return out;
}
