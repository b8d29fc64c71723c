/**
 * One command, decided at the time it is executed, in the order that the standards give: unit attention, reservation,
 * operation code, fields of the CDB, then the command itself.
 *
 * [SAM-5] 5.14 unit attention: INQUIRY, REPORT LUNS and REQUEST SENSE are processed all the same
 * [SPC-4] 5.13.1 "checked for reservation conflicts when processing of the command begins"; 4.2.5 reserved fields
 */
import { LU_FLAG_CONFLICT_FIRST, TASK_NEXUS_AT } from '../layout';
import {
  cdb10_lba,
  cdb10_length,
  cdb12_lba,
  cdb12_length,
  cdb16_lba,
  cdb16_length,
  cdb6_blocks,
  cdb6_lba,
} from '../scsi/cdb';
import {
  INQUIRY,
  MODE_SELECT_10,
  MODE_SELECT_6,
  MODE_SENSE_10,
  MODE_SENSE_6,
  PERSISTENT_RESERVE_IN,
  PERSISTENT_RESERVE_OUT,
  READ_10,
  READ_12,
  READ_16,
  READ_6,
  READ_CAPACITY_10,
  RELEASE_10,
  RELEASE_6,
  REPORT_LUNS,
  REQUEST_SENSE,
  RESERVE_10,
  RESERVE_6,
  SERVICE_ACTION_IN_16,
  START_STOP_UNIT,
  SYNCHRONIZE_CACHE_10,
  SYNCHRONIZE_CACHE_16,
  TEST_UNIT_READY,
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
} from '../scsi/opcode';
import { SENSE_INTERNAL_TARGET_FAILURE, SENSE_INVALID_OPERATION_CODE } from '../scsi/sense';
import { RESERVATION_CONFLICT } from '../scsi/status';
import { attention_peek, attention_take } from './attention';
import {
  read_capacity_10,
  read_capacity_16,
  report_luns,
  request_sense,
  start_stop_unit,
  test_unit_ready,
} from './basic';
import { persistent_conflict, spc2_conflict } from './conflict';
import { inquiry } from './inquiry';
import { read, synchronize_cache, verify, write_and_verify, write_plain } from './medium';
import { mode_sense } from './mode';
import { mode_select } from './mode-select';
import { nexus_of } from './nexus';
import { persistent_reserve_in } from './pr-in';
import { persistent_reserve_out } from './pr-out';
import { release_unit, reserve_unit } from './reserve';
import { finish_bad_cdb, finish_check, finish_status, task_begin, task_cdb } from './task';
import { LogicalUnit, Nexus } from './unit';
import {
  USAGE_NO_OPCODE,
  USAGE_NO_SERVICE_ACTION,
  reserved_bit,
  reserved_bits,
  reserved_byte,
  usage_of,
} from './usage';

/** The action; the rest of the answer is in the task block. */
export function execute(unit: LogicalUnit, task: usize): u32 {
  task_begin(task);
  const cdb = task_cdb(task);
  const index = load<u32>(task, TASK_NEXUS_AT);
  const nexus = nexus_of(unit, index);
  if (nexus == null) return finish_check(unit, task, SENSE_INTERNAL_TARGET_FAILURE); // the host's mistake
  if (nexus.attentions && tells_attention(cdb)) {
    if (!conflict_first(unit, nexus) || !conflicts(unit, nexus, index, cdb)) {
      return finish_check(unit, task, attention_take(nexus));
    }
  }
  if (conflicts(unit, nexus, index, cdb)) return finish_status(task, RESERVATION_CONFLICT);
  const usage = usage_of(cdb);
  if (usage <= USAGE_NO_SERVICE_ACTION) {
    return usage == USAGE_NO_OPCODE
      ? finish_check(unit, task, SENSE_INVALID_OPERATION_CODE)
      : finish_bad_cdb(unit, task, 1, 4);
  }
  if (reserved_bits(cdb, usage)) {
    const byte = reserved_byte(cdb, usage);
    return finish_bad_cdb(unit, task, byte, reserved_bit(cdb, usage, byte));
  }
  return command(unit, nexus, index, task, cdb);
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
  if (unit.reservationType && persistent_conflict(unit, nexus, cdb)) return true;
  return unit.spc2Holder != 0 && spc2_conflict(cdb, unit.spc2Holder == index + 1);
}

