/**
 * LZ4 block decompression.
 *
 * [LZ4] "LZ4 Block Format Description", lz4_Block_format.md
 */

/** Exactly `bytes` bytes out of the block `from`, or null when it is no such block. */
export function lz4Decode(from: Uint8Array, bytes: number): Uint8Array | null {
  const to = new Uint8Array(bytes);
  let at = 0;
  let out = 0;

  /** A length of 15 goes on in bytes until one is not 255; -1 where the block ends first. */
  const length = (first: number): number => {
    let total = first;
    if (first < 15) return total;
    for (;;) {
      const byte = from[at++];
      if (byte === undefined || total > bytes) return -1;
      total += byte;
      if (byte !== 255) return total;
    }
  };

  while (at < from.length) {
    const token = from[at++]!;
    const literals = length(token >> 4);
    if (literals < 0 || at + literals > from.length || out + literals > bytes) return null;
    to.set(from.subarray(at, at + literals), out);
    at += literals;
    out += literals;
    if (at === from.length) return out === bytes ? to : null;
    if (at + 2 > from.length) return null;
    const distance = from[at]! | (from[at + 1]! << 8);
    at += 2;
    const extra = length(token & 15);
    const match = extra + 4;
    if (extra < 0 || distance === 0 || distance > out || out + match > bytes) return null;
    // Source and target may overlap: the bytes just written are read again.
    const end = out + match;
    for (; out < end; out++) to[out] = to[out - distance]!;
  }
  return null;
}
