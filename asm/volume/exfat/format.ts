/**
 * An empty exFAT volume with one directory, as a list of runs of sectors. The boot regions come last: a format that
 * was cut is no volume.
 *
 *   exfat_format_plan(state, lba, blocks, serial, utc, label, labelBytes) -> EXFAT_*
 *   for (i = 0; i < exfat_format_runs(state); i++) { n = exfat_format_run(state, i, buf); write n at exfat_run_lba }
 *
 * [exFAT] Microsoft, "exFAT file system specification", 2 volume structure, 3 main and backup boot regions, 4.1 FAT
 */
import { SECTOR_BYTES } from '../../layout';
import { sum32 } from '../../bytes/sum';
import {
  ALLOCATION_POSSIBLE,
  ATTRIBUTE_DIRECTORY,
  TYPE_BITMAP,
  TYPE_LABEL,
  TYPE_UPCASE,
  set_build,
} from './entry';
import { UPCASE_BYTES, UPCASE_CHECKSUM, upcase_fill } from './upcase';
import { EXFAT_BITMAP_BYTES, EXFAT_BOOT_BLOCKS, EXFAT_DIR_BYTES, EXFAT_OK, EXFAT_TOO_SMALL } from './codes';
import { ENTRY_BYTES, FIRST_CLUSTER, Volume, cluster_bytes, cluster_lba } from './volume';

/** Bytes of the buffer that exfat_format_run fills. */
export const EXFAT_RUN_BYTES = 65536;
const RUN_BLOCKS: u32 = 128;

const BITMAP: u32 = 2;
const UPCASE: u32 = 3;
const ROOT: u32 = 4;
const DIRECTORY: u32 = 5;
/** Clusters in use after formatting. */
const USED: u32 = 4;
const HEAP_ALIGN: u64 = 2048;
const FAT_OFFSET: u32 = 128;
const LABEL_UNITS: u32 = 11;
/** The one directory: where savecore puts core files. */
const NAME = memory.data<u8>([0x63, 0x6f, 0x72, 0x65, 0x73]);
const NAME_BYTES: u32 = 5;
const CLUSTERS_MAX: u64 = 262144;

/**
 * Plans a volume of `blocks` sectors at absolute block `lba`. Clusters are the smallest from 32 KiB up of which the
 * bitmap fits EXFAT_BITMAP_BYTES; past 8 TiB (of 32 MiB clusters) the rest of the region stays unused. `label` is
 * ASCII, cut at 11. EXFAT_OK or EXFAT_TOO_SMALL.
 */
export function exfat_format_plan(
  state: usize,
  lba: u64,
  blocks: u64,
  serial: u32,
  utc: u64,
  label: usize,
  labelBytes: u32,
): u32 {
  memory.fill(state, 0, offsetof<Volume>());
  const v = changetype<Volume>(state);
  let clusterBlocks: u64 = EXFAT_DIR_BYTES / SECTOR_BYTES;
  while (clusterBlocks < 65536 && blocks / clusterBlocks > CLUSTERS_MAX) clusterBlocks <<= 1;
  const most = min<u64>(CLUSTERS_MAX, blocks / clusterBlocks);
  const fatBlocks = <u32>((most + FIRST_CLUSTER) * 4 + SECTOR_BYTES - 1) / SECTOR_BYTES;
  const heap = (FAT_OFFSET + fatBlocks + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);
  if (blocks < heap + (USED + 1) * clusterBlocks) return EXFAT_TOO_SMALL;
  v.lba = lba;
  v.clusters = <u32>min<u64>(CLUSTERS_MAX, (blocks - heap) / clusterBlocks);
  v.blocks = min<u64>(blocks, heap + <u64>v.clusters * clusterBlocks);
  v.heapLba = lba + heap;
  v.fatOffset = FAT_OFFSET;
  v.fatBlocks = fatBlocks;
  v.clusterBlocks = <u32>clusterBlocks;
  v.rootCluster = ROOT;
  v.bitmapCluster = BITMAP;
  v.bitmapBytes = (v.clusters + 7) / 8;
  v.directoryCluster = DIRECTORY;
  v.free = v.clusters - USED;
  v.serial = serial;
  v.utc = utc;
  v.labelUnits = min<u32>(labelBytes, LABEL_UNITS);
  for (let i: u32 = 0; i < v.labelUnits; i++) {
    store<u16>(state + offsetof<Volume>('label0') + 2 * i, load<u8>(label + i));
  }
  v.runs = fat_runs(v) + 2 + 2 * directory_runs(v) + 2;
  return EXFAT_OK;
}

/** Runs of a plan. */
export function exfat_format_runs(state: usize): u32 {
  return changetype<Volume>(state).runs;
}

/** Absolute block of the run that was asked for last. */
export function exfat_run_lba(state: usize): u64 {
  return changetype<Volume>(state).runLba;
}

/** Fills `buf` (EXFAT_RUN_BYTES) with run `i` of the plan; gives its blocks. See exfat_run_lba. */
export function exfat_format_run(state: usize, i: u32, buf: usize): u32 {
  const v = changetype<Volume>(state);
  memory.fill(buf, 0, EXFAT_RUN_BYTES);
  if (i < fat_runs(v)) return fat_run(v, i, buf);
  i -= fat_runs(v);
  if (i == 0) return bitmap_run(v, buf);
  if (i == 1) return upcase_run(v, buf);
  i -= 2;
  if (i < directory_runs(v)) {
    if (i == 0) root_entries(v, buf);
    return directory_run(v, ROOT, i);
  }
  i -= directory_runs(v);
  if (i < directory_runs(v)) return directory_run(v, DIRECTORY, i);
  i -= directory_runs(v);
  boot_region(v, buf);
  v.runLba = v.lba + (i == 0 ? EXFAT_BOOT_BLOCKS : 0); // the backup, then the main one
  return EXFAT_BOOT_BLOCKS;
}

