/**
 * The chunk table: which chunks of the memory are in the image, how and where. A block of it is written after the
 * chunks that it lists have reached the medium, and carries its own checksum and the board's epoch, so a block left
 * over from an older dump is never taken for one of this. A chunk that no valid block lists is not in the image.
 *
 * [layout] TABLE_*: blocks of TABLE_BYTES, entries of TABLE_ENTRY_BYTES
 */
import {
  CHUNK_BYTES,
  CHUNK_POISONED,
  CIPHER_TAG_BYTES,
  CODEC_LOST,
  CODEC_LZ4,
  CODEC_RAW,
  CODEC_SEALED,
  MISSING_POISONED,
  SECTOR_BYTES,
  TABLE_BYTES,
  TABLE_COUNT_AT,
  TABLE_CRC_AT,
  TABLE_ENTRIES,
  TABLE_ENTRIES_AT,
  TABLE_ENTRY_BYTES,
  TABLE_EPOCH_AT,
  TABLE_INDEX_AT,
  TABLE_MAGIC,
  TABLE_MAGIC_AT,
  TABLE_SYSTEM_AT,
} from '../layout';
import { crc32c } from '../bytes/crc32c';

const ZERO = memory.data<u32>([0]);

/** Starts block `index` of the table in the TABLE_BYTES at `buf`. */
export function table_begin(buf: usize, index: u32, system: u32, epoch: u32): void {
  memory.fill(buf, 0, TABLE_BYTES);
  store<u32>(buf + TABLE_MAGIC_AT, TABLE_MAGIC);
  store<u32>(buf + TABLE_INDEX_AT, index);
  store<u32>(buf + TABLE_SYSTEM_AT, system);
  store<u32>(buf + TABLE_EPOCH_AT, epoch);
}

/**
 * Adds an entry. `offsetBlocks` counts from the image's first block; `poison` has a bit for each page of the chunk that
 * is missing in it. False, and nothing done, when full.
 */
export function table_append(
  buf: usize,
  chunk: u32,
  codec: u32,
  storedBytes: u32,
  offsetBlocks: u32,
  crc: u32,
  poison: u32,
): bool {
  const count = table_count(buf);
  if (count >= <u32>TABLE_ENTRIES) return false;
  const at = entry(buf, count);
  store<u32>(at, (poison << 16) | chunk);
  store<u32>(at, (codec << 24) | (storedBytes & 0xffffff), 4);
  store<u32>(at, offsetBlocks, 8);
  store<u32>(at, crc, 12);
  store<u32>(buf + TABLE_COUNT_AT, count + 1);
  return true;
}

/** Sets the checksum: the last thing before the write. */
export function table_seal(buf: usize): void {
  store<u32>(buf + TABLE_CRC_AT, checksum(buf));
}

/** CRC32C of the block with its own CRC field taken as 0. */
function checksum(buf: usize): u32 {
  const head = crc32c(crc32c(0, buf, TABLE_CRC_AT), ZERO, 4);
  return crc32c(head, buf + TABLE_CRC_AT + 4, TABLE_BYTES - TABLE_CRC_AT - 4);
}

/**
 * True when `buf` is block `index` of the table that `system` wrote in `epoch`, whole, and each entry makes sense for
 * a memory of `chunks` chunks and an image of `imageBlocks` blocks (which bounds what a reader then reads).
 */
export function table_valid(
  buf: usize,
  index: u32,
  system: u32,
  epoch: u32,
  chunks: u32,
  imageBlocks: u64,
): bool {
  if (
    load<u32>(buf + TABLE_MAGIC_AT) != TABLE_MAGIC ||
    load<u32>(buf + TABLE_INDEX_AT) != index ||
    load<u32>(buf + TABLE_SYSTEM_AT) != system ||
    load<u32>(buf + TABLE_EPOCH_AT) != epoch ||
    table_count(buf) > <u32>TABLE_ENTRIES ||
    load<u32>(buf + TABLE_CRC_AT) != checksum(buf)
  )
    return false;
  for (let i: u32 = 0, count = table_count(buf); i < count; i++) {
    if (!sound(buf, i, chunks, imageBlocks)) return false;
  }
  return true;
}

