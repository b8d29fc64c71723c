/**
 * LZ4 block decompression. The block comes from a disk: no length or distance in it is believed, nothing beyond the
 * block is read, and nothing beyond the room is written.
 *
 * [LZ4] "LZ4 Block Format Description"
 */

const MIN_MATCH: u32 = 4;
const RUN_MASK: u32 = 15;

/** Expands the `bytes` bytes at `from` into the `room` bytes at `to`. Returns the bytes made, 0 when it is no block. */
export function lz4_expand(from: usize, bytes: u32, to: usize, room: u32): u32 {
  // Counted from the two starts: at the end of a memory of 4 GiB there is no address behind the last byte.
  let at: u32 = 0;
  let out: u32 = 0;
  while (at < bytes) {
    const token: u32 = load<u8>(from + at++);
    let literals = token >> 4;
    if (literals == RUN_MASK) {
      let more: u32 = 255;
      while (more == 255) {
        if (at >= bytes || literals > room) return 0;
        more = load<u8>(from + at++);
        literals += more;
      }
    }
    if (literals > bytes - at || literals > room - out) return 0;
    memory.copy(to + out, from + at, literals);
    at += literals;
    out += literals;
    if (at == bytes) return out; // the last sequence has no match
    if (bytes - at < 2) return 0;
    const distance: u32 = load<u16>(from + at);
    at += 2;
    let length = token & RUN_MASK;
    if (length == RUN_MASK) {
      let more: u32 = 255;
      while (more == 255) {
        if (at >= bytes || length > room) return 0;
        more = load<u8>(from + at++);
        length += more;
      }
    }
    length += MIN_MATCH;
    if (!distance || distance > out || length > room - out) return 0;
    repeat(to + out, distance, length);
    out += length;
  }
  return 0;
}

/** A match may run into what it makes: it is copied forwards, in pieces no longer than its distance. */
function repeat(to: usize, distance: u32, length: u32): void {
  if (distance >= length) return memory.copy(to, to - distance, length);
  if (distance < 8) {
    for (let i: u32 = 0; i < length; i++) store<u8>(to + i, load<u8>(to + i - distance));
    return;
  }
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) store<u64>(to + i, load<u64>(to + i - distance));
  for (; i < length; i++) store<u8>(to + i, load<u8>(to + i - distance));
}
