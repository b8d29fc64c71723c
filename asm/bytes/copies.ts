/**
 * Two copies of a record on a disk, so that a torn write of one leaves the other. The label and the coredump header
 * begin alike: magic, version, CRC32C of the copy with that field 0, sequence number. The copies are neighbours:
 * one read of 2 * COPY_BLOCKS fetches both, and each is written alone.
 */
import { COPY_BYTES } from '../layout';
import { crc32c } from './crc32c';

const MAGIC_AT: usize = 0;
const VERSION_AT: usize = 4;
const CRC_AT: usize = 8;
const SEQUENCE_AT: usize = 12;
/** Neither copy is valid. */
export const COPY_NONE: i32 = -1;

/** CRC32C of a copy with its own CRC field taken as 0. Reads only: a buffer under DMA may be checked. */
function checksum(buf: usize): u32 {
  const head = crc32c(0, buf, <u32>CRC_AT);
  return crc32c(crc32c(head, ZERO, 4), buf + CRC_AT + 4, COPY_BYTES - <u32>CRC_AT - 4);
}
const ZERO = memory.data<u32>([0]);

/** Clears a copy and gives it its magic and version. */
export function copy_begin(buf: usize, magic: u32, version: u32): void {
  memory.fill(buf, 0, COPY_BYTES);
  store<u32>(buf + MAGIC_AT, magic);
  store<u32>(buf + VERSION_AT, version);
}

/** Sets the sequence number, then the checksum: the last thing done to a copy before it is written. */
export function copy_seal(buf: usize, sequence: u32): void {
  store<u32>(buf + SEQUENCE_AT, sequence);
  store<u32>(buf + CRC_AT, checksum(buf));
}

export function copy_valid(buf: usize, magic: u32, version: u32): bool {
  return (
    load<u32>(buf + MAGIC_AT) == magic &&
    load<u32>(buf + VERSION_AT) == version &&
    load<u32>(buf + CRC_AT) == checksum(buf)
  );
}

export function copy_sequence(buf: usize): u32 {
  return load<u32>(buf + SEQUENCE_AT);
}

/**
 * 0 or 1, which of two copies counts, or COPY_NONE. Sequence numbers are compared as serial numbers [RFC 1982], so
 * that the one after 2^32 - 1 is newer.
 */
export function copy_newest(a: usize, b: usize, aValid: bool, bValid: bool): i32 {
  if (aValid && bValid) return <i32>(copy_sequence(b) - copy_sequence(a)) > 0 ? 1 : 0;
  return aValid ? 0 : bValid ? 1 : COPY_NONE;
}
