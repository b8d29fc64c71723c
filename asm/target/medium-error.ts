/**
 * The host did what the action said, and the medium failed.
 *
 * [SBC-3] 4.18 error reporting, table 12: INFORMATION is the first LBA in error
 * [SPC-4] annex E.2 additional sense codes
 */
import {
  MEDIUM_ABORTED,
  MEDIUM_BAD_GUARD,
  MEDIUM_BAD_REF,
  MEDIUM_COPY_FAILED,
  MEDIUM_COPY_UNREACHABLE,
  MEDIUM_HARDWARE,
  MEDIUM_MISCOMPARE,
  MEDIUM_MISCOMPARE_AT,
  MEDIUM_NOT_READY,
  MEDIUM_READ_ERROR,
  MEDIUM_SANITIZE_FAILED,
  MEDIUM_WRITE_ERROR,
  TASK_ABORT_LO_AT,
} from '../layout';
import {
  SENSE_ABORTED_INTERNAL,
  SENSE_COPY_TARGET_NOT_REACHABLE,
  SENSE_GUARD_CHECK_FAILED,
  SENSE_INTERNAL_TARGET_FAILURE,
  SENSE_MISCOMPARE,
  SENSE_NOT_READY,
  SENSE_REFERENCE_TAG_CHECK_FAILED,
  SENSE_SANITIZE_FAILED,
  SENSE_THIRD_PARTY_DEVICE_FAILURE,
  SENSE_UNRECOVERED_READ_ERROR,
  SENSE_WRITE_ERROR,
} from '../scsi/sense';
import { copy_end, is_copy_error } from './copy-results';
import { count_error } from './counters';
import { finish_command_specific, finish_sense } from './task';
import { LogicalUnit } from './unit';

function code_of(kind: u32): u32 {
  switch (kind) {
    case MEDIUM_READ_ERROR:
      return SENSE_UNRECOVERED_READ_ERROR;
    case MEDIUM_WRITE_ERROR:
      return SENSE_WRITE_ERROR;
    case MEDIUM_NOT_READY:
      return SENSE_NOT_READY;
    case MEDIUM_MISCOMPARE:
    case MEDIUM_MISCOMPARE_AT:
      return SENSE_MISCOMPARE;
    case MEDIUM_BAD_GUARD:
      return SENSE_GUARD_CHECK_FAILED;
    case MEDIUM_BAD_REF:
      return SENSE_REFERENCE_TAG_CHECK_FAILED;
    case MEDIUM_COPY_UNREACHABLE:
      return SENSE_COPY_TARGET_NOT_REACHABLE;
    case MEDIUM_COPY_FAILED:
      return SENSE_THIRD_PARTY_DEVICE_FAILURE;
    case MEDIUM_SANITIZE_FAILED:
      return SENSE_SANITIZE_FAILED;
    case MEDIUM_ABORTED:
      return SENSE_ABORTED_INTERNAL;
    case MEDIUM_HARDWARE:
    default:
      return SENSE_INTERNAL_TARGET_FAILURE;
  }
}

function blames(kind: u32): bool {
  switch (kind) {
    case MEDIUM_READ_ERROR:
    case MEDIUM_WRITE_ERROR:
    case MEDIUM_MISCOMPARE:
    case MEDIUM_MISCOMPARE_AT:
    case MEDIUM_BAD_GUARD:
    case MEDIUM_BAD_REF:
      return true;
    default:
      return false;
  }
}

/** CHECK CONDITION; INFORMATION only where an LBA or an offset is to blame. The host sets moved bytes and residual. */
export function medium_error(unit: LogicalUnit, task: usize, kind: u32, lba: u64): void {
  store<u64>(task, 0, TASK_ABORT_LO_AT); // the task block may be of another command
  count_error(unit, kind);
  finish_sense(unit, task, code_of(kind), 0, blames(kind), lba);
  if (is_copy_error(kind)) {
    copy_end(unit, code_of(kind), <u32>lba);
    finish_command_specific(unit, task, <u32>lba);
  }
}
