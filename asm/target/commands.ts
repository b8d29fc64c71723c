/**
 * Every command that is built in, a row each; nothing else knows which there are. To add one: import its opcode (from
 * ../scsi/opcode) and its handler, a `(unit, nexus, task) => action`, and add a row below. A row says
 *
 *   six(opcode,                        usage of bytes 1 to 4,               kind, seconds, handler)
 *   ten(opcode, service action,        usage of bytes 1 to 8,               kind, seconds, handler)
 *   twelve(opcode, service action,     usage of bytes 1 to 8, of 9 and 10,  kind, seconds, handler)
 *   sixteen(opcode, service action,    usage of bytes 1 to 8, of 9 to 14,   kind, seconds, handler)
 *
 * The usage data is written as the CDB is printed in the standard, first byte first, without operation code and
 * CONTROL: 1 where the device server looks, 0 where a bit is reserved and refused. Without service action it is
 * NO_ACTION; with one, its five bits in byte 1 may be left 0. Kind is the sum of COMMAND_* in the layout. Seconds are
 * the nominal command processing time-out; the recommended one is twice that and at least 30. A last argument may
 * name LU_FLAG_*: then only logical units with one of them have the command. Which reservation lets the command
 * through is in conflict.ts, where what is not named conflicts.
 *
 * [SPC-4] 6.x, [SBC-3] 5.x: the layout of each CDB
 */
import { COMMAND_LIST, COMMAND_MEDIUM, LU_FLAG_THIN } from '../layout';
import {
  COMPARE_AND_WRITE,
  EXTENDED_COPY,
  INQUIRY,
  LOG_SELECT,
  LOG_SENSE,
  MAINTENANCE_IN,
  MODE_SELECT_10,
  MODE_SELECT_6,
  MODE_SENSE_10,
  MODE_SENSE_6,
  ORWRITE_16,
  PERSISTENT_RESERVE_IN,
  PERSISTENT_RESERVE_OUT,
  PREVENT_ALLOW_MEDIUM_REMOVAL,
  PRE_FETCH_10,
  PRE_FETCH_16,
  READ_10,
  READ_12,
  READ_16,
  READ_6,
  READ_BUFFER_10,
  READ_CAPACITY_10,
  RECEIVE_DIAGNOSTIC_RESULTS,
  READ_DEFECT_DATA_10,
  READ_DEFECT_DATA_12,
  RECEIVE_COPY_RESULTS,
  RELEASE_10,
  RELEASE_6,
  REPORT_LUNS,
  REQUEST_SENSE,
  RESERVE_10,
  RESERVE_6,
  SANITIZE,
  SA_EXTENDED_COPY_LID1,
  SA_GET_LBA_STATUS,
  SA_READ_CAPACITY_16,
  SA_RECEIVE_COPY_FAILURE_DETAILS_LID1,
  SA_RECEIVE_COPY_OPERATING_PARAMETERS,
  SA_RECEIVE_COPY_STATUS_LID1,
  SA_REPORT_SUPPORTED_OPERATION_CODES,
  SA_REPORT_SUPPORTED_TMFS,
  SEND_DIAGNOSTIC,
  SA_SANITIZE_BLOCK_ERASE,
  SA_SANITIZE_EXIT_FAILURE_MODE,
  SA_SANITIZE_OVERWRITE,
  SERVICE_ACTION_IN_16,
  START_STOP_UNIT,
  SYNCHRONIZE_CACHE_10,
  SYNCHRONIZE_CACHE_16,
  TEST_UNIT_READY,
  UNMAP,
  VERIFY_10,
  VERIFY_12,
  VERIFY_16,
  WRITE_10,
  WRITE_12,
  WRITE_16,
  WRITE_6,
  WRITE_AND_VERIFY_10,
  WRITE_AND_VERIFY_12,
  WRITE_AND_VERIFY_16,
  WRITE_ATOMIC_16,
  WRITE_BUFFER,
  WRITE_SAME_10,
  WRITE_SAME_16,
} from '../scsi/opcode';
import { PR_IN_READ_FULL_STATUS, PR_OUT_REGISTER_AND_MOVE } from '../scsi/reservation';
import {
  prevent_allow,
  read_capacity_10,
  read_capacity_16,
  request_sense,
  start_stop_unit,
  test_unit_ready,
} from './basic';
import { NO_ACTION, rows_begin, six, sixteen, ten, twelve } from './command-row';
import { compare_and_write, or_write, write_atomic } from './compound';
import { extended_copy } from './copy';
import { receive_copy_results } from './copy-results';
import { read_defect_data } from './defect-data';
import { receive_diagnostic, send_diagnostic } from './diagnostic';
import { read_buffer, write_buffer } from './echo-buffer';
import { inquiry } from './inquiry';
import { log_select, log_sense } from './log';
import { report_luns } from './luns';
import { mode_sense } from './mode';
import { mode_select } from './mode-select';
import { persistent_reserve_in } from './pr-in';
import { persistent_reserve_out } from './pr-out';
import { report_opcodes } from './report-opcodes';
import { report_tmfs } from './report-tmfs';
import { release_unit, reserve_unit } from './reserve';
import { sanitize } from './sanitize';
import { pre_fetches, reads, synchronizes, verifies, writes, writes_and_verifies } from './transfers';
import { get_lba_status, unmap } from './unmap';
import { write_same } from './write-same';

