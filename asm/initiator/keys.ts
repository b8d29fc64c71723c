/**
 * Parameter data of PERSISTENT RESERVE IN.
 *
 * [SPC-4] 6.15.2 READ KEYS, 6.15.3 READ RESERVATION
 */
import { load_be32, load_be64 } from '../bytes/endian';

/** True when `key` is among the keys of READ KEYS data of which `bytes` bytes were asked for. */
export function keys_contain(data: usize, bytes: u32, key: u64): bool {
  const listed = min<u32>(load_be32(data + 4), bytes - 8);
  for (let at: u32 = 0; at + 8 <= listed; at += 8) {
    if (load_be64(data + 8 + at) == key) return true;
  }
  return false;
}

/** The first key whose upper word (system id) is `system`, or 0. */
export function keys_find_system(data: usize, bytes: u32, system: u32): u64 {
  const listed = min<u32>(load_be32(data + 4), bytes - 8);
  for (let at: u32 = 0; at + 8 <= listed; at += 8) {
    const key = load_be64(data + 8 + at);
    if (<u32>(key >> 32) == system) return key;
  }
  return 0;
}

/** Key of the reservation holder in READ RESERVATION data, or 0 without a reservation. */
export function reservation_key(data: usize): u64 {
  return load_be32(data + 4) >= 16 ? load_be64(data + 8) : 0;
}

/** Type of the reservation. */
export function reservation_type(data: usize): u32 {
  return load_be32(data + 4) >= 16 ? load<u8>(data + 21) & 0x0f : 0;
}
