/**
 * Adding one contiguous file. The writes and their order, each on the medium before the next begins, so that a cut
 * anywhere shows the old volume or the new one, and at worst clusters taken by no file:
 *
 *   STEP_DIRTY      boot sector with VolumeDirty
 *   STEP_DATA       the file's content, by the caller
 *   STEP_BITMAP     the sectors of the bitmap that changed (one or two runs of a sector, or more for a large file)
 *   STEP_DIRECTORY  padding up to a sector border, when the entry set would straddle it; then the sector with the set
 *   STEP_CLEAN      boot sector as it was
 *
 * The entry set never straddles a sector: one sector write is the moment at which the file comes to be.
 *
 * [exFAT] Microsoft, "exFAT file system specification", 3.1.13.2 VolumeDirty, 8.1 recommended write ordering
 */
import { SECTOR_BYTES } from '../../layout';
import { ALLOCATION_POSSIBLE, ATTRIBUTE_ARCHIVE, NO_FAT_CHAIN, TYPE_FILE, TYPE_UNUSED } from './entry';
import { name_valid, set_build, set_entries, set_named, set_valid } from './entry';
import {
  EXFAT_BAD_NAME,
  EXFAT_DIR_BYTES,
  EXFAT_DIR_FULL,
  EXFAT_EXISTS,
  EXFAT_NO_SPACE,
  EXFAT_OK,
} from './codes';
import { DIRTY, ENTRY_BYTES, FIRST_CLUSTER, Volume, cluster_bytes, cluster_lba } from './volume';

export const STEP_DIRTY = 1;
export const STEP_DATA = 2;
export const STEP_BITMAP = 3;
export const STEP_DIRECTORY = 4;
export const STEP_CLEAN = 5;

const SLOT_ENTRIES: u32 = SECTOR_BYTES / 32;

/**
 * Prepares a file of `bytes` bytes: finds room for it in `bitmap` (leaving at least `floorClusters` free) and in
 * `directory`, and changes both buffers in memory. EXFAT_OK; or EXFAT_NO_SPACE, EXFAT_DIR_FULL, EXFAT_EXISTS, or
 * EXFAT_BAD_NAME (not 1 to 210 ASCII characters that exFAT allows), and then nothing is changed.
 */
export function exfat_add(
  state: usize,
  bitmap: usize,
  directory: usize,
  name: usize,
  nameBytes: u32,
  bytes: u64,
  utc: u64,
  floorClusters: u32,
): u32 {
  const v = changetype<Volume>(state);
  if (!name_valid(name, nameBytes) || set_entries(nameBytes) > SLOT_ENTRIES) return EXFAT_BAD_NAME;
  if (exfat_lookup(directory, name, nameBytes) >= 0) return EXFAT_EXISTS;
  if (!find_slot(v, directory, set_entries(nameBytes))) return EXFAT_DIR_FULL;
  const size: u64 = cluster_bytes(v);
  const count = bytes / size + (bytes % size ? 1 : 0);
  if (count + floorClusters > v.free) return EXFAT_NO_SPACE;
  const first = count ? exfat_find_run(state, bitmap, <u32>count) : 0;
  if (count && !first) return EXFAT_NO_SPACE;
  v.fileCluster = first;
  v.fileClusters = <u32>count;
  v.fileBytes = bytes;
  mark(v, bitmap);
  v.free -= <u32>count;
  for (let i: u32 = 0; i < v.padding; i++) store<u8>(directory + v.slot - (i + 1) * ENTRY_BYTES, TYPE_UNUSED);
  const flags = count ? ALLOCATION_POSSIBLE | NO_FAT_CHAIN : ALLOCATION_POSSIBLE;
  set_build(directory + v.slot, name, nameBytes, ATTRIBUTE_ARCHIVE, flags, first, bytes, utc);
  v.steps = 5 + (v.padding ? 1 : 0);
  return EXFAT_OK;
}

/** First of `count` free clusters in a row, the lowest such, or 0. */
export function exfat_find_run(state: usize, bitmap: usize, count: u32): u32 {
  const v = changetype<Volume>(state);
  let free: u32 = 0;
  for (let i: u32 = 0; i < v.clusters; i++) {
    if (!(i & 31) && load<u32>(bitmap + (i >> 3)) == 0xffffffff) {
      i += 31;
      free = 0;
    } else if ((load<u8>(bitmap + (i >> 3)) >> (i & 7)) & 1) {
      free = 0;
    } else if (++free == count) {
      return FIRST_CLUSTER + i + 1 - count;
    }
  }
  return 0;
}

function mark(v: Volume, bitmap: usize): void {
  const first = v.fileCluster - FIRST_CLUSTER;
  for (let i = first; i < first + v.fileClusters; i++) {
    const at = bitmap + (i >> 3);
    store<u8>(at, <u8>(load<u8>(at) | ((<u32>1) << (i & 7))));
  }
}