function sound(buf: usize, i: u32, chunks: u32, imageBlocks: u64): bool {
  const sealed = (table_codec(buf, i) & CODEC_SEALED) != 0;
  const codec = table_codec(buf, i) & ~CODEC_SEALED;
  const stored = table_stored_bytes(buf, i);
  if (table_chunk(buf, i) >= chunks || codec > <u32>CODEC_LZ4) return false;
  if (sealed && (codec < <u32>CODEC_RAW || stored <= <u32>CIPHER_TAG_BYTES)) return false;
  const bytes = sealed ? stored - CIPHER_TAG_BYTES : stored;
  if (codec < <u32>CODEC_RAW && bytes) return false;
  const poison = table_poison(buf, i);
  if (poison == CHUNK_POISONED || (poison && codec == CODEC_LOST)) return false;
  if (codec == CODEC_LOST) return !table_reason(buf, i) || table_reason(buf, i) == MISSING_POISONED;
  if (codec < <u32>CODEC_RAW) return true;
  if (codec == CODEC_RAW ? bytes != CHUNK_BYTES : bytes == 0 || bytes >= <u32>CHUNK_BYTES) return false;
  const end = <u64>table_offset_blocks(buf, i) + (stored + SECTOR_BYTES - 1) / SECTOR_BYTES;
  return end <= imageBlocks;
}

export function table_count(buf: usize): u32 {
  return load<u32>(buf + TABLE_COUNT_AT);
}

/** Entries that still fit. */
export function table_room(buf: usize): u32 {
  return TABLE_ENTRIES - table_count(buf);
}

export function table_chunk(buf: usize, i: u32): u32 {
  return load<u16>(entry(buf, i));
}

/** Pages of the chunk that are missing in it, bit n for page n. */
export function table_poison(buf: usize, i: u32): u32 {
  return load<u16>(entry(buf, i), 2);
}

/** CODEC_* of entry `i`. */
export function table_codec(buf: usize, i: u32): u32 {
  return load<u8>(entry(buf, i), 7);
}

export function table_stored_bytes(buf: usize, i: u32): u32 {
  return load<u32>(entry(buf, i), 4) & 0xffffff;
}

/** Of a chunk that is CODEC_LOST: 0, or MISSING_* when it was left out on purpose. */
export function table_reason(buf: usize, i: u32): u32 {
  return load<u32>(entry(buf, i), 8);
}

/** Blocks from the image's first block. */
export function table_offset_blocks(buf: usize, i: u32): u32 {
  return load<u32>(entry(buf, i), 8);
}

/** CRC32C of the chunk's CHUNK_BYTES as they were in memory, poisoned pages as zeros; encrypted, of what is stored. */
export function table_crc(buf: usize, i: u32): u32 {
  return load<u32>(entry(buf, i), 12);
}

function entry(buf: usize, i: u32): usize {
  return buf + TABLE_ENTRIES_AT + i * TABLE_ENTRY_BYTES;
}

/**
 * Enters a valid block into a chunk map (a byte a chunk: CODEC_*, or why there is none) and into `poison` (u16 a chunk:
 * its pages that are missing; 0 for `poison`: nobody asks). A later entry for the same chunk counts, but a chunk once
 * written stays so.
 */
export function table_enter(buf: usize, map: usize, poison: usize): void {
  for (let i: u32 = 0, count = table_count(buf); i < count; i++) {
    const chunk = <usize>table_chunk(buf, i);
    const at = map + chunk;
    const codec = table_codec(buf, i);
    const known: u32 = load<u8>(at);
    if (codec != CODEC_LOST) {
      store<u8>(at, codec);
      if (poison) store<u16>(poison + chunk * 2, table_poison(buf, i));
    } else if ((known & ~CODEC_SEALED) > <u32>CODEC_LZ4) store<u8>(at, table_reason(buf, i));
  }
}