function fat_runs(v: Volume): u32 {
  return (v.fatBlocks + RUN_BLOCKS - 1) / RUN_BLOCKS;
}

/** The FAT: each of the four first clusters is a chain of its own, [exFAT] 4.1. */
function fat_run(v: Volume, i: u32, buf: usize): u32 {
  if (i == 0) {
    store<u32>(buf, 0xfffffff8);
    for (let entry: u32 = 1; entry < FIRST_CLUSTER + USED; entry++) store<u32>(buf + 4 * entry, 0xffffffff);
  }
  v.runLba = v.lba + v.fatOffset + i * RUN_BLOCKS;
  return min<u32>(RUN_BLOCKS, v.fatBlocks - i * RUN_BLOCKS);
}

function bitmap_run(v: Volume, buf: usize): u32 {
  store<u8>(buf, 0x0f); // the first four clusters
  v.runLba = cluster_lba(v, BITMAP);
  return EXFAT_BITMAP_BYTES / SECTOR_BYTES;
}

function upcase_run(v: Volume, buf: usize): u32 {
  upcase_fill(buf);
  v.runLba = cluster_lba(v, UPCASE);
  return (UPCASE_BYTES + SECTOR_BYTES - 1) / SECTOR_BYTES;
}

function directory_runs(v: Volume): u32 {
  return (v.clusterBlocks + RUN_BLOCKS - 1) / RUN_BLOCKS;
}

function directory_run(v: Volume, cluster: u32, i: u32): u32 {
  v.runLba = cluster_lba(v, cluster) + i * RUN_BLOCKS;
  return min<u32>(RUN_BLOCKS, v.clusterBlocks - i * RUN_BLOCKS);
}

/** Volume label, allocation bitmap, up-case table, directory: [exFAT] 7.3, 7.1, 7.2, 7.4. */
function root_entries(v: Volume, buf: usize): void {
  store<u8>(buf, v.labelUnits ? TYPE_LABEL : TYPE_LABEL & 0x7f);
  store<u8>(buf, v.labelUnits, 1);
  memory.copy(buf + 2, changetype<usize>(v) + offsetof<Volume>('label0'), 2 * LABEL_UNITS);
  const bitmap = buf + ENTRY_BYTES;
  store<u8>(bitmap, TYPE_BITMAP);
  store<u32>(bitmap, BITMAP, 20);
  store<u64>(bitmap, v.bitmapBytes, 24);
  const upcase = bitmap + ENTRY_BYTES;
  store<u8>(upcase, TYPE_UPCASE);
  store<u32>(upcase, UPCASE_CHECKSUM, 4);
  store<u32>(upcase, UPCASE, 20);
  store<u64>(upcase, UPCASE_BYTES, 24);
  const directory = upcase + ENTRY_BYTES;
  const bytes = cluster_bytes(v);
  set_build(directory, NAME, NAME_BYTES, ATTRIBUTE_DIRECTORY, ALLOCATION_POSSIBLE, DIRECTORY, bytes, v.utc);
}

/** Boot sector, eight extended ones, OEM parameters, reserved, checksum: [exFAT] 3.1 to 3.4. */
function boot_region(v: Volume, buf: usize): void {
  store<u32>(buf, 0x459076eb); // EBh 76h 90h "E"
  store<u32>(buf, 0x54414658, 4); // "XFAT"
  store<u32>(buf, 0x00202020, 8); // three spaces, then MustBeZero
  store<u64>(buf, v.lba, 64);
  store<u64>(buf, v.blocks, 72);
  store<u32>(buf, v.fatOffset, 80);
  store<u32>(buf, v.fatBlocks, 84);
  store<u32>(buf, <u32>(v.heapLba - v.lba), 88);
  store<u32>(buf, v.clusters, 92);
  store<u32>(buf, v.rootCluster, 96);
  store<u32>(buf, v.serial, 100);
  store<u16>(buf, 0x0100, 104);
  store<u8>(buf, 9, 108);
  store<u8>(buf, ctz<u32>(v.clusterBlocks), 109);
  store<u8>(buf, 1, 110);
  store<u8>(buf, 0x80, 111);
  store<u8>(buf, 0xff, 112); // PercentInUse: not available
  memory.fill(buf + 120, 0xf4, 390);
  store<u16>(buf, 0xaa55, 510);
  for (let sector: usize = 1; sector < 9; sector++) store<u32>(buf + sector * 512 + 508, 0xaa550000);
  const sum = boot_checksum(buf);
  for (let at: usize = 11 * 512; at < 12 * 512; at += 4) store<u32>(buf + at, sum);
}

/** Sum over the first eleven sectors but VolumeFlags and PercentInUse, [exFAT] 3.4. */
export function boot_checksum(buf: usize): u32 {
  const sum = sum32(sum32(0, buf, 106), buf + 108, 4);
  return sum32(sum, buf + 113, 11 * 512 - 113);
}
