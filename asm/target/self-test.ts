/**
 * Self-tests, and the results of the last twenty. A test looks at what the device server itself keeps: the mode pages,
 * the registrations, the non-volatile image. It takes no time, so one in the background is over before its status.
 *
 * [SPC-4] 5.14 self-test operations, 6.42 SEND DIAGNOSTIC table 303, 7.3.17 self-test results log page
 */
import { REGISTRATION_MAX } from '../layout';
import { PAGES_BYTES, mode_changeable, mode_page_bytes } from './mode-pages';
import { nv_sound } from './nv';
import { LogicalUnit, mode_current_at, mode_saved_at, registration_at, self_test_at } from './unit';

export const SELF_TEST_MAX: u32 = 20;
/** A result as the log page has it, behind the parameter's header. */
export const SELF_TEST_BYTES: u32 = 16;

const PASSED: u32 = 0;
const FAILED_SEGMENT: u32 = 7; // "completed with one or more segments failed"
const KEY_HARDWARE: u8 = 0x04;
const FAILED_ASC: u8 = 0x3e; // 3E03h LOGICAL UNIT FAILED SELF-TEST
const FAILED_ASCQ: u8 = 0x03;
const NO_LBA: u64 = u64.MAX_VALUE;

/** Runs a test. True if it passed; SELF-TEST CODE `code` 0, the default self-test, leaves no result. */
export function self_test(unit: LogicalUnit, code: u32): bool {
  const failed = !pages_sound(unit) ? 1 : !registrations_sound(unit) ? 2 : !nv_sound(unit) ? 3 : 0;
  if (code) record(unit, code, failed);
  return !failed;
}

/** The newest result stands first. POWER ON HOURS is 0, as no time passes in here. */
function record(unit: LogicalUnit, code: u32, failed: u32): void {
  const at = self_test_at(unit);
  memory.copy(at + SELF_TEST_BYTES, at, (SELF_TEST_MAX - 1) * SELF_TEST_BYTES);
  memory.fill(at, 0, SELF_TEST_BYTES);
  store<u8>(at, (code << 5) | (failed ? FAILED_SEGMENT : PASSED));
  store<u8>(at, failed, 1); // SELF-TEST NUMBER: the segment that failed
  store<u64>(at, NO_LBA, 4);
  if (!failed) return;
  store<u8>(at, KEY_HARDWARE, 12);
  store<u8>(at, FAILED_ASC, 13);
  store<u8>(at, FAILED_ASCQ, 14);
}

/** Current and saved pages have the headers they were made with. */
function pages_sound(unit: LogicalUnit): bool {
  const made = mode_changeable();
  for (let at: u32 = 0; at < PAGES_BYTES; at += mode_page_bytes(made + at)) {
    const head = load<u16>(made + at);
    if (load<u16>(mode_current_at(unit) + at) != head || load<u16>(mode_saved_at(unit) + at) != head)
      return false;
  }
  return true;
}

/** As many as are counted, and the holder is one of them. */
function registrations_sound(unit: LogicalUnit): bool {
  let count: u32 = 0;
  for (let i: u32 = 0; i < <u32>REGISTRATION_MAX; i++) if (registration_at(unit, i).used) count++;
  if (count != unit.registrations || (unit.reservationType && !count)) return false;
  return (
    !unit.holder || (unit.holder <= <u32>REGISTRATION_MAX && registration_at(unit, unit.holder - 1).used != 0)
  );
}