/** Commands that move blocks. Byte 1: protection, DPO, FUA, RARC or BYTCHK; the group number is looked at by none. */
function medium_rows(): void {
  six(READ_6, 0x1fffffff, COMMAND_MEDIUM, 2, reads);
  six(WRITE_6, 0x1fffffff, COMMAND_MEDIUM, 2, writes);
  ten(READ_10, NO_ACTION, 0xfeffffffff1fffff, COMMAND_MEDIUM, 2, reads);
  ten(WRITE_10, NO_ACTION, 0xfaffffffff1fffff, COMMAND_MEDIUM, 2, writes);
  ten(WRITE_AND_VERIFY_10, NO_ACTION, 0xf6ffffffff1fffff, COMMAND_MEDIUM, 2, writes_and_verifies);
  ten(VERIFY_10, NO_ACTION, 0xf6ffffffff1fffff, COMMAND_MEDIUM, 2, verifies);
  ten(SYNCHRONIZE_CACHE_10, NO_ACTION, 0x06ffffffff1fffff, COMMAND_MEDIUM, 30, synchronizes);
  twelve(READ_12, NO_ACTION, 0xfeffffffffffffff, 0xff1f, COMMAND_MEDIUM, 2, reads);
  twelve(WRITE_12, NO_ACTION, 0xfaffffffffffffff, 0xff1f, COMMAND_MEDIUM, 2, writes);
  twelve(WRITE_AND_VERIFY_12, NO_ACTION, 0xf6ffffffffffffff, 0xff1f, COMMAND_MEDIUM, 2, writes_and_verifies);
  twelve(VERIFY_12, NO_ACTION, 0xf6ffffffffffffff, 0xff1f, COMMAND_MEDIUM, 2, verifies);
  sixteen(READ_16, NO_ACTION, 0xfeffffffffffffff, 0xffffffffff1f, COMMAND_MEDIUM, 2, reads);
  sixteen(WRITE_16, NO_ACTION, 0xfaffffffffffffff, 0xffffffffff1f, COMMAND_MEDIUM, 2, writes);
  sixteen(
    WRITE_AND_VERIFY_16,
    NO_ACTION,
    0xf6ffffffffffffff,
    0xffffffffff1f,
    COMMAND_MEDIUM,
    2,
    writes_and_verifies,
  );
  sixteen(VERIFY_16, NO_ACTION, 0xf6ffffffffffffff, 0xffffffffff1f, COMMAND_MEDIUM, 2, verifies);
  sixteen(
    SYNCHRONIZE_CACHE_16,
    NO_ACTION,
    0x06ffffffffffffff,
    0xffffffffff1f,
    COMMAND_MEDIUM,
    30,
    synchronizes,
  );
}

