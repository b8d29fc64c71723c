/**
 * The host did what the action said, and the medium failed.
 *
 * [SBC-3] 4.18 error reporting, table 12: INFORMATION is the first LBA in error
 * [SPC-4] annex E.2 additional sense codes
 */
import {
  MEDIUM_ABORTED,
  MEDIUM_HARDWARE,
  MEDIUM_MISCOMPARE,
  MEDIUM_NOT_READY,
  MEDIUM_READ_ERROR,
  MEDIUM_WRITE_ERROR,
  TASK_ABORT_LO_AT,
} from '../layout';
import {
  SENSE_ABORTED_INTERNAL,
  SENSE_INTERNAL_TARGET_FAILURE,
  SENSE_MISCOMPARE,
  SENSE_NOT_READY,
  SENSE_UNRECOVERED_READ_ERROR,
  SENSE_WRITE_ERROR,
} from '../scsi/sense';
import { count_error } from './counters';
import { finish_sense } from './task';
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
      return SENSE_MISCOMPARE;
    case MEDIUM_ABORTED:
      return SENSE_ABORTED_INTERNAL;
    case MEDIUM_HARDWARE:
    default:
      return SENSE_INTERNAL_TARGET_FAILURE;
  }
}

/** CHECK CONDITION; INFORMATION only where an LBA is to blame. The host sets moved bytes and residual. */
export function medium_error(unit: LogicalUnit, task: usize, kind: u32, lba: u64): void {
  const blame = kind == MEDIUM_READ_ERROR || kind == MEDIUM_WRITE_ERROR || kind == MEDIUM_MISCOMPARE;
  store<u64>(task, 0, TASK_ABORT_LO_AT); // the task block may be of another command
  count_error(unit, kind);
  finish_sense(unit, task, code_of(kind), 0, blame, lba);
}
