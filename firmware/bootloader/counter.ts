/**
 * The security counter of this board: the highest of any image that was confirmed here. It lies in two sectors, a unit an
 * entry (counter, ~counter), appended; when one is full the other is erased and gets the next. So a cut at any moment
 * leaves the last entry or has the new one.
 *
 * [MCUboot] docs/design.md "Downgrade prevention", hardware-based
 */
import { flash_erase, flash_write } from './device';
import { COUNTER_AT, COUNTER_BYTES, COUNTER_SECTORS, SECTOR_BYTES, UNIT_BYTES } from './layout';
import { UNIT_AT } from './memory';
import { unit_is_erased, unit_read } from './unit';

/** The counter; 0 on a new board. */
export function counter_read(): u32 {
  let highest: u32 = 0;
  for (let sector: u32 = 0; sector < COUNTER_SECTORS; sector++) highest = max(highest, highest_in(sector));
  return highest;
}

/** Address of a unit of the counter. */
function entry_at(sector: u32, offset: u32): u32 {
  return COUNTER_AT + sector * SECTOR_BYTES + offset;
}

function highest_in(sector: u32): u32 {
  let highest: u32 = 0;
  for (let at: u32 = 0; at < COUNTER_BYTES; at += UNIT_BYTES) {
    unit_read(entry_at(sector, at));
    const value = load<u32>(UNIT_AT);
    if (value == ~load<u32>(UNIT_AT + 4)) highest = max(highest, value);
  }
  return highest;
}

/** Raises the counter to `value`; false when the flash failed. */
export function counter_raise(value: u32): bool {
  if (counter_read() >= value) return true;
  let at = free_unit();
  if (at == NO_UNIT) {
    // All is full: the sector that does not hold the highest one goes.
    at = entry_at(highest_in(0) >= highest_in(1) ? 1 : 0, 0);
    if (flash_erase(at, SECTOR_BYTES) != 0) return false;
  }
  store<u32>(UNIT_AT, value);
  store<u32>(UNIT_AT + 4, ~value);
  return flash_write(at, <u32>UNIT_AT, UNIT_BYTES) == 0;
}

const NO_UNIT: u32 = 0xffffffff;

function free_unit(): u32 {
  for (let sector: u32 = 0; sector < COUNTER_SECTORS; sector++) {
    for (let at: u32 = 0; at < COUNTER_BYTES; at += UNIT_BYTES) {
      unit_read(entry_at(sector, at));
      if (unit_is_erased()) return entry_at(sector, at);
    }
  }
  return NO_UNIT;
}
