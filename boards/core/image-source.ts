/** The memory in the dump image of a disk. */
import { type Scrubbed, endOf } from './records.ts';
import { CHUNK_BYTES, MISSING_POISONED } from '../../asm/layout.ts';
import { RECORD_BYTES, RECORD_PC_AT } from '../../firmware/layout.ts';
import type { Chunk, ChunkImage } from './image.ts';
import { pageRuns, readWhole, splitAtChunks } from './memory-source.ts';
import type { DumpFacts, MemorySource, Piece, Registers } from './memory-source.ts';
import { Fields } from './source.ts';

export class ImageSource implements MemorySource {
  readonly kind = 'dump image';
  readonly name: string;
  readonly image: ChunkImage;
  readonly memoryBytes: number;
  readonly map: Uint8Array;
  readonly poisoned: ReadonlyMap<number, number>;
  readonly dump: DumpFacts;
  readonly scrubbed: readonly Scrubbed[];
  readonly problems: readonly string[];
  readonly #close: () => void;
  #last: Chunk | null = null;

  constructor(image: ChunkImage, name: string, close: () => void, isSaved = false) {
    this.image = image;
    this.name = name;
    this.#close = close;
    this.memoryBytes = image.chunks * CHUNK_BYTES;
    this.map = Uint8Array.from({ length: image.chunks }, (_, chunk) => image.state(chunk));
    this.poisoned = poisonOf(image);
    this.problems = image.problems;
    const { header } = image;
    this.scrubbed = header.scrubbed;
    this.dump = {
      attribute: endOf(header),
      abort: header.abort,
      system: header.system,
      epoch: header.epoch,
      build: header.build,
      reason: header.reason,
      utcSeconds: Number(header.utcSeconds),
      failedUs: Number(header.failedUs),
      startedUs: Number(header.startedUs),
      endedUs: Number(header.endedUs),
      limitMs: header.limitMs,
      saved: header.saved || isSaved,
      order: header.order,
    };
  }

  /** An image has the memory alone: the rings and the record are in it. */
  note(): Fields | null {
    return null;
  }

  async read(address: number, bytes: number): Promise<Piece[]> {
    return splitAtChunks(this.memoryBytes, address, bytes, (index, at, count) => {
      const { state, content } = this.#chunk(index);
      if (content === null) return [{ address: at, bytes: count, content: null, reason: state }];
      return piecesOf(index, content, this.poisoned.get(index) ?? 0, at - index * CHUNK_BYTES, count);
    });
  }

  #chunk(index: number): Chunk {
    if (this.#last?.index !== index) this.#last = this.image.chunk(index);
    return this.#last;
  }

  async registers(): Promise<Registers> {
    const record = await readWhole(this, this.image.header.recordAddress, RECORD_BYTES);
    return { pc: record === null ? 0 : new Fields('dump image', 0, record).u32(RECORD_PC_AT) };
  }

  close(): void {
    this.#close();
  }
}

/** Its chunks with missing pages, and which these are. */
export function poisonOf(image: ChunkImage): ReadonlyMap<number, number> {
  const poisoned = new Map<number, number>();
  for (let chunk = 0; chunk < image.chunks; chunk++) {
    const poison = image.poison(chunk);
    if (poison !== 0) poisoned.set(chunk, poison);
  }
  return poisoned;
}

/** The `bytes` bytes from byte `from` of a chunk on, without its poisoned pages. */
function piecesOf(index: number, content: Uint8Array, poison: number, from: number, bytes: number): Piece[] {
  return pageRuns(poison).flatMap((run): Piece[] => {
    const first = Math.max(from, run.offset);
    const end = Math.min(from + bytes, run.offset + run.bytes);
    if (first >= end) return [];
    const address = index * CHUNK_BYTES + first;
    return run.isPoisoned
      ? [{ address, bytes: end - first, content: null, reason: MISSING_POISONED }]
      : [{ address, bytes: end - first, content: content.subarray(first, end), reason: 0 }];
  });
}
