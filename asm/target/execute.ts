/**
 * One command, decided at the time it is executed, in the order that the standards give: unit attention, reservation,
 * operation code, fields of the CDB, then the command itself.
 *
 * [SAM-5] 5.14 unit attention: INQUIRY, REPORT LUNS and REQUEST SENSE are processed all the same
 * [SPC-4] 5.13.1 "checked for reservation conflicts when processing of the command begins"; 4.2.5 reserved fields
 */
import './commands';
import {
  ACTION_NONE,
  LU_CONTROL_INTERLOCK,
  LU_FLAG_CONFLICT_FIRST,
  TASK_CDB_LENGTH_AT,
  TASK_NEXUS_AT,
} from '../layout';
import { INQUIRY, REPORT_LUNS, REQUEST_SENSE } from '../scsi/opcode';
import {
  SENSE_INTERNAL_TARGET_FAILURE,
  SENSE_INVALID_FIELD_IN_CDB,
  SENSE_INVALID_OPERATION_CODE,
} from '../scsi/sense';
import { RESERVATION_CONFLICT } from '../scsi/status';
import { attention_peek, attention_take } from './attention';
import { NO_OPCODE, NO_SERVICE_ACTION, row_cdb_bytes, row_find, row_run, row_usage } from './command-row';
import { persistent_conflict, spc2_conflict } from './conflict';
import { count_action } from './counters';
import { nexus_of } from './nexus';
import { sanitize_refuses } from './sanitize';
import { finish_bad_cdb, finish_check, finish_status, task_begin, task_cdb } from './task';
import { LogicalUnit, Nexus } from './unit';
import { reserved_bit, reserved_bits, reserved_byte } from './usage';

/** The action; the rest of the answer is in the task block. */
export function execute(unit: LogicalUnit, task: usize): u32 {
  task_begin(task);
  const cdb = task_cdb(task);
  const index = load<u32>(task, TASK_NEXUS_AT);
  const nexus = nexus_of(unit, index);
  if (nexus == null) return finish_check(unit, task, SENSE_INTERNAL_TARGET_FAILURE); // the host's mistake
  if (nexus.attentions && tells_attention(cdb)) {
    if (!conflict_first(unit, nexus) || !conflicts(unit, nexus, index, cdb)) {
      return finish_check(unit, task, tell_attention(unit, nexus));
    }
  }
  if (conflicts(unit, nexus, index, cdb)) return finish_status(task, RESERVATION_CONFLICT);
  const row = row_find(unit, cdb);
  if (row <= NO_SERVICE_ACTION) {
    return row == NO_OPCODE
      ? finish_check(unit, task, SENSE_INVALID_OPERATION_CODE)
      : finish_bad_cdb(unit, task, 1, 4);
  }
  // what the transport brought is no whole CDB of this operation code
  if (load<u32>(task, TASK_CDB_LENGTH_AT) < row_cdb_bytes(row)) {
    return finish_check(unit, task, SENSE_INVALID_FIELD_IN_CDB);
  }
  const usage = row_usage(row);
  if (reserved_bits(cdb, usage)) {
    const byte = reserved_byte(cdb, usage);
    return finish_bad_cdb(unit, task, byte, reserved_bit(cdb, usage, byte));
  }
  if (unit.sanitize && sanitize_refuses(unit, task)) return ACTION_NONE;
  const action = row_run(row, unit, nexus, task);
  if (action) count_action(unit, task, action);
  return action;
}

/** UA_INTLCK_CTRL 00b clears it by telling, 10b leaves that to REQUEST SENSE, [SPC-4] 7.5.8. */
function tell_attention(unit: LogicalUnit, nexus: Nexus): u32 {
  return unit.control & LU_CONTROL_INTERLOCK ? attention_peek(nexus) : attention_take(nexus);
}

// @ts-ignore: decorator
@inline
function tells_attention(cdb: usize): bool {
  const opcode: u32 = load<u8>(cdb);
  return opcode != INQUIRY && opcode != REPORT_LUNS && opcode != REQUEST_SENSE;
}

// @ts-ignore: decorator
@inline
function conflicts(unit: LogicalUnit, nexus: Nexus, index: u32, cdb: usize): bool {
  if (unit.reservationType && persistent_conflict(unit, nexus.registration, cdb)) return true;
  return unit.spc2Holder != 0 && spc2_conflict(cdb, unit.spc2Holder == index + 1);
}

/** By option, as [SAM-5] 5.3.3: only the unit attentions of resets go before RESERVATION CONFLICT. */
function conflict_first(unit: LogicalUnit, nexus: Nexus): bool {
  return (unit.flags & LU_FLAG_CONFLICT_FIRST) != 0 && (attention_peek(nexus) & 0xff00) != 0x2900;
}
