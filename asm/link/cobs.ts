/**
 * Consistent overhead byte stuffing: bytes without zeros, so that a zero ends a packet.
 *
 * [COBS] Cheshire and Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on Networking 7(2), 1999
 */

/** Longest run that one code byte stands for. */
const RUN_MAX: u32 = 254;

/** Encodes `bytes` bytes; at most bytes + bytes / 254 + 1 are written to `to`. Returns how many. */
export function cobs_encode(from: usize, bytes: u32, to: usize): u32 {
  let code_at = to;
  let out = to + 1;
  let run: u32 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const byte = load<u8>(from + i);
    if (byte) {
      store<u8>(out++, byte);
      if (++run < RUN_MAX || i + 1 == bytes) continue;
    }
    store<u8>(code_at, run + 1);
    code_at = out++;
    run = 0;
  }
  store<u8>(code_at, run + 1);
  return <u32>(out - to);
}

/** Decodes in place the `bytes` bytes before the zero; how many are left, 0 if they are no packet. */
export function cobs_decode(at: usize, bytes: u32): u32 {
  let from: u32 = 0;
  let to: u32 = 0;
  while (from < bytes) {
    const code = <u32>load<u8>(at + from++);
    const run = code - 1;
    if (!code || run > bytes - from) return 0;
    for (let i: u32 = 0; i < run; i++) store<u8>(at + to++, load<u8>(at + from++));
    if (run < RUN_MAX && from < bytes) store<u8>(at + to++, 0);
  }
  return to;
}
