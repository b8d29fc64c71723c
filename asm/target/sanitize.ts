/**
 * SANITIZE: OVERWRITE, BLOCK ERASE, EXIT FAILURE MODE. The host does it in the background and tells how far it is;
 * nothing but the host's end of it ends it, neither resets nor loss of power: it stands in the non-volatile image
 * before the command's status is sent, and after power on the host resumes it.
 *
 * [SBC-3] 5.24 SANITIZE, 5.24.2.2 OVERWRITE parameter list, 4.11 sanitize operations
 * [SBC-4] 4.11 suspended by a power on, resumed after the reset that comes with it
 * [SPC-4] 4.5.2.4.4 progress indication
 */
import {
  ACTION_SANITIZE,
  SANITIZE_DONE,
  SANITIZE_FAILED,
  SANITIZE_NONE,
  SANITIZE_PROGRESS_MAX,
  TASK_EXTENTS_AT,
  TASK_EXTENT_COUNT_AT,
  TASK_FLAG_IMMEDIATE,
} from '../layout';
import { load_be16 } from '../bytes/endian';
import { cdb10_length, cdb_service_action } from '../scsi/cdb';
import {
  INQUIRY,
  LOG_SENSE,
  MAINTENANCE_IN,
  PERSISTENT_RESERVE_IN,
  PERSISTENT_RESERVE_OUT,
  REPORT_LUNS,
  REQUEST_SENSE,
  SANITIZE,
  SA_SANITIZE_EXIT_FAILURE_MODE,
  SA_SANITIZE_OVERWRITE,
} from '../scsi/opcode';
import {
  SENSE_INITIALIZING_COMMAND_REQUIRED,
  SENSE_PARAMETER_LIST_LENGTH,
  SENSE_SANITIZE_FAILED,
  SENSE_SANITIZE_IN_PROGRESS,
  SENSE_WRITE_PROTECTED,
} from '../scsi/sense';
import { finish_action } from './blocks';
import { nv_write } from './nv';
import {
  finish_bad_cdb,
  finish_bad_list,
  finish_check,
  finish_good,
  finish_moved,
  finish_sense,
  task_cdb,
  task_data_out,
  task_data_out_bytes,
  want_out,
} from './task';
import {
  LogicalUnit,
  Nexus,
  SANITIZE_HAS_FAILED,
  SANITIZE_HAS_FAILED_UNRESTRICTED,
  SANITIZE_IDLE,
  SANITIZE_RUNNING,
  SANITIZE_RUNNING_UNRESTRICTED,
  pattern_at,
} from './unit';

const IMMED: u32 = 0x80;
const AUSE: u32 = 0x20;
const HEAD_BYTES: u32 = 4;
const INVERT: u32 = 0x80;
const TEST: u32 = 0x60;
const COUNT: u32 = 0x1f;

// @ts-ignore: decorator
@inline
function is_running(unit: LogicalUnit): bool {
  return unit.sanitize == SANITIZE_RUNNING || unit.sanitize == SANITIZE_RUNNING_UNRESTRICTED;
}

/** What keeps commands out: a sense code with its sense key specific bytes; 0: nothing. */
export function sanitize_sense(unit: LogicalUnit): u32 {
  if (unit.sanitize == SANITIZE_IDLE) return 0;
  return is_running(unit) ? SENSE_SANITIZE_IN_PROGRESS : SENSE_SANITIZE_FAILED;
}

export function sanitize_specific(unit: LogicalUnit): u32 {
  return is_running(unit) ? 0x800000 | unit.sanitizeProgress : 0; // SKSV
}

/** True when a sanitize operation that runs or has failed keeps this command out; the task has ended then. */
export function sanitize_refuses(unit: LogicalUnit, task: usize): bool {
  const opcode: u32 = load<u8>(task_cdb(task));
  switch (opcode) {
    case INQUIRY:
    case REPORT_LUNS:
    case REQUEST_SENSE:
    case LOG_SENSE:
    case MAINTENANCE_IN:
    case PERSISTENT_RESERVE_IN:
    case PERSISTENT_RESERVE_OUT:
      return false;
    default:
  }
  if (opcode == SANITIZE && !is_running(unit)) return false;
  finish_sense(unit, task, sanitize_sense(unit), sanitize_specific(unit), false, 0);
  return true;
}

