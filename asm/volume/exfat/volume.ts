/**
 * What is known of an exFAT volume while it is formatted or written to. All functions of this folder are pure over
 * such a state and the caller's sector buffers: firmware does the reads and writes itself, between its cycles.
 *
 * [exFAT] Microsoft, "exFAT file system specification", 3.1 main boot sector, 4 FAT region, 5 data region
 */
import { SECTOR_BYTES } from '../../layout';

export const ENTRY_BYTES: u32 = 32;
export const DIRTY: u32 = 2; // VolumeFlags.VolumeDirty, [exFAT] 3.1.13.2
/** Clusters count from 2, [exFAT] 5. */
export const FIRST_CLUSTER: u32 = 2;


@unmanaged
export class Volume {
  /** Absolute on the disk. */
  lba: u64;
  blocks: u64;
  /** Absolute first block of cluster 2. */
  heapLba: u64;
  fatBlocks: u32;
  /** From the volume's first block. */
  fatOffset: u32;
  clusterBlocks: u32;
  clusters: u32;
  rootCluster: u32;
  bitmapCluster: u32;
  bitmapBytes: u32;
  directoryCluster: u32;
  free: u32;
  serial: u32;
  /** VolumeFlags as found at mounting. */
  flags: u32;
  runs: u32;
  /** Of the run or step last asked for. */
  runLba: u64;
  utc: u64;
  /** The file that the steps add. */
  fileBytes: u64;
  fileCluster: u32;
  fileClusters: u32;
  steps: u32;
  labelUnits: u32;
  /** 11 UTF-16 code units. */
  label0: u64;
  label1: u64;
  label2: u64;
  /** From the directory's first byte. */
  slot: u32;
  padding: u32;
  entries: u32;
  /** The directory sector where the padding before the slot begins. */
  padSector: u32;
}

export function cluster_lba(v: Volume, cluster: u32): u64 {
  return v.heapLba + <u64>(cluster - FIRST_CLUSTER) * v.clusterBlocks;
}

export function cluster_bytes(v: Volume): u32 {
  return v.clusterBlocks * SECTOR_BYTES;
}

export function holds(v: Volume, cluster: u32): bool {
  return cluster >= FIRST_CLUSTER && cluster - FIRST_CLUSTER < v.clusters;
}
