/**
 * A bit that is set in a CDB where its usage data has 0 is a reserved one, and refused.
 *
 * [SPC-4] 4.2.5 common CDB fields, 6.35.3 CDB usage data
 */

/** True if bits of the CDB are set where its usage data has none. */
// @ts-ignore: decorator
@inline
export function reserved_bits(cdb: usize, usage: usize): bool {
  return ((load<u64>(cdb) & ~load<u64>(usage)) | (load<u64>(cdb, 8) & ~load<u64>(usage, 8))) != 0;
}

/** The first byte with reserved bits set. */
export function reserved_byte(cdb: usize, usage: usize): u32 {
  let at: u32 = 0;
  while (at < 15 && !(load<u8>(cdb + at) & ~load<u8>(usage + at))) at++;
  return at;
}

/** The leftmost of them in that byte. */
export function reserved_bit(cdb: usize, usage: usize, byte: u32): u32 {
  return 31 - clz<u32>(load<u8>(cdb + byte) & ~load<u8>(usage + byte));
}