export function sanitize(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const action = cdb_service_action(cdb);
  const length = cdb10_length(cdb);
  if (action == <u32>SA_SANITIZE_EXIT_FAILURE_MODE) return exit_failure_mode(unit, task, length);
  const byte1: u32 = load<u8>(cdb, 1);
  // What failed in the restricted mode must succeed in it, [SBC-4] 4.11.1, 5.24.1
  if (unit.sanitize == SANITIZE_HAS_FAILED && byte1 & AUSE) return finish_bad_cdb(unit, task, 1, 5);
  if (unit.stopped) return finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  if (unit.writeProtected) return finish_check(unit, task, SENSE_WRITE_PROTECTED);
  store<u32>(task, 0, TASK_EXTENT_COUNT_AT);
  unit.patternBytes = 0;
  if (action == <u32>SA_SANITIZE_OVERWRITE) {
    if (!take_pattern(unit, task, length)) return 0;
  } else if (length) return finish_bad_cdb(unit, task, 7, 7);
  unit.sanitize = byte1 & AUSE ? SANITIZE_RUNNING_UNRESTRICTED : SANITIZE_RUNNING;
  unit.sanitizeProgress = 0;
  nv_write(unit, task);
  return finish_action(task, ACTION_SANITIZE, 0, unit.blocks, byte1 & IMMED ? TASK_FLAG_IMMEDIATE : 0);
}

/** Ends the failure mode; only after an operation with AUSE that failed, [SBC-3] 5.24.2.5. */
function exit_failure_mode(unit: LogicalUnit, task: usize, length: u32): u32 {
  if (length) return finish_bad_cdb(unit, task, 7, 7);
  if (unit.sanitize == SANITIZE_IDLE) return finish_good(task);
  if (unit.sanitize == SANITIZE_HAS_FAILED) return finish_bad_cdb(unit, task, 1, 4);
  unit.sanitize = SANITIZE_IDLE;
  nv_write(unit, task);
  return finish_good(task);
}

/**
 * The pattern that the last pass leaves, for the host: where in the list, and how many bytes. False when the list is
 * not right; the task has ended then.
 */
function take_pattern(unit: LogicalUnit, task: usize, length: u32): bool {
  if (length <= HEAD_BYTES || length > unit.blockBytes + HEAD_BYTES) {
    finish_bad_cdb(unit, task, 7, 7);
    return false;
  }
  if (!want_out(task, length)) {
    finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
    return false;
  }
  const list = task_data_out(task);
  const byte0: u32 = load<u8>(list);
  const passes = byte0 & COUNT;
  const bytes = load_be16(list + 2);
  if (byte0 & TEST || !passes || load<u8>(list, 1) || !bytes || bytes > length - HEAD_BYTES) {
    if (byte0 & TEST) finish_bad_list(unit, task, 0, 6);
    else if (!passes) finish_bad_list(unit, task, 0, 4);
    else if (load<u8>(list, 1)) finish_bad_list(unit, task, 1, 7);
    else finish_bad_list(unit, task, 2, 7);
    return false;
  }
  // between passes the pattern is inverted
  if (byte0 & INVERT && !(passes & 1)) {
    for (let i: u32 = 0; i < bytes; i++) store<u8>(list + 4 + i, ~load<u8>(list + 4 + i));
  }
  unit.patternBytes = bytes;
  memory.copy(pattern_at(unit), list + HEAD_BYTES, bytes);
  store<u32>(task, <u32>list + HEAD_BYTES, TASK_EXTENTS_AT);
  store<u32>(task, bytes, TASK_EXTENT_COUNT_AT);
  finish_moved(task, length, task_data_out_bytes(task));
  return true;
}

/** The host tells: how far it is, or SANITIZE_DONE, SANITIZE_FAILED. True: the non-volatile image has changed. */
export function sanitize_tell(unit: LogicalUnit, progress: u32): bool {
  if (!is_running(unit)) return false;
  if (progress <= <u32>SANITIZE_PROGRESS_MAX) {
    unit.sanitizeProgress = progress;
    return false;
  }
  if (progress == <u32>SANITIZE_DONE) unit.sanitize = SANITIZE_IDLE;
  else if (progress == <u32>SANITIZE_FAILED) {
    const unrestricted = unit.sanitize == SANITIZE_RUNNING_UNRESTRICTED;
    unit.sanitize = unrestricted ? SANITIZE_HAS_FAILED_UNRESTRICTED : SANITIZE_HAS_FAILED;
  } else return false;
  unit.patternBytes = 0;
  nv_write(unit, 0);
  return true;
}

/** The pattern of the operation that runs goes to `out`; returns its bytes, 0: it erases. SANITIZE_NONE: none runs. */
export function sanitize_pattern(unit: LogicalUnit, out: usize): u32 {
  if (!is_running(unit)) return SANITIZE_NONE;
  memory.copy(out, pattern_at(unit), unit.patternBytes);
  return unit.patternBytes;
}
