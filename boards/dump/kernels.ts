/** The kernels of the dump writer alone, on memory that is filled once: for measuring. */
import { CHUNK_BYTES } from '../../asm/layout.ts';
import { DeviceServers } from '../shelf/server.ts';

/** The table that lz4_compress works in: asm/bytes/lz4. */
const LZ4_TABLE_BYTES = 2 << 13;
const ROOM = 2 * CHUNK_BYTES;

export class Kernels {
  readonly #servers = new DeviceServers(1);
  readonly #at: number;
  readonly #bytes: number;

  constructor(content: Uint8Array) {
    const { memory } = this.#servers;
    const extra = LZ4_TABLE_BYTES + ROOM;
    this.#at = memory.buffer.byteLength;
    this.#bytes = content.length;
    memory.grow(Math.ceil((content.length + extra) / 65_536) + 1);
    new Uint8Array(memory.buffer, this.#at, content.length).set(content);
    new Uint8Array(memory.buffer, this.#at + content.length).fill(0);
  }

  /** Checksums of all chunks, combined. */
  crc(): number {
    let sum = 0;
    for (let at = 0; at < this.#bytes; at += CHUNK_BYTES)
      sum ^= this.#servers.call.crc32c(0, this.#at + at, CHUNK_BYTES);
    return sum >>> 0;
  }

  /** Chunks that are zero. */
  zero(): number {
    let count = 0;
    for (let at = 0; at < this.#bytes; at += CHUNK_BYTES)
      count += this.#servers.call.is_zero(this.#at + at, CHUNK_BYTES);
    return count;
  }

  /** Bytes that the chunks which are not zero are stored in. */
  lz4(): number {
    let stored = 0;
    for (let at = 0; at < this.#bytes; at += CHUNK_BYTES) stored += this.lz4At(at);
    return stored;
  }

  /** Bytes that the chunk at `at` is stored in. */
  lz4At(at: number): number {
    const { call } = this.#servers;
    const to = this.#at + this.#bytes;
    if (call.is_zero(this.#at + at, CHUNK_BYTES) !== 0) return 0;
    const bytes = call.lz4_compress(this.#at + at, CHUNK_BYTES, to, CHUNK_BYTES - 1, to + ROOM);
    return bytes === 0 ? CHUNK_BYTES : bytes;
  }
}