/** Byte offset of the entry set of the file called `name` within the directory's EXFAT_DIR_BYTES, or -1. */
export function exfat_lookup(directory: usize, name: usize, nameBytes: u32): i32 {
  for (let at: u32 = 0; at < <u32>EXFAT_DIR_BYTES; at += ENTRY_BYTES) {
    const type: u32 = load<u8>(directory + at);
    if (type == 0) break;
    if (type != TYPE_FILE || !set_valid(directory + at, EXFAT_DIR_BYTES - at)) continue;
    if (set_named(directory + at, name, nameBytes)) return at;
  }
  return -1;
}

/** Where `entries` free entries lie in one sector; those skipped at the directory's end are padded as unused. */
function find_slot(v: Volume, directory: usize, entries: u32): bool {
  let free: u32 = 0;
  for (let i: u32 = 0; i < <u32>EXFAT_DIR_BYTES / ENTRY_BYTES; i++) {
    const type: u32 = load<u8>(directory + i * ENTRY_BYTES);
    if (type == 0) return end_slot(v, i - free, i, entries);
    free = type & 0x80 ? 0 : i % SLOT_ENTRIES ? free + 1 : 1;
    if (free == entries) return take_slot(v, i + 1 - entries, 0, entries);
  }
  return false;
}

/** A slot that begins at free entry `i` or after it; `end` is the first entry after the last of the directory. */
function end_slot(v: Volume, i: u32, end: u32, entries: u32): bool {
  let at = i;
  if ((at % SLOT_ENTRIES) + entries > SLOT_ENTRIES) at += SLOT_ENTRIES - (at % SLOT_ENTRIES);
  if ((at + entries) * ENTRY_BYTES > <u32>EXFAT_DIR_BYTES) return false;
  return take_slot(v, at, at > end ? at - end : 0, entries);
}

function take_slot(v: Volume, at: u32, padding: u32, entries: u32): bool {
  v.slot = at * ENTRY_BYTES;
  v.padding = padding;
  v.entries = entries;
  v.padSector = (at - padding) / SLOT_ENTRIES;
  return true;
}

/** First cluster of the prepared file, and how many it takes. */
export function exfat_file_cluster(state: usize): u32 {
  return changetype<Volume>(state).fileCluster;
}

export function exfat_file_clusters(state: usize): u32 {
  return changetype<Volume>(state).fileClusters;
}

/** Steps of the prepared file. */
export function exfat_steps(state: usize): u32 {
  return changetype<Volume>(state).steps;
}

/** STEP_* of step `i`. */
export function exfat_step_kind(state: usize, i: u32): u32 {
  if (i < 3) return STEP_DIRTY + i;
  return i == exfat_steps(state) - 1 ? STEP_CLEAN : STEP_DIRECTORY;
}

/** Absolute first block of step `i`. */
export function exfat_step_lba(state: usize, i: u32): u64 {
  const v = changetype<Volume>(state);
  const kind = exfat_step_kind(state, i);
  if (kind == STEP_DATA) return v.fileClusters ? cluster_lba(v, v.fileCluster) : 0;
  if (kind == STEP_BITMAP)
    return cluster_lba(v, v.bitmapCluster) + exfat_step_offset(state, i) / SECTOR_BYTES;
  if (kind == STEP_DIRECTORY)
    return cluster_lba(v, v.directoryCluster) + exfat_step_offset(state, i) / SECTOR_BYTES;
  return v.lba;
}

/** Bytes from the start of the bitmap's or the directory's buffer to what step `i` writes; else 0. */
export function exfat_step_offset(state: usize, i: u32): u32 {
  const v = changetype<Volume>(state);
  const kind = exfat_step_kind(state, i);
  if (kind == STEP_BITMAP) return (bitmap_first(v) >> 9) << 9;
  if (kind == STEP_DIRECTORY) return v.padding && i == 3 ? v.padSector * SECTOR_BYTES : (v.slot >> 9) << 9;
  return 0;
}

/** Blocks of step `i`; of STEP_DATA, the last may be filled in part. */
export function exfat_step_blocks(state: usize, i: u32): u32 {
  const v = changetype<Volume>(state);
  const kind = exfat_step_kind(state, i);
  if (kind == STEP_DATA) return <u32>((v.fileBytes + SECTOR_BYTES - 1) / SECTOR_BYTES);
  if (kind == STEP_BITMAP) return v.fileClusters ? (bitmap_last(v) >> 9) - (bitmap_first(v) >> 9) + 1 : 0;
  return 1;
}

/** Puts the VolumeFlags of step `i` (STEP_DIRTY, STEP_CLEAN) into the boot sector at `boot`. */
export function exfat_step_boot(state: usize, i: u32, boot: usize): void {
  const v = changetype<Volume>(state);
  const dirty = exfat_step_kind(state, i) == STEP_DIRTY ? DIRTY : 0;
  store<u16>(boot, v.flags | dirty, 106);
}

/** Byte of the bitmap where the file's first (last) cluster is. */
function bitmap_first(v: Volume): u32 {
  return v.fileClusters ? (v.fileCluster - FIRST_CLUSTER) >> 3 : 0;
}

function bitmap_last(v: Volume): u32 {
  return v.fileClusters ? (v.fileCluster - FIRST_CLUSTER + v.fileClusters - 1) >> 3 : 0;
}
