/**
 * Reads a core file: which memory it has, what is missing and why, and its notes. Memory that is not in the core is
 * never read as zero.
 *
 * [gABI] System V ABI 4.1: "ELF Header", "Program Header", "Note Section"
 */
import {
  NOTE_COVERAGE,
  NOTE_LOG,
  NOTE_PANIC,
  NOTE_SCRUBBED,
  NOTE_TRACE,
  PAGE_BYTES,
  SCRUB_BYTES,
  SCRUB_MAX,
} from '../../asm/layout.ts';
import { EM_ARM, NO_BOARD_ADDRESS } from './native.ts';
import { parseCoverage, parseLog, parsePanic, splitNotes } from './notes.ts';
import type { Coverage, Note, PanicNote } from './notes.ts';
import { type Scrubbed, scrubbedOf } from './records.ts';
import { Fields, Malformed } from './source.ts';
import type { Read } from './source.ts';

const FORMAT = 'core file';
const PT_LOAD = 1;
const PT_NOTE = 4;
const PHDRS_MAX = 0xfffe;
const NOTES_BYTES_MAX = 1 << 24;
const MEMORY_MAX = 2 ** 32;

/** A run of memory that the core has: the first `fileBytes` at `offset` in the file, the rest zero. */
export interface Segment {
  address: number;
  bytes: number;
  fileBytes: number;
  offset: number;
}

/** Memory that was asked for and is not in the core. */
export class MissingMemory extends Error {
  override readonly name = 'MissingMemory';
  readonly address: number;
  /** CODEC_LOST or MISSING_*; null when the core does not say. */
  readonly reason: number | null;

  constructor(address: number, reason: number | null) {
    super(`address 0x${address.toString(16)} is not in the core`);
    this.address = address;
    this.reason = reason;
  }
}

export class CoreFile {
  readonly is64: boolean;
  /** Of a native CPU: addresses of segments are its own, physical ones those of the board. */
  readonly isArm: boolean;
  /** By rising address; they do not overlap. */
  readonly segments: readonly Segment[];
  readonly notes: readonly Note[];
  readonly panic: PanicNote | null;
  readonly log: string | null;
  readonly trace: Fields | null;
  readonly coverage: Coverage | null;
  /** Regions that held secrets: zero here, and not because they were. */
  readonly scrubbed: readonly Scrubbed[];
  readonly #read: Read;

  /** Malformed when it is no ELF core, or one whose headers lie. `bytes` is the size of the whole file. */
  constructor(read: Read, bytes: number) {
    this.#read = read;
    const ident = Fields.read(FORMAT, read, 0, 16);
    if (ident.u32(0) !== 0x464c457f) ident.fail(0, 'not an ELF file');
    const kind = ident.u8(4);
    if (kind !== 1 && kind !== 2) ident.fail(4, 'neither ELF32 nor ELF64');
    if (ident.u8(5) !== 1) ident.fail(5, 'not little-endian');
    this.is64 = kind === 2;
    this.isArm = !this.is64 && Fields.read(FORMAT, read, 18, 2).u16(0) === EM_ARM;
    const phdrs = programHeaders(read, this.is64);
    this.segments = loads(phdrs, bytes, this.is64, this.isArm);
    this.notes = readNotes(
      read,
      phdrs.filter((p) => p.u32(0) === PT_NOTE),
      bytes,
      this.is64,
    );
    this.panic = this.#own(NOTE_PANIC, parsePanic);
    this.log = this.#own(NOTE_LOG, parseLog);
    this.trace = this.#own(NOTE_TRACE, (fields) => fields);
    this.coverage = this.#own(NOTE_COVERAGE, parseCoverage);
    this.scrubbed = this.#own(NOTE_SCRUBBED, scrubbedIn) ?? [];
  }

