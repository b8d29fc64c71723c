/**
 * CRC32C, the checksum of everything that sparecore puts on a disk.
 *
 * [iSCSI]   RFC 7143 13.1, and RFC 3385: the Castagnoli polynomial 1EDC6F41h, reflected 82F63B78h
 * [Slicing] Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation", 2008
 */
import { FOLDED_BYTES, FOLD_MIN, before_zeros, fold, folded } from './fold';
import { slice_init, slice_run } from './slicing';

const POLYNOMIAL: u32 = 0x82f63b78;
/** At most so much in one call of the kernel: an engine replaces cold code only between calls. */
const PIECE: u32 = 4194304;
/** Sixteen tables of 256 words. */
const TABLES = memory.data(16384, 16);

// A wasm global and not a word of memory on purpose: a new instance over old RAM finds it false and fills afresh.
let ready = false;

/** Fills the tables. Firmware calls it at boot, so that no panic pays for it; else the first checksum does. */
export function crc32c_init(): void {
  slice_init(TABLES, POLYNOMIAL);
  ready = true;
}

/**
 * CRC32C of `bytes` bytes at `ptr`, continued from `crc`, the checksum of what went before (0 at the start).
 * Counts bytes and never compares pointers: in a memory of 4 GiB the end is address 0.
 */
export function crc32c(crc: u32, ptr: usize, bytes: u32): u32 {
  if (!ready) crc32c_init();
  let state = ~crc;
  if (ASC_FEATURE_SIMD) {
    while (bytes >= FOLD_MIN) {
      const rows = min<u32>(bytes, PIECE) >> 4;
      const hasZeros = fold(state, ptr, rows);
      state = slice_run(TABLES, 0, folded(), FOLDED_BYTES);
      if (hasZeros) state = before_zeros(state);
      ptr += (<usize>rows) << 4;
      bytes -= rows << 4;
    }
  }
  return ~slice_run(TABLES, state, ptr, bytes);
}
