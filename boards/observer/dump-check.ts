/**
 * Invariant 4: at the panic a checksum of each chunk of RAM is taken; when the dump is over its image is read from the
 * medium and compared, byte by byte while RAM is still there, else by checksum.
 */
import * as L from '../../asm/layout.ts';
import { WORK_AT, WORK_BYTES } from '../../firmware/layout.ts';
import { DumpImage, isPresent } from '../core/image.ts';
import { lz4Decode } from '../core/lz4.ts';
import { poisonOf } from '../core/image-source.ts';
import { pageRuns, poisonedPages } from '../core/memory-source.ts';
import type { CoreFile } from '../core/core-file.ts';
import { Malformed, type Read } from '../core/source.ts';
import type { Medium } from '../shelf/medium.ts';
import type { DeviceServers } from '../shelf/server.ts';

export interface DumpReport {
  total: number;
  zero: number;
  stored: number;
  lost: number;
  missing: number;
  /** Left out, because RAM there could not be read. */
  poisoned: number;
  /** Pages that are missing for the same reason in chunks that are there. */
  poisonedPages: number;
  /** Stored encrypted: nobody here can compare them. */
  sealed: number;
  storedBytes: number;
  attribute: number;
  abort: number;
  /** Chunks marked present that are not as they were. */
  wrong: number[];
}

/** Checksums of memory as it was when the panic handler froze it, but that a poisoned page counts as zeros. */
export class FrozenMemory {
  readonly sums: Uint32Array;
  readonly bytes: number;
  /** Chunks with a poisoned page: which pages, bit n for page n. */
  readonly poisoned: ReadonlyMap<number, number>;
  readonly #servers: DeviceServers;

  constructor(ram: Uint8Array, servers: DeviceServers, poison: readonly number[] = []) {
    this.#servers = servers;
    const poisoned = new Map<number, number>();
    for (const page of poison) {
      const chunk = Math.floor(page / L.CHUNK_PAGES);
      poisoned.set(chunk, (poisoned.get(chunk) ?? 0) | (1 << (page % L.CHUNK_PAGES)));
    }
    this.poisoned = poisoned;
    this.bytes = ram.length;
    this.sums = new Uint32Array(ram.length / L.CHUNK_BYTES);
    for (let chunk = 0; chunk < this.sums.length; chunk++) {
      this.sums[chunk] = servers.crc32c(this.#chunkOf(ram, chunk));
    }
  }

  /** A chunk of RAM as a dump has it. */
  #chunkOf(ram: Uint8Array, chunk: number): Uint8Array {
    const memory = chunkOf(ram, chunk);
    const poison = this.poisoned.get(chunk) ?? 0;
    if (poison === 0) return memory;
    const mended = memory.slice();
    for (const { offset, bytes, isPoisoned } of pageRuns(poison))
      if (isPoisoned) mended.fill(0, offset, offset + bytes);
    return mended;
  }

  /** Reads the image on `medium` and compares each chunk; null when there is no header to go by. */
  compare(medium: Medium, ram: Uint8Array | null): DumpReport | null {
    const read = (at: number, bytes: number): Uint8Array => {
      const part = Math.max(0, Math.min(bytes, medium.bytes - at));
      const into = new Uint8Array(part);
      medium.read(at, into, 0, part);
      return into;
    };
    let image: DumpImage;
    try {
      image = new DumpImage(read, medium.bytes / L.SECTOR_BYTES);
    } catch (error) {
      if (error instanceof Malformed) return null;
      throw error;
    }
    const report: DumpReport = {
      total: image.chunks,
      zero: 0,
      stored: 0,
      lost: 0,
      missing: 0,
      poisoned: 0,
      poisonedPages: poisonedPages(poisonOf(image)),
      sealed: 0,
      storedBytes: 0,
      attribute: image.header.attribute,
      abort: image.header.abort,
      wrong: [],
    };
    const buffer = new Uint8Array(L.CHUNK_BYTES);
    for (let chunk = 0; chunk < image.chunks; chunk++) this.#one(image, chunk, medium, ram, buffer, report);
    return report;
  }

