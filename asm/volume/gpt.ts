/**
 * The partition table that names the predetermined regions of a disk: label, coredump and data.
 *
 * [UEFI] 2.10: 5.2.3 protective MBR, 5.3.2 GPT header, 5.3.3 GPT partition entry array, appendix A GUID
 */
import {
  COREDUMP_BLOCKS,
  COREDUMP_LBA,
  DATA_LBA,
  LABEL_BLOCKS,
  LABEL_LBA,
  SECTOR_BYTES,
  TAIL_BLOCKS,
} from '../layout';
import { crc32 } from '../bytes/crc32';
import { is_zero } from '../bytes/zero';

/** Blocks from block 0: protective MBR, header, entries. */
export const GPT_PRIMARY_BLOCKS = 34;
/** Blocks that end the disk: entries, header. */
export const GPT_BACKUP_BLOCKS = 33;
/** What the data region holds: volume blocks of our own, or exFAT that any system reads. */
export const GPT_DATA_OWN = 0;
export const GPT_DATA_EXFAT = 1;
/** What stands where a table should be. */
export const GPT_ABSENT = 0; // no signature
export const GPT_BROKEN = 1; // a signature, and something wrong behind it
export const GPT_FOREIGN = 2; // a good table of somebody else
export const GPT_OURS = 3;

const SIGNATURE: u64 = 0x5452415020494645; // "EFI PART"
const HEADER_BYTES: u32 = 92;
const ENTRY_BYTES: u32 = 128;
const ENTRIES: u32 = 128;
const ARRAY_BYTES: u32 = 16384;
const ARRAY_BLOCKS: u32 = 32;
const FIRST_USABLE: u64 = 34;

/** Type GUIDs as they lie on the disk; the first three are this project's own, drawn once. */
const TYPES = memory.data<u64>([
  0x4b6e2f9148c1d35a,
  0x21f70d6e93a8b4a6, // 48C1D35A-2F91-4B6E-A6B4-A8936E0DF721 label
  0x4d0ec3b7916fa2e8,
  0x7ce45a13f8d269b1, // 916FA2E8-C3B7-4D0E-B169-D2F8135AE47C coredump
  0x49d8915e27b04cf6,
  0x6b83a9de057c1f94, // 27B04CF6-915E-49D8-941F-7C05DEA9836B data
  0x4433b9e5ebd0a0a2,
  0xc79926b7b668c087, // EBD0A0A2-B9E5-4433-87C0-68B6B72699C7 basic data
]);
const NAMES = memory.data<u8>([
  0x6c,
  0x61,
  0x62,
  0x65,
  0x6c,
  0,
  0,
  0, // label
  0x63,
  0x6f,
  0x72,
  0x65,
  0x64,
  0x75,
  0x6d,
  0x70, // coredump
  0x64,
  0x61,
  0x74,
  0x61,
  0,
  0,
  0,
  0, // data
]);

/** Blocks of the data region of a disk of `blocks` blocks, 0 when the disk is too small for one. */
export function gpt_data_blocks(blocks: u64): u64 {
  const around = <u64>DATA_LBA + TAIL_BLOCKS;
  return blocks > around ? blocks - around : 0;
}

/**
 * Fills GPT_PRIMARY_BLOCKS at `buf`, to be written at block 0. All GUIDs follow from `seed`; `data` is GPT_DATA_*.
 * The disk must have a data region (gpt_data_blocks).
 */
export function gpt_primary(buf: usize, blocks: u64, seed: u64, data: u32): void {
  memory.fill(buf, 0, GPT_PRIMARY_BLOCKS * SECTOR_BYTES);
  const entry = buf + 446; // [UEFI] table 5.4
  store<u32>(entry, 0x00020000);
  store<u32>(entry, 0xffffffee, 4);
  store<u32>(entry, 1, 8);
  store<u32>(entry, blocks > 0xffffffff ? 0xffffffff : <u32>(blocks - 1), 12);
  store<u16>(buf + 510, 0xaa55);
  entries(buf + 1024, blocks, seed, data);
  header(buf + 512, buf + 1024, 1, blocks - 1, 2, blocks, seed);
}

/** Fills GPT_BACKUP_BLOCKS at `buf`, to be written at `blocks` - GPT_BACKUP_BLOCKS. Arguments as of gpt_primary. */
export function gpt_backup(buf: usize, blocks: u64, seed: u64, data: u32): void {
  memory.fill(buf, 0, GPT_BACKUP_BLOCKS * SECTOR_BYTES);
  entries(buf, blocks, seed, data);
  header(buf + ARRAY_BYTES, buf, blocks - 1, 1, blocks - GPT_BACKUP_BLOCKS, blocks, seed);
}

/** GPT_*, given the first GPT_PRIMARY_BLOCKS of a disk of `blocks` blocks. */
export function gpt_primary_state(buf: usize, blocks: u64): u32 {
  return state(buf + 512, buf + 1024, 1, 2, blocks);
}

/** GPT_*, given the last GPT_BACKUP_BLOCKS of a disk of `blocks` blocks. */
export function gpt_backup_state(buf: usize, blocks: u64): u32 {
  return state(buf + ARRAY_BYTES, buf, blocks - 1, blocks - GPT_BACKUP_BLOCKS, blocks);
}

