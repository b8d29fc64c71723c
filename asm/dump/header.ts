/**
 * The coredump header, with the coredump attribute in it. The attribute on the disk is the truth that a takeover goes
 * by, so a copy counts only whole: a torn one is no header, and never one that says completed. Fields are read and
 * stored at HEADER_*_AT of the layout.
 *
 * [layout] HEADER_*: two neighbouring copies at COREDUMP_LBA, the higher sequence number counts
 * [claims] US 7,321,982: coredump header, coredump attribute, pointer to the data region
 */
import {
  ABORT_FENCED,
  ATTRIBUTE_ABORTED,
  ATTRIBUTE_DUMPING,
  ATTRIBUTE_INACTIVE,
  CHUNK_BYTES,
  CHUNK_PAGES,
  COPY_BLOCKS,
  COPY_BYTES,
  COREDUMP_LBA,
  DATA_LBA,
  HEADER_ABORT_AT,
  HEADER_ATTRIBUTE_AT,
  HEADER_CHUNK_BYTES_AT,
  HEADER_CHUNK_TOTAL_AT,
  HEADER_IMAGE_BLOCKS_AT,
  HEADER_IMAGE_LBA_AT,
  HEADER_LOST_AT,
  HEADER_MAGIC,
  HEADER_MEMORY_BYTES_AT,
  HEADER_ORDER_COUNT_AT,
  HEADER_POISONED_AT,
  HEADER_POISONED_PAGES_AT,
  HEADER_STORED_AT,
  HEADER_TABLE_COUNT_AT,
  HEADER_TABLE_LBA_AT,
  HEADER_TABLE_ROOM_AT,
  HEADER_VERSION,
  HEADER_ZERO_AT,
  HEADER_SCRUB_COUNT_AT,
  ORDER_MAX,
  SCRUB_MAX,
  TABLE_BLOCKS,
  TAIL_BLOCKS,
} from '../layout';
import { COPY_NONE, copy_begin, copy_newest, copy_seal, copy_sequence, copy_valid } from '../bytes/copies';

/** A fresh header in the COPY_BYTES at `buf`: attribute inactive, all else 0. Store fields, then seal. */
export function header_begin(buf: usize): void {
  copy_begin(buf, HEADER_MAGIC, HEADER_VERSION);
  store<u32>(buf + HEADER_ATTRIBUTE_AT, ATTRIBUTE_INACTIVE);
}

/** Sets the sequence number and the checksum: the last thing before the write. */
export function header_seal(buf: usize, sequence: u32): void {
  copy_seal(buf, sequence);
}

/** True for a whole header whose attribute and abort code are ones the layout names. */
export function header_valid(buf: usize): bool {
  if (!copy_valid(buf, HEADER_MAGIC, HEADER_VERSION)) return false;
  const attribute = load<u32>(buf + HEADER_ATTRIBUTE_AT);
  return (
    attribute >= <u32>ATTRIBUTE_DUMPING &&
    attribute <= <u32>ATTRIBUTE_ABORTED &&
    load<u32>(buf + HEADER_ABORT_AT) <= <u32>ABORT_FENCED &&
    load<u32>(buf + HEADER_ORDER_COUNT_AT) <= <u32>ORDER_MAX &&
    load<u32>(buf + HEADER_SCRUB_COUNT_AT) <= <u32>SCRUB_MAX
  );
}

/** 0 or 1, the copy that counts of the two at `copies` (2 * COPY_BYTES, as read from COREDUMP_LBA), or COPY_NONE. */
export function header_newest(copies: usize): i32 {
  const other = copies + COPY_BYTES;
  return copy_newest(copies, other, header_valid(copies), header_valid(other));
}

/** 0 or 1, the copy to overwrite next: the older, or one that does not count. */
export function header_victim(copies: usize): i32 {
  return header_newest(copies) == 0 ? 1 : 0;
}

/** The sequence number that the next header must carry, given both copies as read. */
export function header_next_sequence(copies: usize): u32 {
  const newest = header_newest(copies);
  return newest == COPY_NONE ? 1 : copy_sequence(copies + newest * COPY_BYTES) + 1;
}

/** First block of copy 0 or 1. */
export function header_lba(copy: u32): u32 {
  return COREDUMP_LBA + copy * COPY_BLOCKS;
}

/**
 * True when a valid header points to an image that can lie on a disk of `blocks` blocks: what a reader must ask before
 * it follows the pointers. The chunk table and the image lie in the data region and do not overlap, the memory is the
 * chunks (1 to 65,536 of CHUNK_BYTES), and the counts are no more than that.
 */
export function header_image_sound(buf: usize, blocks: u64): bool {
  const chunks: u64 = load<u32>(buf + HEADER_CHUNK_TOTAL_AT);
  if (load<u32>(buf + HEADER_CHUNK_BYTES_AT) != CHUNK_BYTES || chunks < 1 || chunks > 65536) return false;
  if (load<u64>(buf + HEADER_MEMORY_BYTES_AT) != chunks * CHUNK_BYTES) return false;
  const zero: u64 = load<u32>(buf + HEADER_ZERO_AT);
  const stored: u64 = load<u32>(buf + HEADER_STORED_AT);
  const gone = <u64>load<u32>(buf + HEADER_LOST_AT) + load<u32>(buf + HEADER_POISONED_AT);
  if (zero + stored + gone > chunks) return false;
  if (<u64>load<u32>(buf + HEADER_POISONED_PAGES_AT) > chunks * CHUNK_PAGES) return false;
  const room = load<u32>(buf + HEADER_TABLE_ROOM_AT);
  if (load<u32>(buf + HEADER_TABLE_COUNT_AT) > room) return false;
  if (blocks < <u64>DATA_LBA + TAIL_BLOCKS) return false;
  const end = blocks - TAIL_BLOCKS;
  const table = load<u64>(buf + HEADER_TABLE_LBA_AT);
  const image = load<u64>(buf + HEADER_IMAGE_LBA_AT);
  const imageBlocks = load<u64>(buf + HEADER_IMAGE_BLOCKS_AT);
  const tableBlocks = <u64>room * TABLE_BLOCKS;
  if (table < <u64>DATA_LBA || table > end || tableBlocks > end - table) return false;
  if (image < <u64>DATA_LBA || image > end || imageBlocks > end - image) return false;
  return table + tableBlocks <= image || image + imageBlocks <= table;
}
