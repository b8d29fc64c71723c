/**
 * CRC32C for the readers, which stand on their own beside the writers' code in asm/.
 *
 * [iSCSI] RFC 7143 13.1: polynomial 1EDC6F41h, reflected 82F63B78h
 */
const TABLES = tables();

/** Slicing-by-8: eight tables of 256 words. */
function tables(): Uint32Array {
  const words = new Uint32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    words[n] = crc;
  }
  for (let n = 256; n < words.length; n++) {
    const before = words[n - 256] ?? 0;
    words[n] = (before >>> 8) ^ (words[before & 255] ?? 0);
  }
  return words;
}

/** CRC32C of `bytes`, continued from `crc`, the checksum of what went before. */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  const t = TABLES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let state = ~crc;
  let at = 0;
  for (const rows = bytes.length & ~7; at < rows; at += 8) {
    const low = state ^ view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    state =
      t[1792 + (low & 255)]! ^
      t[1536 + ((low >>> 8) & 255)]! ^
      t[1280 + ((low >>> 16) & 255)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + (high & 255)]! ^
      t[512 + ((high >>> 8) & 255)]! ^
      t[256 + ((high >>> 16) & 255)]! ^
      t[high >>> 24]!;
  }
  for (; at < bytes.length; at++) state = (state >>> 8) ^ t[(state ^ bytes[at]!) & 255]!;
  return ~state >>> 0;
}

/** CRC32C of a record whose own 32-bit checksum field at `at` counts as 0. */
export function crc32cWithout(bytes: Uint8Array, at: number): number {
  const head = crc32c(bytes.subarray(0, at));
  return crc32c(bytes.subarray(at + 4), crc32c(new Uint8Array(4), head));
}