/** Commands that write in other ways, and what is told of it. */
function compound_rows(): void {
  ten(PRE_FETCH_10, NO_ACTION, 0x02ffffffff1fffff, COMMAND_MEDIUM, 2, pre_fetches);
  sixteen(PRE_FETCH_16, NO_ACTION, 0x02ffffffffffffff, 0xffffffffff1f, COMMAND_MEDIUM, 2, pre_fetches);
  // WRPROTECT, ANCHOR, UNMAP; NDOB
  ten(WRITE_SAME_10, NO_ACTION, 0xf8ffffffff1fffff, COMMAND_MEDIUM, 60, write_same);
  sixteen(WRITE_SAME_16, NO_ACTION, 0xf9ffffffffffffff, 0xffffffffff1f, COMMAND_MEDIUM, 60, write_same);
  sixteen(
    COMPARE_AND_WRITE,
    NO_ACTION,
    0xfaffffffffffffff,
    0xff000000ff1f,
    COMMAND_MEDIUM,
    2,
    compare_and_write,
  );
  sixteen(ORWRITE_16, NO_ACTION, 0xfaffffffffffffff, 0xffffffffff1f, COMMAND_MEDIUM, 2, or_write);
  sixteen(WRITE_ATOMIC_16, NO_ACTION, 0xf8ffffffffffffff, 0xffffffffff1f, COMMAND_MEDIUM, 2, write_atomic);
  ten(UNMAP, NO_ACTION, 0x01000000001fffff, COMMAND_LIST | COMMAND_MEDIUM, 60, unmap, LU_FLAG_THIN);
  sixteen(
    SERVICE_ACTION_IN_16,
    SA_GET_LBA_STATUS,
    0x00ffffffffffffff,
    0xffffffffff00,
    COMMAND_MEDIUM,
    2,
    get_lba_status,
  );
  const sanitizes: u32 = COMMAND_LIST | COMMAND_MEDIUM; // IMMED, AUSE; parameter list length
  ten(SANITIZE, SA_SANITIZE_OVERWRITE, 0xa00000000000ffff, sanitizes, 3600, sanitize);
  ten(SANITIZE, SA_SANITIZE_BLOCK_ERASE, 0xa00000000000ffff, sanitizes, 3600, sanitize);
  ten(SANITIZE, SA_SANITIZE_EXIT_FAILURE_MODE, 0x000000000000ffff, sanitizes, 2, sanitize);
}

function copy_rows(): void {
  const copies: u32 = COMMAND_LIST | COMMAND_MEDIUM; // parameter list length
  sixteen(EXTENDED_COPY, SA_EXTENDED_COPY_LID1, 0, 0x00ffffffff00, copies, 60, extended_copy);
  // list identifier; allocation length
  const status: u32 = SA_RECEIVE_COPY_STATUS_LID1;
  sixteen(RECEIVE_COPY_RESULTS, status, 0x00ff000000000000, 0x00ffffffff00, 0, 1, receive_copy_results);
  const parameters: u32 = SA_RECEIVE_COPY_OPERATING_PARAMETERS;
  sixteen(RECEIVE_COPY_RESULTS, parameters, 0, 0x00ffffffff00, 0, 1, receive_copy_results);
  const details: u32 = SA_RECEIVE_COPY_FAILURE_DETAILS_LID1;
  sixteen(RECEIVE_COPY_RESULTS, details, 0x00ff000000000000, 0x00ffffffff00, 0, 1, receive_copy_results);
}

/** Commands about the medium that move none of it. */
function block_rows(): void {
  six(START_STOP_UNIT, 0x01000ff7, 0, 30, start_stop_unit); // IMMED; modifier; condition, NO_FLUSH, LOEJ, START
  six(PREVENT_ALLOW_MEDIUM_REMOVAL, 0x00000003, 0, 1, prevent_allow);
  // REQ_PLIST, REQ_GLIST, format; of (12) the address descriptor index, too
  ten(READ_DEFECT_DATA_10, NO_ACTION, 0x001f00000000ffff, 0, 1, read_defect_data);
  twelve(READ_DEFECT_DATA_12, NO_ACTION, 0x1fffffffffffffff, 0xff00, 0, 1, read_defect_data);
  // PMI and LBA are obsolete, [SBC-3] 5.15: they are refused by the command
  ten(READ_CAPACITY_10, NO_ACTION, 0x00ffffffff000001, 0, 1, read_capacity_10);
  sixteen(
    SERVICE_ACTION_IN_16,
    SA_READ_CAPACITY_16,
    0x00ffffffffffffff,
    0xffffffffff01,
    0,
    1,
    read_capacity_16,
  );
}

