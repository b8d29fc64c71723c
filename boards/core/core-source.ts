/**
 * The memory in a core file.
 *
 * [core] Linux include/uapi/linux/elfcore.h: struct elf_prstatus
 */
import {
  CHUNK_BYTES,
  CODEC_RAW,
  CODEC_ZERO,
  NOTE_COVERAGE,
  NOTE_LOG,
  NOTE_PANIC,
  NOTE_TRACE,
} from '../../asm/layout.ts';
import type { CoreFile, Segment } from './core-file.ts';
import { MISSING_NO_RAM, MISSING_NOT_SAID, joined } from './memory-source.ts';
import { STATUS_PC_AT } from './native.ts';
import type { DumpFacts, MemorySource, Piece, Registers } from './memory-source.ts';
import type { Scrubbed } from './records.ts';
import type { Fields } from './source.ts';

const NT_PRSTATUS = 1;

export class CoreSource implements MemorySource {
  readonly kind = 'core file';
  readonly name: string;
  readonly core: CoreFile;
  readonly memoryBytes: number;
  readonly map: Uint8Array;
  readonly poisoned: ReadonlyMap<number, number>;
  readonly dump: DumpFacts | null;
  readonly scrubbed: readonly Scrubbed[];
  readonly problems: readonly string[] = [];
  readonly #close: () => void;

  constructor(core: CoreFile, name: string, close: () => void) {
    this.core = core;
    this.name = name;
    this.#close = close;
    this.memoryBytes = memoryBytesOf(core);
    this.poisoned = new Map(core.coverage?.pages.map(({ chunk, pages }) => [chunk, pages]));
    this.map = mapOf(core, Math.ceil(this.memoryBytes / CHUNK_BYTES));
    this.dump = factsOf(core);
    this.scrubbed = core.scrubbed;
  }

  note(type: number): Fields | null {
    if (![NOTE_PANIC, NOTE_LOG, NOTE_TRACE, NOTE_COVERAGE].includes(type)) return null;
    return this.core.notes.find((note) => note.name === 'sparecore' && note.type === type)?.fields ?? null;
  }

  async read(address: number, bytes: number): Promise<Piece[]> {
    const { core } = this;
    const end = address + bytes;
    const pieces: Piece[] = [];
    for (let at = address; at < end;) {
      const next = nextSegment(core.segments, at);
      if (next && next.address <= at) {
        const stop = Math.min(end, next.address + next.bytes);
        pieces.push({ address: at, bytes: stop - at, content: core.read(at, stop - at), reason: 0 });
        at = stop;
        continue;
      }
      const chunkEnd = (Math.floor(at / CHUNK_BYTES) + 1) * CHUNK_BYTES;
      const stop = at >= this.memoryBytes ? end : Math.min(end, next?.address ?? end, chunkEnd);
      const reason = at >= this.memoryBytes ? MISSING_NO_RAM : (core.reason(at) ?? MISSING_NOT_SAID);
      pieces.push({ address: at, bytes: stop - at, content: null, reason });
      at = stop;
    }
    return joined(pieces);
  }

  async registers(): Promise<Registers> {
    const status = this.core.notes.find(({ name, type }) => name === 'CORE' && type === NT_PRSTATUS)?.fields;
    const at = this.core.isArm ? STATUS_PC_AT : this.core.is64 ? 240 : 120;
    return { pc: status && status.bytes.length >= at + 4 ? status.u32(at) : (this.core.panic?.pc ?? 0) };
  }

  close(): void {
    this.#close();
  }
}

/** The segment that holds `address`, else the first one after it. */
function nextSegment(segments: readonly Segment[], address: number): Segment | undefined {
  let [low, high] = [0, segments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const { address: at, bytes } = segments[middle]!;
    if (at + bytes <= address) low = middle + 1;
    else high = middle;
  }
  return segments[low];
}

function memoryBytesOf({ coverage, segments }: CoreFile): number {
  if (coverage) return coverage.chunks * coverage.chunkBytes;
  const last = segments.at(-1);
  return last ? last.address + last.bytes : 0;
}

/** A chunk is stored when the file has some of it, zero when segments have all of it beyond their part of the file. */
function mapOf(core: CoreFile, chunks: number): Uint8Array {
  const map = new Uint8Array(chunks).fill(MISSING_NOT_SAID);
  for (const { firstChunk, chunks: count, reason } of core.coverage?.ranges ?? []) {
    map.fill(reason, firstChunk, firstChunk + count);
  }
  for (const { address, bytes, fileBytes } of core.segments) {
    const end = Math.floor((address + bytes) / CHUNK_BYTES);
    map.fill(CODEC_ZERO, Math.ceil(address / CHUNK_BYTES), end);
    map.fill(
      CODEC_RAW,
      Math.ceil(address / CHUNK_BYTES),
      Math.min(end, Math.ceil((address + fileBytes) / CHUNK_BYTES)),
    );
  }
  const inPages = new Set(core.coverage?.pages.map(({ chunk }) => chunk));
  if (inPages.size > 0) mapPages(core, map, inPages);
  if ((core.coverage?.zero ?? 0) > map.filter((state) => state === CODEC_ZERO).length)
    findZeros(core, map, inPages);
  return map;
}

/** A chunk with missing pages has a segment for each run of the others. */
function mapPages(core: CoreFile, map: Uint8Array, inPages: ReadonlySet<number>): void {
  for (const chunk of inPages) map[chunk] = MISSING_NOT_SAID;
  for (const { address, fileBytes } of core.segments) {
    const chunk = Math.floor(address / CHUNK_BYTES);
    if (!inPages.has(chunk)) continue;
    if (fileBytes > 0) map[chunk] = CODEC_RAW;
    else if (map[chunk] !== CODEC_RAW) map[chunk] = CODEC_ZERO;
  }
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** Short runs of zero chunks are stored, so that there are fewer segments. */
function findZeros(core: CoreFile, map: Uint8Array, inPages: ReadonlySet<number>): void {
  for (const [chunk, state] of map.entries()) {
    if (state !== CODEC_RAW || inPages.has(chunk)) continue;
    const at = chunk * CHUNK_BYTES;
    if (isZero(core.read(at, 512)) && isZero(core.read(at, CHUNK_BYTES))) map[chunk] = CODEC_ZERO;
  }
}

function factsOf({ coverage, panic }: CoreFile): DumpFacts | null {
  if (!coverage) return null;
  return {
    attribute: coverage.attribute,
    abort: coverage.abort,
    system: panic?.system ?? null,
    epoch: panic?.epoch ?? null,
    build: panic?.build ?? null,
    reason: panic?.reason ?? null,
    utcSeconds: panic?.utcSeconds ?? null,
    failedUs: panic ? Number(panic.timeUs) : null,
    startedUs: null,
    endedUs: null,
    limitMs: null,
    saved: true,
    order: [],
  };
}
