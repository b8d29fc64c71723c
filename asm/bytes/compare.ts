/** Byte by byte: what COMPARE AND WRITE, VERIFY and ORWRITE do with data, [SBC-3] 5.2, 5.9, 5.30. */

/** Offset of the first of `bytes` bytes that differs; `bytes` when none does. */
export function first_difference(one: u32, other: u32, bytes: u32): u32 {
  let at: u32 = 0;
  while (at + 8 <= bytes && load<u64>(<usize>one + at) == load<u64>(<usize>other + at)) at += 8;
  while (at < bytes && load<u8>(<usize>one + at) == load<u8>(<usize>other + at)) at++;
  return at;
}

/** Each byte at `into` becomes itself or the one at `from`. */
export function or_into(into: u32, from: u32, bytes: u32): void {
  let at: u32 = 0;
  for (; at + 8 <= bytes; at += 8) {
    store<u64>(<usize>into + at, load<u64>(<usize>into + at) | load<u64>(<usize>from + at));
  }
  for (; at < bytes; at++)
    store<u8>(<usize>into + at, load<u8>(<usize>into + at) | load<u8>(<usize>from + at));
}