/** By option, as [SAM-5] 5.3.3: only the unit attentions of resets go before RESERVATION CONFLICT. */
function conflict_first(unit: LogicalUnit, nexus: Nexus): bool {
  return (unit.flags & LU_FLAG_CONFLICT_FIRST) != 0 && (attention_peek(nexus) & 0xff00) != 0x2900;
}

function command(unit: LogicalUnit, nexus: Nexus, index: u32, task: usize, cdb: usize): u32 {
  const opcode: u32 = load<u8>(cdb);
  const byte1: u32 = load<u8>(cdb, 1);
  switch (opcode) {
    case READ_10:
      return read(unit, task, opcode, byte1, cdb10_lba(cdb), cdb10_length(cdb));
    case WRITE_10:
      return write_plain(unit, task, opcode, byte1, cdb10_lba(cdb), cdb10_length(cdb));
    case READ_16:
      return read(unit, task, opcode, byte1, cdb16_lba(cdb), cdb16_length(cdb));
    case WRITE_16:
      return write_plain(unit, task, opcode, byte1, cdb16_lba(cdb), cdb16_length(cdb));
    case READ_12:
      return read(unit, task, opcode, byte1, cdb12_lba(cdb), cdb12_length(cdb));
    case WRITE_12:
      return write_plain(unit, task, opcode, byte1, cdb12_lba(cdb), cdb12_length(cdb));
    case READ_6:
      return read(unit, task, opcode, 0, cdb6_lba(cdb), cdb6_blocks(cdb));
    case WRITE_6:
      return write_plain(unit, task, opcode, 0, cdb6_lba(cdb), cdb6_blocks(cdb));
    case SYNCHRONIZE_CACHE_10:
      return synchronize_cache(unit, task, byte1, cdb10_lba(cdb), cdb10_length(cdb));
    case SYNCHRONIZE_CACHE_16:
      return synchronize_cache(unit, task, byte1, cdb16_lba(cdb), cdb16_length(cdb));
    case WRITE_AND_VERIFY_10:
      return write_and_verify(unit, task, opcode, byte1, cdb10_lba(cdb), cdb10_length(cdb));
    case WRITE_AND_VERIFY_12:
      return write_and_verify(unit, task, opcode, byte1, cdb12_lba(cdb), cdb12_length(cdb));
    case WRITE_AND_VERIFY_16:
      return write_and_verify(unit, task, opcode, byte1, cdb16_lba(cdb), cdb16_length(cdb));
    case VERIFY_10:
      return verify(unit, task, opcode, byte1, cdb10_lba(cdb), cdb10_length(cdb));
    case VERIFY_12:
      return verify(unit, task, opcode, byte1, cdb12_lba(cdb), cdb12_length(cdb));
    case VERIFY_16:
      return verify(unit, task, opcode, byte1, cdb16_lba(cdb), cdb16_length(cdb));
    case TEST_UNIT_READY:
      return test_unit_ready(unit, task);
    case REQUEST_SENSE:
      return request_sense(unit, nexus, task);
    case INQUIRY:
      return inquiry(unit, nexus, task);
    case MODE_SENSE_6:
    case MODE_SENSE_10:
      return mode_sense(unit, task);
    case MODE_SELECT_6:
    case MODE_SELECT_10:
      return mode_select(unit, index, task);
    case READ_CAPACITY_10:
      return read_capacity_10(unit, task);
    case SERVICE_ACTION_IN_16:
      return read_capacity_16(unit, task);
    case REPORT_LUNS:
      return report_luns(unit, task);
    case START_STOP_UNIT:
      return start_stop_unit(unit, task);
    case PERSISTENT_RESERVE_IN:
      return persistent_reserve_in(unit, task);
    case PERSISTENT_RESERVE_OUT:
      return persistent_reserve_out(unit, nexus, task);
    case RESERVE_6:
    case RESERVE_10:
      return reserve_unit(unit, nexus, index, task);
    case RELEASE_6:
    case RELEASE_10:
      return release_unit(unit, nexus, index, task);
    default:
      return finish_check(unit, task, SENSE_INVALID_OPERATION_CODE);
  }
}
