/**
 * Slicing-by-16: the table driven CRC that needs nothing but loads, shifts and exclusive or.
 *
 * [Slicing] Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation", 2008
 */

/** Fills 16 tables (16,384 bytes) at `tables` for a reflected polynomial. */
export function slice_init(tables: usize, polynomial: u32): void {
  for (let n: u32 = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (polynomial & (0 - (crc & 1)));
    store<u32>(tables + (n << 2), crc);
  }
  for (let n: u32 = 256; n < 4096; n++) {
    const before = load<u32>(tables + ((n - 256) << 2));
    store<u32>(tables + (n << 2), (before >> 8) ^ load<u32>(tables + ((before & 255) << 2)));
  }
}

/** One word of the state through the four tables that end at `tables` + 4 KiB. */
// @ts-ignore: decorator
@inline
function word(tables: usize, x: u32): u32 {
  return (
    load<u32>(tables + ((x & 255) << 2), 3072) ^
    load<u32>(tables + (((x >> 8) & 255) << 2), 2048) ^
    load<u32>(tables + (((x >> 16) & 255) << 2), 1024) ^
    load<u32>(tables + ((x >> 24) << 2))
  );
}

/** The inner state (neither pre- nor post-inverted) after `bytes` more bytes at `ptr`. */
export function slice_run(tables: usize, state: u32, ptr: usize, bytes: u32): u32 {
  for (let rows = bytes >> 4; rows; rows--) {
    state =
      word(tables + 12288, state ^ load<u32>(ptr)) ^
      word(tables + 8192, load<u32>(ptr, 4)) ^
      word(tables + 4096, load<u32>(ptr, 8)) ^
      word(tables, load<u32>(ptr, 12));
    ptr += 16;
  }
  for (let left = bytes & 15; left; left--) {
    state = (state >> 8) ^ load<u32>(tables + (((state ^ load<u8>(ptr)) & 255) << 2));
    ptr++;
  }
  return state;
}
