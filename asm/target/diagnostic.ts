/**
 * SEND DIAGNOSTIC and RECEIVE DIAGNOSTIC RESULTS. The only diagnostic page is the list of pages.
 *
 * [SPC-4] 6.42 SEND DIAGNOSTIC, 6.28 RECEIVE DIAGNOSTIC RESULTS, 7.2.7 supported diagnostic pages
 */
import { load_be16 } from '../bytes/endian';
import { SENSE_FAILED_SELF_TEST, SENSE_PARAMETER_LIST_LENGTH } from '../scsi/sense';
import { SCRATCH } from './scratch';
import { self_test } from './self-test';
import {
  finish_bad_cdb,
  finish_bad_list,
  finish_check,
  finish_data_in_from,
  finish_good,
  finish_moved,
  task_cdb,
  task_data_out,
  task_data_out_bytes,
  want_out,
} from './task';
import { LogicalUnit, Nexus } from './unit';

const PF: u32 = 0x10;
const SELFTEST: u32 = 0x04;
/** SELF-TEST CODE: background short and extended, abort, foreground short and extended. */
const CODES: u32 = 0b01110111; // 0 to 2, 4 to 6
const ABORT: u32 = 4;
const PAGE_BYTES: u32 = 5;

export function send_diagnostic(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const byte1: u32 = load<u8>(cdb, 1);
  const code = byte1 >> 5;
  const bytes = load_be16(cdb + 3);
  if (!((CODES >> code) & 1)) return finish_bad_cdb(unit, task, 1, 7);
  if (byte1 & SELFTEST && code) return finish_bad_cdb(unit, task, 1, 7); // shall be 000b
  if (code || byte1 & SELFTEST) {
    if (bytes) return finish_bad_cdb(unit, task, 3, 7);
    if (code == ABORT) return finish_bad_cdb(unit, task, 1, 7); // none is in progress, ever
    return self_test(unit, code) ? finish_good(task) : finish_check(unit, task, SENSE_FAILED_SELF_TEST);
  }
  if (!bytes) return finish_good(task);
  if (!(byte1 & PF)) return finish_bad_cdb(unit, task, 1, 4); // lists of a vendor's own
  const list = task_data_out(task);
  if (!want_out(task, bytes) || bytes < 4) return finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
  finish_moved(task, bytes, task_data_out_bytes(task));
  if (load<u8>(list)) return finish_bad_list(unit, task, 0, 7);
  if (load_be16(list + 2)) return finish_bad_list(unit, task, 2, 7);
  return bytes == 4 ? finish_good(task) : finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
}

/** Without PCV it is the page that the last SEND DIAGNOSTIC asked for, and there is but one. */
export function receive_diagnostic(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  if (load<u8>(cdb, 2)) return finish_bad_cdb(unit, task, 2, 7);
  store<u32>(SCRATCH, 0x01000000); // PAGE LENGTH 1
  store<u8>(SCRATCH, 0, 4);
  return finish_data_in_from(task, load_be16(cdb + 3), SCRATCH, PAGE_BYTES);
}