  #one(
    image: DumpImage,
    chunk: number,
    medium: Medium,
    ram: Uint8Array | null,
    buffer: Uint8Array,
    report: DumpReport,
  ): void {
    const state = image.state(chunk);
    const poison = this.poisoned.get(chunk) ?? 0;
    const isAll = poison === L.CHUNK_POISONED;
    // What cannot be read is told page by page, no more and no less; the work area is not read at all.
    const isTold = state === L.MISSING_POISONED ? isAll : !isPresent(state) || image.poison(chunk) === poison;
    if (!isTold && !isWorkArea(chunk)) return void report.wrong.push(chunk);
    if (state === L.CODEC_LOST) report.lost++;
    else if (state === L.MISSING_POISONED) report.poisoned++;
    else if (state === L.MISSING_SEALED) {
      report.sealed++;
      report.stored++;
      report.storedBytes += image.place(chunk).bytes;
      if (image.isStoredExact(chunk) === false) report.wrong.push(chunk);
    } else if (!isPresent(state)) report.missing++;
    if (!isPresent(state)) return;
    if (state === L.CODEC_ZERO) {
      report.zero++;
      if (this.sums[chunk] !== ZERO_SUM) report.wrong.push(chunk);
      return;
    }
    report.stored++;
    const { at, bytes } = image.place(chunk);
    report.storedBytes += bytes;
    medium.read(at, buffer, 0, bytes);
    const content = state === L.CODEC_LZ4 ? lz4Decode(buffer.subarray(0, bytes), L.CHUNK_BYTES) : buffer;
    const same =
      content !== null &&
      (ram !== null && !isWorkArea(chunk)
        ? Buffer.compare(content, this.#chunkOf(ram, chunk)) === 0
        : this.#servers.crc32c(content) === this.sums[chunk]);
    if (!same) report.wrong.push(chunk);
  }

  /**
   * Compares a core file with memory as it was: chunks that are in it and are not as they were, and how many are in it.
   * `read` reads the file.
   */
  compareCore(core: CoreFile, read: Read): { present: number; wrong: number[] } {
    const wrong: number[] = [];
    let present = 0;
    const inPages = new Map<number, Uint8Array>();
    const pages = new Map<number, number>();
    for (const { address, bytes, fileBytes, offset } of core.segments) {
      const first = Math.floor(address / L.CHUNK_BYTES);
      if (this.poisoned.has(first) && bytes < L.CHUNK_BYTES) {
        const at = address % L.CHUNK_BYTES;
        const chunk = inPages.get(first) ?? new Uint8Array(L.CHUNK_BYTES);
        inPages.set(first, chunk);
        if (fileBytes > 0) chunk.set(read(offset, fileBytes), at);
        const mask = ((1 << (bytes / L.PAGE_BYTES)) - 1) << (at / L.PAGE_BYTES);
        pages.set(first, (pages.get(first) ?? 0) | mask);
        continue;
      }
      for (let done = 0; done < bytes; done += L.CHUNK_BYTES) {
        const chunk = (address + done) / L.CHUNK_BYTES;
        const sum = done < fileBytes ? this.#servers.crc32c(read(offset + done, L.CHUNK_BYTES)) : ZERO_SUM;
        if (sum !== this.sums[chunk] || this.poisoned.has(chunk)) wrong.push(chunk);
        present++;
      }
    }
    for (const [chunk, content] of inPages) {
      const isExact = this.#servers.crc32c(content) === this.sums[chunk];
      const isTold = (pages.get(chunk)! ^ this.poisoned.get(chunk)!) === L.CHUNK_POISONED;
      if (!isExact || !isTold) wrong.push(chunk);
      present++;
    }
    return { present, wrong };
  }

  /** Chunks of RAM that have changed since the panic, the panic handler's own work area aside. */
  changed(ram: Uint8Array): number[] {
    const changed: number[] = [];
    for (let chunk = 0; chunk < this.sums.length; chunk++) {
      if (!isWorkArea(chunk) && this.#servers.crc32c(this.#chunkOf(ram, chunk)) !== this.sums[chunk])
        changed.push(chunk);
    }
    return changed;
  }
}

/** CRC32C of a chunk of zeros. */
const ZERO_SUM = 0x72c0c4a4;

const chunkOf = (ram: Uint8Array, chunk: number): Uint8Array =>
  ram.subarray(chunk * L.CHUNK_BYTES, (chunk + 1) * L.CHUNK_BYTES);

const WORK_FIRST = WORK_AT / L.CHUNK_BYTES;
const WORK_CHUNKS = WORK_BYTES / L.CHUNK_BYTES;
const isWorkArea = (chunk: number): boolean => chunk >= WORK_FIRST && chunk < WORK_FIRST + WORK_CHUNKS;