/** GPT_DATA_* of a table that is GPT_OURS; `buf` as for gpt_primary_state. */
export function gpt_data_kind(buf: usize): u32 {
  return same_guid(buf + 1024 + 2 * ENTRY_BYTES, type_guid(3)) ? GPT_DATA_EXFAT : GPT_DATA_OWN;
}

function header(at: usize, array: usize, mine: u64, other: u64, arrayLba: u64, blocks: u64, seed: u64): void {
  store<u64>(at, SIGNATURE);
  store<u32>(at, 0x00010000, 8);
  store<u32>(at, HEADER_BYTES, 12);
  store<u64>(at, mine, 24);
  store<u64>(at, other, 32);
  store<u64>(at, FIRST_USABLE, 40);
  store<u64>(at, blocks - FIRST_USABLE, 48);
  store_guid(at + 56, seed, 0);
  store<u64>(at, arrayLba, 72);
  store<u32>(at, ENTRIES, 80);
  store<u32>(at, ENTRY_BYTES, 84);
  store<u32>(at, crc32(0, array, ARRAY_BYTES), 88);
  store<u32>(at, crc32(0, at, HEADER_BYTES), 16);
}

function entries(array: usize, blocks: u64, seed: u64, data: u32): void {
  for (let i: u32 = 0; i < 3; i++) {
    const at = array + i * ENTRY_BYTES;
    memory.copy(at, type_guid(i == 2 && data == GPT_DATA_EXFAT ? 3 : i), 16);
    store_guid(at + 16, seed, i + 1);
    store<u64>(at, region_lba(i), 32);
    store<u64>(at, region_lba(i) + region_blocks(i, blocks) - 1, 40);
    for (let n: usize = 0; n < 8; n++) store<u16>(at + 56 + 2 * n, load<u8>(NAMES + 8 * i + n));
  }
}

function region_lba(i: u32): u64 {
  return i == 0 ? LABEL_LBA : i == 1 ? COREDUMP_LBA : DATA_LBA;
}

function region_blocks(i: u32, blocks: u64): u64 {
  return i == 0 ? LABEL_BLOCKS : i == 1 ? COREDUMP_BLOCKS : gpt_data_blocks(blocks);
}

/** Checks in the order of [UEFI] 5.3.2: signature, header CRC, MyLBA, array CRC; then whether it is ours. */
function state(at: usize, array: usize, mine: u64, arrayLba: u64, blocks: u64): u32 {
  if (load<u64>(at) != SIGNATURE) return GPT_ABSENT;
  if (load<u32>(at, 12) != HEADER_BYTES || header_crc(at) != load<u32>(at, 16)) return GPT_BROKEN;
  if (load<u64>(at, 24) != mine || load<u64>(at, 72) != arrayLba) return GPT_BROKEN;
  if (load<u32>(at, 80) != ENTRIES || load<u32>(at, 84) != ENTRY_BYTES) return GPT_FOREIGN;
  if (crc32(0, array, ARRAY_BYTES) != load<u32>(at, 88)) return GPT_BROKEN;
  for (let i: u32 = 0; i < 3; i++) {
    const entry = array + i * ENTRY_BYTES;
    if (!same_guid(entry, type_guid(i)) && !(i == 2 && same_guid(entry, type_guid(3)))) return GPT_FOREIGN;
    if (load<u64>(entry, 32) != region_lba(i)) return GPT_FOREIGN;
    if (load<u64>(entry, 40) != region_lba(i) + region_blocks(i, blocks) - 1) return GPT_FOREIGN;
  }
  return is_zero(array + 3 * ENTRY_BYTES, ARRAY_BYTES - 3 * ENTRY_BYTES) ? GPT_OURS : GPT_FOREIGN;
}

/** CRC32 of the header with its own CRC field taken as 0. */
function header_crc(at: usize): u32 {
  const crc = crc32(crc32(0, at, 16), NOTHING, 4);
  return crc32(crc, at + 20, HEADER_BYTES - 20);
}
const NOTHING = memory.data<u32>([0]);

function type_guid(i: u32): usize {
  return TYPES + 16 * i;
}

function same_guid(a: usize, b: usize): bool {
  return load<u64>(a) == load<u64>(b) && load<u64>(a, 8) == load<u64>(b, 8);
}

/** GUID number `n` of a seed, with the version and variant of a random one, [UEFI] appendix A, RFC 4122 4.4. */
function store_guid(at: usize, seed: u64, n: u32): void {
  store<u64>(at, (mix(mix(seed) + 2 * n) & 0x0fffffffffffffff) | 0x4000000000000000);
  store<u64>(at, (mix(mix(seed) + 2 * n + 1) & ~0xc0) | 0x80, 8);
}

/** Steele, Lea and Flood's SplitMix64: neighbouring seeds give unrelated words. */
function mix(n: u64): u64 {
  n = (n + 1) * 0x9e3779b97f4a7c15;
  n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9;
  n = (n ^ (n >> 27)) * 0x94d049bb133111eb;
  return n ^ (n >> 31);
}
