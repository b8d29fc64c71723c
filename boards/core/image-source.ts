/** The memory in the dump image of a disk. */
import { endOf } from './records.ts';
import { CHUNK_BYTES } from '../../asm/layout.ts';
import { RECORD_BYTES, RECORD_PC_AT } from '../../firmware/layout.ts';
import type { Chunk, ChunkImage } from './image.ts';
import { readWhole, splitAtChunks } from './memory-source.ts';
import type { DumpFacts, MemorySource, Piece, Registers } from './memory-source.ts';
import { Fields } from './source.ts';

export class ImageSource implements MemorySource {
  readonly kind = 'dump image';
  readonly name: string;
  readonly image: ChunkImage;
  readonly memoryBytes: number;
  readonly map: Uint8Array;
  readonly dump: DumpFacts;
  readonly problems: readonly string[];
  readonly #close: () => void;
  #last: Chunk | null = null;

  constructor(image: ChunkImage, name: string, close: () => void, isSaved = false) {
    this.image = image;
    this.name = name;
    this.#close = close;
    this.memoryBytes = image.chunks * CHUNK_BYTES;
    this.map = Uint8Array.from({ length: image.chunks }, (_, chunk) => image.state(chunk));
    this.problems = image.problems;
    const { header } = image;
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
      const from = at - index * CHUNK_BYTES;
      return content === null
        ? { address: at, bytes: count, content: null, reason: state }
        : { address: at, bytes: count, content: content.subarray(from, from + count), reason: 0 };
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
