/** CRC32C digests, RFC 7143 13.1: over header (with AHS), or data with its padding. The value goes out little-endian. */
import type { DiskIo } from '#disk-io';

export type Crc = (bytes: Uint8Array, from: number, to: number) => number;

/** As much as the module's buffer takes at once. */
const PIECE = 65536;

/** Digests computed by the disk I/O module, in the buffer at `at` of its memory. */
export function moduleCrc(io: DiskIo, at: number): Crc {
  const memory = new Uint8Array(io.memory.buffer);
  return (bytes, from, to) => {
    let crc = 0;
    for (let start = from; start < to; start += PIECE) {
      const end = Math.min(to, start + PIECE);
      memory.set(bytes.subarray(start, end), at);
      crc = io.crc32c(crc, at, end - start);
    }
    return crc >>> 0;
  };
}

export const digestAt = (b: Uint8Array, at: number): number =>
  (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0;

export function putDigest(b: Uint8Array, at: number, crc: number): void {
  b[at] = crc;
  b[at + 1] = crc >>> 8;
  b[at + 2] = crc >>> 16;
  b[at + 3] = crc >>> 24;
}
