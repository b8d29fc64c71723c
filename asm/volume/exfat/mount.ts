/**
 * Reading the volume that savecore writes to. Three reads, each given to one function:
 *
 *   EXFAT_BOOT_BLOCKS at the region's first block -> exfat_mount
 *   EXFAT_DIR_BYTES at exfat_root_lba             -> exfat_root
 *   EXFAT_BITMAP_BYTES at exfat_bitmap_lba        -> exfat_bitmap
 *
 * [exFAT] Microsoft, "exFAT file system specification", 3.1 main boot sector, 7.1 allocation bitmap
 */
import { SECTOR_BYTES } from '../../layout';
import { boot_checksum } from './format';
import { ATTRIBUTE_DIRECTORY, TYPE_BITMAP, TYPE_FILE, set_named, set_valid } from './entry';
import {
  EXFAT_BAD_BOOT,
  EXFAT_BAD_ROOT,
  EXFAT_BITMAP_BYTES,
  EXFAT_DIR_BYTES,
  EXFAT_NOT_EXFAT,
  EXFAT_OK,
  EXFAT_UNSUPPORTED,
} from './codes';
import { ENTRY_BYTES, FIRST_CLUSTER, Volume, cluster_lba, holds } from './volume';

/**
 * Takes the boot region in `boot` of a volume at absolute block `lba`, in a region of `blocks` blocks. EXFAT_OK,
 * EXFAT_NOT_EXFAT, EXFAT_BAD_BOOT, or EXFAT_UNSUPPORTED (sectors not of 512 bytes, two FATs, clusters under 32 KiB, a
 * bitmap over EXFAT_BITMAP_BYTES).
 */
export function exfat_mount(state: usize, boot: usize, lba: u64, blocks: u64): u32 {
  memory.fill(state, 0, offsetof<Volume>());
  if (load<u32>(boot, 3) != 0x41465845 || load<u16>(boot, 510) != 0xaa55) return EXFAT_NOT_EXFAT;
  if (load<u32>(boot, 7) != 0x20202054) return EXFAT_NOT_EXFAT;
  if (load<u32>(boot, 11 * 512) != boot_checksum(boot)) return EXFAT_BAD_BOOT;
  if (load<u8>(boot, 108) != 9 || load<u8>(boot, 110) != 1) return EXFAT_UNSUPPORTED;
  const v = changetype<Volume>(state);
  const shift: u32 = load<u8>(boot, 109);
  v.lba = lba;
  v.blocks = load<u64>(boot, 72);
  v.fatOffset = load<u32>(boot, 80);
  v.fatBlocks = load<u32>(boot, 84);
  v.clusters = load<u32>(boot, 92);
  v.rootCluster = load<u32>(boot, 96);
  v.serial = load<u32>(boot, 100);
  v.flags = load<u16>(boot, 106);
  const heap: u64 = load<u32>(boot, 88);
  v.heapLba = lba + heap;
  if (shift > 16) return EXFAT_BAD_BOOT;
  v.clusterBlocks = 1 << shift;
  v.bitmapBytes = (v.clusters + 7) / 8;
  if (v.blocks > blocks || v.clusters == 0 || !holds(v, v.rootCluster)) return EXFAT_BAD_BOOT;
  if (v.fatOffset < 24 || heap < <u64>v.fatOffset + v.fatBlocks) return EXFAT_BAD_BOOT;
  if ((<u64>v.clusters) << shift > v.blocks || heap > v.blocks - ((<u64>v.clusters) << shift))
    return EXFAT_BAD_BOOT;
  if (v.clusterBlocks < <u32>(EXFAT_DIR_BYTES / SECTOR_BYTES)) return EXFAT_UNSUPPORTED;
  return v.bitmapBytes > <u32>EXFAT_BITMAP_BYTES ? EXFAT_UNSUPPORTED : EXFAT_OK;
}

/**
 * Finds the allocation bitmap and the directory called `name` (ASCII) in the root directory's first EXFAT_DIR_BYTES
 * at `buf`. EXFAT_OK or EXFAT_BAD_ROOT.
 */
export function exfat_root(state: usize, buf: usize, name: usize, nameBytes: u32): u32 {
  const v = changetype<Volume>(state);
  for (let at: u32 = 0; at < <u32>EXFAT_DIR_BYTES; at += ENTRY_BYTES) {
    const entry = buf + at;
    const type: u32 = load<u8>(entry);
    if (type == 0) break;
    if (type == TYPE_BITMAP) {
      if (load<u64>(entry, 24) != v.bitmapBytes) return EXFAT_BAD_ROOT;
      v.bitmapCluster = load<u32>(entry, 20);
    } else if (type == TYPE_FILE && set_valid(entry, EXFAT_DIR_BYTES - at)) {
      const directory = (load<u16>(entry, 4) & ATTRIBUTE_DIRECTORY) != 0;
      if (directory && set_named(entry, name, nameBytes)) {
        v.directoryCluster = load<u32>(entry + ENTRY_BYTES, 20);
      }
    }
  }
  return holds(v, v.bitmapCluster) && holds(v, v.directoryCluster) ? EXFAT_OK : EXFAT_BAD_ROOT;
}

/** Takes the whole bitmap (EXFAT_BITMAP_BYTES at `buf`, read from exfat_bitmap_lba): gives the free clusters. */
export function exfat_bitmap(state: usize, buf: usize): u32 {
  const v = changetype<Volume>(state);
  let used: u32 = 0;
  const words = v.clusters >> 5;
  for (let i: u32 = 0; i < words; i++) used += popcnt<u32>(load<u32>(buf + 4 * i));
  const rest = v.clusters & 31;
  if (rest) used += popcnt<u32>(load<u32>(buf + 4 * words) & ((1 << rest) - 1));
  v.free = v.clusters - used;
  return v.free;
}

export function exfat_root_lba(state: usize): u64 {
  const v = changetype<Volume>(state);
  return cluster_lba(v, v.rootCluster);
}

export function exfat_bitmap_lba(state: usize): u64 {
  const v = changetype<Volume>(state);
  return cluster_lba(v, v.bitmapCluster);
}

export function exfat_directory_lba(state: usize): u64 {
  const v = changetype<Volume>(state);
  return cluster_lba(v, v.directoryCluster);
}

/** Bytes of a cluster. */
export function exfat_cluster_bytes(state: usize): u32 {
  return changetype<Volume>(state).clusterBlocks * SECTOR_BYTES;
}

export function exfat_clusters(state: usize): u32 {
  return changetype<Volume>(state).clusters;
}

export function exfat_free_clusters(state: usize): u32 {
  return changetype<Volume>(state).free;
}

/** First cluster of the heap, for callers that walk the bitmap. */
export const EXFAT_FIRST_CLUSTER = FIRST_CLUSTER;