/** Commands for all device types. */
function primary_rows(): void {
  six(TEST_UNIT_READY, 0, 0, 1, test_unit_ready);
  six(REQUEST_SENSE, 0x010000ff, 0, 1, request_sense); // DESC; allocation length
  six(INQUIRY, 0x01ffffff, 0, 1, inquiry); // EVPD; page; allocation length
  six(MODE_SENSE_6, 0x08ffffff, 0, 1, mode_sense); // DBD; page control and page; subpage; allocation length
  ten(MODE_SENSE_10, NO_ACTION, 0x18ffff000000ffff, 0, 1, mode_sense); // and LLBAA
  six(MODE_SELECT_6, 0x110000ff, COMMAND_LIST, 2, mode_select); // PF, SP; parameter list length
  ten(MODE_SELECT_10, NO_ACTION, 0x110000000000ffff, COMMAND_LIST, 2, mode_select);
  twelve(REPORT_LUNS, NO_ACTION, 0x00ff000000ffffff, 0xff00, 0, 1, report_luns);
  // RCTD, reporting options; operation code; service action; allocation length
  twelve(
    MAINTENANCE_IN,
    SA_REPORT_SUPPORTED_OPERATION_CODES,
    0x0087ffffffffffff,
    0xff00,
    0,
    1,
    report_opcodes,
  );
  twelve(MAINTENANCE_IN, SA_REPORT_SUPPORTED_TMFS, 0x0080000000ffffff, 0xff00, 0, 1, report_tmfs);
}

/** What a logical unit knows of itself. */
function diagnostic_rows(): void {
  six(SEND_DIAGNOSTIC, 0xf700ffff, COMMAND_LIST, 2, send_diagnostic); // code, PF, SELFTEST, DEVOFFL, UNITOFFL; length
  six(RECEIVE_DIAGNOSTIC_RESULTS, 0x01ffffff, 0, 1, receive_diagnostic); // PCV; page; allocation length
  // mode, buffer, offset, length; the buffer and the offset are looked at by no mode there is
  ten(READ_BUFFER_10, NO_ACTION, 0x1fffffffffffffff, 0, 1, read_buffer);
  ten(WRITE_BUFFER, NO_ACTION, 0x1fffffffffffffff, COMMAND_LIST, 1, write_buffer);
  ten(LOG_SENSE, NO_ACTION, 0x00ffff00ffffffff, 0, 1, log_sense); // page control and page; subpage; pointer; length
  ten(LOG_SELECT, NO_ACTION, 0x02ffff000000ffff, COMMAND_LIST, 1, log_select); // PCR; page; subpage; length
}

function reservation_rows(): void {
  six(RESERVE_6, 0, 0, 1, reserve_unit);
  six(RELEASE_6, 0, 0, 1, release_unit);
  ten(RESERVE_10, NO_ACTION, 0, 0, 1, reserve_unit);
  ten(RELEASE_10, NO_ACTION, 0, 0, 1, release_unit);
  for (let action: u32 = 0; action <= <u32>PR_IN_READ_FULL_STATUS; action++) {
    ten(PERSISTENT_RESERVE_IN, action, 0x000000000000ffff, 0, 1, persistent_reserve_in);
  }
  // scope and type; parameter list length, of which byte 5 to 8
  for (let action: u32 = 0; action <= <u32>PR_OUT_REGISTER_AND_MOVE; action++) {
    ten(PERSISTENT_RESERVE_OUT, action, 0x00ff0000ffffffff, COMMAND_LIST, 2, persistent_reserve_out);
  }
}

/** Makes the table. */
function commands(): void {
  rows_begin();
  medium_rows();
  compound_rows();
  copy_rows();
  primary_rows();
  diagnostic_rows();
  block_rows();
  reservation_rows();
}

commands();
