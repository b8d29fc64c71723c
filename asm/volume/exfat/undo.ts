/**
 * Taking back what a file that was cut on its way left behind, or one that must be made anew: its entry set, if it got
 * that far, and its clusters. The caller knows which clusters they were, because it noted them before it began.
 *
 * The order on the disk: STEP_DIRTY, STEP_DIRECTORY when there is an entry set, STEP_BITMAP, STEP_CLEAN. Cut anywhere,
 * the same can be done again.
 *
 * [exFAT] Microsoft, "exFAT file system specification", 6.2.1.4 InUse, 8.1 recommended write ordering
 */
import { TYPE_FILE, set_valid } from './entry';
import { EXFAT_DIR_BYTES } from './codes';
import { DIRTY, ENTRY_BYTES, FIRST_CLUSTER, Volume, cluster_bytes, holds } from './volume';

const IN_USE: u8 = 0x80;

/** True for a run of clusters that can be a file's on this volume. */
export function exfat_run_sound(state: usize, first: u32, count: u32): bool {
  const v = changetype<Volume>(state);
  return count > 0 && count <= v.clusters && holds(v, first) && holds(v, first + count - 1);
}

/** Byte offset in the directory of the file that has any of these clusters, or -1. */
export function exfat_owner(state: usize, directory: usize, first: u32, count: u32): i32 {
  const size: u64 = cluster_bytes(changetype<Volume>(state));
  for (let at: u32 = 0; at < <u32>EXFAT_DIR_BYTES; at += ENTRY_BYTES) {
    const type: u32 = load<u8>(directory + at);
    if (type == 0) break;
    if (type != TYPE_FILE || !set_valid(directory + at, EXFAT_DIR_BYTES - at)) continue;
    const stream = directory + at + ENTRY_BYTES;
    const begin: u64 = load<u32>(stream, 20);
    const end = begin + (load<u64>(stream, 24) + size - 1) / size;
    if (begin < <u64>first + count && <u64>first < end) return at;
  }
  return -1;
}

/** Takes the run back in both buffers, and the entry set at `entry` unless that is -1; the steps then name its sectors. */
export function exfat_undo(
  state: usize,
  bitmap: usize,
  directory: usize,
  entry: i32,
  first: u32,
  count: u32,
): void {
  const v = changetype<Volume>(state);
  for (let i = first - FIRST_CLUSTER, end = i + count; i < end; i++) {
    const at = bitmap + (i >> 3);
    store<u8>(at, <u8>(load<u8>(at) & ~((<u32>1) << (i & 7))));
  }
  v.fileCluster = first;
  v.fileClusters = count;
  v.padding = 0;
  v.steps = 5;
  if (entry < 0) return;
  v.slot = entry;
  const entries = <u32>load<u8>(directory + entry, 1) + 1;
  for (let i: u32 = 0; i < entries; i++) {
    const at = directory + entry + i * ENTRY_BYTES;
    store<u8>(at, load<u8>(at) & ~IN_USE);
  }
}

export function exfat_is_dirty(state: usize): bool {
  return (changetype<Volume>(state).flags & DIRTY) != 0;
}

/** The caller knows that nobody but itself left the volume dirty: STEP_CLEAN says so. */
export function exfat_was_clean(state: usize): void {
  const v = changetype<Volume>(state);
  v.flags &= ~DIRTY;
}