  #own<T>(type: number, parse: (fields: Fields) => T): T | null {
    const note = this.notes.find((n) => n.name === 'sparecore' && n.type === type);
    return note ? parse(note.fields) : null;
  }

  /** The memory from `address` on. MissingMemory for the first byte of it that is not in the core. */
  read(address: number, bytes: number): Uint8Array {
    this.#assertPresent(address, bytes);
    const out = new Uint8Array(bytes);
    for (let i = this.#firstEndingAfter(address); i < this.segments.length; i++) {
      const segment = this.segments[i]!;
      if (segment.address >= address + bytes) break;
      const first = Math.max(address, segment.address);
      const end = Math.min(address + bytes, segment.address + segment.fileBytes);
      if (first >= end) continue;
      const at = segment.offset + (first - segment.address);
      for (let done = 0; done < end - first; done += 1 << 20) {
        const piece = Fields.read(FORMAT, this.#read, at + done, Math.min(1 << 20, end - first - done));
        out.set(piece.bytes, first - address + done);
      }
    }
    return out;
  }

  /** Index of the first segment that ends after `address`. */
  #firstEndingAfter(address: number): number {
    let [low, high] = [0, this.segments.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const segment = this.segments[middle]!;
      if (segment.address + segment.bytes <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #assertPresent(address: number, bytes: number): void {
    let at = address;
    for (let i = this.#firstEndingAfter(address); i < this.segments.length; i++) {
      const segment = this.segments[i]!;
      if (at >= address + bytes || segment.address > at) break;
      at = Math.max(at, segment.address + segment.bytes);
    }
    if (at < address + bytes) throw new MissingMemory(at, this.reason(at));
  }

  /** Why memory at `address` is not in the core: CODEC_LOST or MISSING_*; null when the core does not say. */
  reason(address: number): number | null {
    const { coverage } = this;
    if (!coverage) return null;
    const chunk = Math.floor(address / coverage.chunkBytes);
    const page = Math.floor((address % coverage.chunkBytes) / PAGE_BYTES);
    const range =
      coverage.ranges.find((r) => chunk >= r.firstChunk && chunk < r.firstChunk + r.chunks) ??
      coverage.pages.find((each) => each.chunk === chunk && ((each.pages >> page) & 1) === 1);
    return range?.reason ?? null;
  }
}

function scrubbedIn(note: Fields): Scrubbed[] {
  const count = Math.floor(note.bytes.length / SCRUB_BYTES);
  if (count > SCRUB_MAX) note.fail(0, `${count} regions that were cleared`);
  return scrubbedOf(note, 0, count);
}

function programHeaders(read: Read, is64: boolean): Fields[] {
  const header = Fields.read(FORMAT, read, 0, is64 ? 64 : 52);
  if (header.u16(16) !== 4) header.fail(16, 'an ELF file, but not a core');
  const at = is64 ? header.size(32) : header.u32(28);
  const bytes = is64 ? 56 : 32;
  const entryBytes = header.u16(is64 ? 54 : 42);
  const count = header.u16(is64 ? 56 : 44);
  if (entryBytes !== bytes) header.fail(is64 ? 54 : 42, `program headers of ${entryBytes} bytes`);
  if (count < 1 || count > PHDRS_MAX) header.fail(is64 ? 56 : 44, `${count} program headers`);
  const all = Fields.read(FORMAT, read, at, count * bytes);
  return Array.from({ length: count }, (_, i) => all.part(i * bytes, bytes));
}

function loads(phdrs: readonly Fields[], fileEnd: number, is64: boolean, isArm: boolean): Segment[] {
  const segments: Segment[] = [];
  let end = 0;
  for (const p of phdrs) {
    if (p.u32(0) !== PT_LOAD || (isArm && p.u32(12) === NO_BOARD_ADDRESS)) continue;
    const segment = is64
      ? { address: p.size(16), bytes: p.size(40), fileBytes: p.size(32), offset: p.size(8) }
      : { address: p.u32(isArm ? 12 : 8), bytes: p.u32(20), fileBytes: p.u32(16), offset: p.u32(4) };
    if (segment.address < end) p.fail(0, 'segments that overlap or are out of order');
    end = segment.address + segment.bytes;
    if (end > MEMORY_MAX) p.fail(0, 'a segment past 4 GiB');
    if (segment.fileBytes > segment.bytes) p.fail(0, 'a segment larger in the file than in memory');
    if (segment.offset + segment.fileBytes > fileEnd) p.fail(0, 'a segment past the end of the file');
    segments.push(segment);
  }
  return segments;
}

function readNotes(read: Read, phdrs: readonly Fields[], fileEnd: number, is64: boolean): Note[] {
  const notes: Note[] = [];
  let sum = 0; // of all: many headers may point to the same bytes
  for (const p of phdrs) {
    const at = is64 ? p.size(8) : p.u32(4);
    const bytes = is64 ? p.size(32) : p.u32(16);
    if (at + bytes > fileEnd) p.fail(0, 'notes past the end of the file');
    sum += bytes;
    if (sum > NOTES_BYTES_MAX)
      throw new Malformed(FORMAT, p.at, `more than ${NOTES_BYTES_MAX} bytes of notes`);
    notes.push(...splitNotes(Fields.read(FORMAT, read, at, bytes)));
  }
  return notes;
}
