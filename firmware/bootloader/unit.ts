/** The smallest piece of flash that is written: flags are one each. */
import { flash_read, flash_write } from './device';
import { FLAG_SET, UNIT_BYTES } from './layout';
import { UNIT_AT } from './memory';

const ERASED: u64 = 0xffffffffffffffff;
/** [MCUboot] bootutil_public: BOOT_FLAG_SET in the first byte, the rest as erased. */
const SET: u64 = 0xffffffffffffff00 | (<u64>FLAG_SET);

export const FLAG_CLEAR: u32 = 0;
export const FLAG_ON: u32 = 1;
/** The power went while it was written. */
export const FLAG_TORN: u32 = 2;

/** Reads a unit to UNIT_AT. */
export function unit_read(at: u32): void {
  flash_read(at, <u32>UNIT_AT, UNIT_BYTES);
}

export function unit_is_erased(): bool {
  return load<u64>(UNIT_AT) == ERASED;
}

export function flag_read(at: u32): u32 {
  unit_read(at);
  if (unit_is_erased()) return FLAG_CLEAR;
  return load<u64>(UNIT_AT) == SET ? FLAG_ON : FLAG_TORN;
}

/** False when the flash failed, or the unit is torn. */
export function flag_set(at: u32): bool {
  const now = flag_read(at);
  if (now != FLAG_CLEAR) return now == FLAG_ON;
  store<u64>(UNIT_AT, SET);
  return flash_write(at, <u32>UNIT_AT, UNIT_BYTES) == 0;
}
