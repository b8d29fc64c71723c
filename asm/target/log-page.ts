/**
 * The log pages, put together in the scratch memory: a header of 4 bytes, then log parameters by ascending code.
 *
 * [SPC-4] 7.3.2 log page structure; 7.3.3 supported log pages and 7.3.22 and subpages, 7.3.4 error counters,
 *         7.3.10 informational exceptions (2Fh), 7.3.17 self-test results (10h), 7.3.20 start-stop cycle counter
 *         (0Eh), 7.3.21 temperature (0Dh)
 */
import { store_be16, store_be32, store_be64 } from '../bytes/endian';
import { SCRATCH } from './scratch';
import { SELF_TEST_BYTES, SELF_TEST_MAX } from './self-test';
import { LogicalUnit, self_test_at } from './unit';

export const LOG_SUPPORTED: u32 = 0x00;
export const LOG_WRITE_ERRORS: u32 = 0x02;
export const LOG_READ_ERRORS: u32 = 0x03;
export const LOG_VERIFY_ERRORS: u32 = 0x05;
const LOG_TEMPERATURE: u32 = 0x0d;
const LOG_START_STOP: u32 = 0x0e;
const LOG_SELF_TESTS: u32 = 0x10;
const LOG_EXCEPTIONS: u32 = 0x2f;
const PAGES = memory.data<u8>([0x00, 0x02, 0x03, 0x05, 0x0d, 0x0e, 0x10, 0x2f]);
const PAGES_COUNT: u32 = 8;
export const ALL_SUBPAGES: u32 = 0xff;

/** Page control, [SPC-4] 6.8 table 201. */
export const PC_CUMULATIVE: u32 = 1;
export const PC_DEFAULT_CUMULATIVE: u32 = 3;

/** Parameter control byte: bounded counter (FORMAT AND LINKING 00b) or binary list (11b), neither saved (TSD). */
const COUNTER: u32 = 0x20;
const LIST: u32 = 0x23;
/** There is no sensor, so the temperature is not known, [SPC-4] 7.3.21. */
const NO_TEMPERATURE: u8 = 0xff;
const DISABLE_SAVE: u8 = 0x80;

export function log_page_exists(page: u32): bool {
  for (let i: u32 = 0; i < PAGES_COUNT; i++) if (load<u8>(PAGES + i) == page) return true;
  return false;
}

export function log_page_counts(page: u32): bool {
  return page == LOG_WRITE_ERRORS || page == LOG_READ_ERRORS || page == LOG_VERIFY_ERRORS;
}

/** Builds the page; returns its bytes, 0 if there is none of this code and subpage. */
export function log_page(unit: LogicalUnit, page: u32, subpage: u32, pc: u32): u32 {
  store<u32>(SCRATCH, page);
  if (subpage) {
    if (page != LOG_SUPPORTED || subpage != ALL_SUBPAGES) return 0;
    store<u8>(SCRATCH, 0x40); // SPF
    store<u8>(SCRATCH, ALL_SUBPAGES, 1);
    return finish(supported_subpages(SCRATCH + 4));
  }
  if (page == LOG_SUPPORTED) {
    memory.copy(SCRATCH + 4, PAGES, PAGES_COUNT);
    return finish(SCRATCH + 4 + PAGES_COUNT);
  }
  store<u8>(SCRATCH, page | DISABLE_SAVE);
  switch (page) {
    case LOG_WRITE_ERRORS:
      return finish(error_counters(pc, unit.writtenBytes, unit.writeErrors));
    case LOG_READ_ERRORS:
      return finish(error_counters(pc, unit.readBytes, unit.readErrors));
    case LOG_VERIFY_ERRORS:
      return finish(error_counters(pc, unit.verifiedBytes, 0));
    case LOG_TEMPERATURE:
      return finish(temperature());
    case LOG_START_STOP:
      return finish(start_stop(unit));
    case LOG_SELF_TESTS:
      return finish(self_tests(unit));
    case LOG_EXCEPTIONS:
      return finish(exceptions(unit));
    default:
      return 0;
  }
}

function finish(end: usize): u32 {
  const bytes = <u32>(end - SCRATCH);
  store_be16(SCRATCH + 2, bytes - 4);
  return bytes;
}

/** 00h/00h, 00h/FFh, then the pages, which have no subpages. */
function supported_subpages(at: usize): usize {
  for (let i: u32 = 0; i < PAGES_COUNT; i++) {
    store<u16>(at, load<u8>(PAGES + i));
    at += 2;
    if (i) continue;
    store<u16>(at, ALL_SUBPAGES << 8);
    at += 2;
  }
  return at;
}

/** A parameter's header; returns the address of its value. */
function parameter(at: usize, code: u32, control: u32, bytes: u32): usize {
  store_be16(at, code);
  store<u8>(at, control, 2);
  store<u8>(at, bytes, 3);
  memory.fill(at + 4, 0, bytes);
  return at + 4;
}

/**
 * Errors corrected without and with delay, retries, errors corrected, corrections tried: none, as an emulated medium
 * returns a block or does not. Then bytes processed and uncorrected errors. Thresholds are such as are never met.
 */
function error_counters(pc: u32, processed: u64, uncorrected: u64): usize {
  let at = SCRATCH + 4;
  for (let code: u32 = 0; code <= 6; code++) {
    let value: u64 = code == 5 ? processed : code == 6 ? uncorrected : 0;
    if (pc == PC_DEFAULT_CUMULATIVE) value = 0;
    else if (pc != PC_CUMULATIVE) value = u64.MAX_VALUE;
    at = parameter(at, code, COUNTER, 8);
    store_be64(at, value);
    at += 8;
  }
  return at;
}

function temperature(): usize {
  let at = SCRATCH + 4;
  for (let code: u32 = 0; code < 2; code++) {
    at = parameter(at, code, LIST, 2);
    store<u8>(at, NO_TEMPERATURE, 1);
    at += 2;
  }
  return at;
}

/** Dates are blanks, which says that they are not known; cycles over the life of the disk have no limit. */
function start_stop(unit: LogicalUnit): usize {
  let at = SCRATCH + 4;
  for (let code: u32 = 1; code <= 4; code++) {
    const date = code <= 2;
    at = parameter(at, code, LIST, date ? 6 : 4);
    if (date) memory.fill(at, 0x20, 6);
    else store_be32(at, code == 3 ? u32.MAX_VALUE : unit.startStops);
    at += date ? 6 : 4;
  }
  return at;
}

function self_tests(unit: LogicalUnit): usize {
  let at = SCRATCH + 4;
  for (let code: u32 = 1; code <= SELF_TEST_MAX; code++) {
    at = parameter(at, code, LIST, SELF_TEST_BYTES);
    memory.copy(at, self_test_at(unit) + <usize>((code - 1) * SELF_TEST_BYTES), SELF_TEST_BYTES);
    at += SELF_TEST_BYTES;
  }
  return at;
}

function exceptions(unit: LogicalUnit): usize {
  const at = parameter(SCRATCH + 4, 0, LIST, 4);
  store_be16(at, unit.exception);
  store<u8>(at, NO_TEMPERATURE, 2);
  return at + 4;
}
