/**
 * The rotating sums of exFAT.
 *
 * [exFAT] Microsoft, "exFAT file system specification", 3.4 boot checksum, 6.3.3 SetChecksum, 7.2.2 TableChecksum,
 *         7.7.2 NameHash
 */

/** 16-bit sum over `bytes` bytes at `ptr`, continued from `sum`, [exFAT] 6.3.3 figure 2, 7.7.2. */
export function sum16(sum: u32, ptr: usize, bytes: u32): u32 {
  for (; bytes; bytes--, ptr++) sum = (((sum << 15) | (sum >> 1)) + load<u8>(ptr)) & 0xffff;
  return sum;
}

/** 32-bit sum over `bytes` bytes at `ptr`, continued from `sum`, [exFAT] 3.4 figure 1, 7.2.2. */
export function sum32(sum: u32, ptr: usize, bytes: u32): u32 {
  for (; bytes; bytes--, ptr++) sum = rotr<u32>(sum, 1) + load<u8>(ptr);
  return sum;
}
