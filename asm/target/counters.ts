/**
 * What the logical unit counts of itself, for LOG SENSE. Counts of bytes are of what the host was told to move; errors
 * are those that it reported. They begin anew with power on, start-stop cycles do not.
 *
 * [SPC-4] 7.3.4 and 7.3.19 error counter log pages, 7.3.20 Start-Stop Cycle Counter log page
 */
import {
  ACTION_COMPARE_WRITE,
  ACTION_OR_WRITE,
  ACTION_READ,
  ACTION_VERIFY,
  ACTION_WRITE,
  ACTION_WRITE_SAME,
  ACTION_WRITE_VERIFY,
  MEDIUM_READ_ERROR,
  MEDIUM_WRITE_ERROR,
  TASK_BLOCKS_LO_AT,
  TASK_MOVED_BYTES_AT,
} from '../layout';
import { LOG_READ_ERRORS, LOG_SUPPORTED, LOG_VERIFY_ERRORS, LOG_WRITE_ERRORS } from './log-page';
import { LogicalUnit } from './unit';

/** A command is about to do this to the medium. */
export function count_action(unit: LogicalUnit, task: usize, action: u32): void {
  unit.powerCondition = 0; // a command for the medium makes it active, [SBC-3] 4.20
  switch (action) {
    case ACTION_READ:
      unit.readBytes += load<u32>(task, TASK_MOVED_BYTES_AT);
      return;
    case ACTION_WRITE:
      unit.writtenBytes += load<u32>(task, TASK_MOVED_BYTES_AT);
      return;
    case ACTION_OR_WRITE:
    case ACTION_COMPARE_WRITE: // the blocks are read, and written
      unit.readBytes += load<u64>(task, TASK_BLOCKS_LO_AT) * unit.blockBytes;
      unit.writtenBytes += load<u64>(task, TASK_BLOCKS_LO_AT) * unit.blockBytes;
      return;
    case ACTION_WRITE_SAME:
      unit.writtenBytes += load<u64>(task, TASK_BLOCKS_LO_AT) * unit.blockBytes;
      return;
    case ACTION_WRITE_VERIFY:
      unit.writtenBytes += load<u32>(task, TASK_MOVED_BYTES_AT);
      unit.verifiedBytes += load<u64>(task, TASK_BLOCKS_LO_AT) * unit.blockBytes;
      return;
    case ACTION_VERIFY:
      unit.verifiedBytes += load<u64>(task, TASK_BLOCKS_LO_AT) * unit.blockBytes;
      return;
    default:
      return;
  }
}

/** A segment of an EXTENDED COPY: read from one unit and written to another, or to the same. */
export function count_copy(source: LogicalUnit, destination: LogicalUnit, bytes: u32): void {
  source.readBytes += bytes;
  source.powerCondition = 0;
  destination.writtenBytes += bytes;
  destination.powerCondition = 0;
}

/** The medium failed. A block that cannot be verified is one that cannot be read. */
export function count_error(unit: LogicalUnit, kind: u32): void {
  if (kind == MEDIUM_READ_ERROR) unit.readErrors++;
  else if (kind == MEDIUM_WRITE_ERROR) unit.writeErrors++;
}

/** Sets the counters of a log page (LOG_SUPPORTED: of all) to 0. True if one was not. */
export function counters_reset(unit: LogicalUnit, page: u32): bool {
  let counted: u64 = 0;
  if (page == LOG_READ_ERRORS || page == LOG_SUPPORTED) {
    counted |= unit.readBytes | unit.readErrors;
    unit.readBytes = 0;
    unit.readErrors = 0;
  }
  if (page == LOG_WRITE_ERRORS || page == LOG_SUPPORTED) {
    counted |= unit.writtenBytes | unit.writeErrors;
    unit.writtenBytes = 0;
    unit.writeErrors = 0;
  }
  if (page == LOG_VERIFY_ERRORS || page == LOG_SUPPORTED) {
    counted |= unit.verifiedBytes;
    unit.verifiedBytes = 0;
  }
  return counted != 0;
}
