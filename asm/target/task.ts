/**
 * The task block: what the host passes in with a command, and how a command ends. Every way out of a command is one
 * of the functions below, and each returns the action.
 *
 * [layout] TASK_*
 * [SAM-5] 5.1 the Execute Command procedure call, 5.3.1 status
 * [SPC-4] 4.2.5.6 ALLOCATION LENGTH, 4.5 sense data
 */
import {
  ACTION_NONE,
  TASK_ABORT_LO_AT,
  TASK_ACTION_AT,
  TASK_BLOCKS_LO_AT,
  TASK_CDB_AT,
  TASK_DATA_IN_AT,
  TASK_DATA_IN_BYTES_AT,
  TASK_DATA_IN_ROOM_AT,
  TASK_DATA_OUT_AT,
  TASK_DATA_OUT_BYTES_AT,
  TASK_FLAGS_AT,
  TASK_LBA_LO_AT,
  TASK_MOVED_BYTES_AT,
  TASK_NEXUS_AT,
  TASK_NV_CHANGED_AT,
  TASK_OVERFLOW_AT,
  TASK_RESIDUAL_AT,
  TASK_SENSE_AT,
  TASK_SENSE_LENGTH_AT,
  TASK_STATUS_AT,
} from '../layout';
import { store_be32, store_be64 } from '../bytes/endian';
import {
  SENSE_INVALID_FIELD_IN_CDB,
  SENSE_INVALID_FIELD_IN_LIST,
  sense_descriptors,
  sense_field,
  sense_fixed,
} from '../scsi/sense';
import { CHECK_CONDITION, GOOD } from '../scsi/status';
import { abort_on_check } from './aborting';
import { LogicalUnit } from './unit';

// @ts-ignore: decorator
@inline
export function task_cdb(task: usize): usize {
  return task + TASK_CDB_AT;
}

/** Index of the nexus that sent it. */
// @ts-ignore: decorator
@inline
export function task_nexus(task: usize): u32 {
  return load<u32>(task, TASK_NEXUS_AT);
}

// @ts-ignore: decorator
@inline
export function task_data_out(task: usize): usize {
  return load<u32>(task, TASK_DATA_OUT_AT);
}

// @ts-ignore: decorator
@inline
export function task_data_out_bytes(task: usize): u32 {
  return load<u32>(task, TASK_DATA_OUT_BYTES_AT);
}

/** Clears what a command gives back. Until something moves, all that was offered is residual. */
export function task_begin(task: usize): void {
  store<u64>(task, GOOD, TASK_STATUS_AT); // and ACTION_NONE
  store<u64>(task, 0, TASK_LBA_LO_AT);
  store<u64>(task, 0, TASK_BLOCKS_LO_AT);
  store<u64>(task, 0, TASK_FLAGS_AT); // and moved bytes
  store<u32>(
    task,
    load<u32>(task, TASK_DATA_IN_BYTES_AT) + load<u32>(task, TASK_DATA_OUT_BYTES_AT),
    TASK_RESIDUAL_AT,
  );
  store<u32>(task, 0, TASK_OVERFLOW_AT);
  store<u64>(task, 0, TASK_ABORT_LO_AT);
  store<u64>(task, 0, TASK_NV_CHANGED_AT); // and sense length
}

export function finish_good(task: usize): u32 {
  store<u32>(task, GOOD, TASK_STATUS_AT);
  return ACTION_NONE;
}

export function finish_status(task: usize, status: u32): u32 {
  store<u32>(task, status, TASK_STATUS_AT);
  return ACTION_NONE;
}

/** CHECK CONDITION with sense data in the format that D_SENSE asks for, [SPC-4] 7.5.8. */
export function finish_sense(
  unit: LogicalUnit,
  task: usize,
  code: u32,
  specific: u32,
  hasInformation: bool,
  information: u64,
): u32 {
  const buf = task + TASK_SENSE_AT;
  const bytes = unit.descriptorSense
    ? sense_descriptors(buf, code, specific, hasInformation, information)
    : sense_fixed(buf, code, specific, hasInformation, information);
  abort_on_check(unit, task);
  store<u32>(task, bytes, TASK_SENSE_LENGTH_AT);
  store<u32>(task, CHECK_CONDITION, TASK_STATUS_AT);
  store<u32>(task, ACTION_NONE, TASK_ACTION_AT);
  return ACTION_NONE;
}

export function finish_check(unit: LogicalUnit, task: usize, code: u32): u32 {
  return finish_sense(unit, task, code, 0, false, 0);
}

/** COMMAND-SPECIFIC INFORMATION for the sense data that there is, [SPC-4] 4.5.2.3, 4.5.3. */
export function finish_command_specific(unit: LogicalUnit, task: usize, value: u32): void {
  const buf = task + TASK_SENSE_AT;
  if (!unit.descriptorSense) return store_be32(buf + 8, value);
  const bytes = load<u32>(task, TASK_SENSE_LENGTH_AT);
  store<u32>(buf + bytes, 0x00000a01); // type 01h, ADDITIONAL LENGTH 0Ah
  store_be64(buf + bytes + 4, value);
  store<u8>(buf, <u8>(bytes + 12 - 8), 7);
  store<u32>(task, bytes + 12, TASK_SENSE_LENGTH_AT);
}

/** INVALID FIELD IN CDB; `bit` is the field's leftmost, or WHOLE_BYTE. */
export function finish_bad_cdb(unit: LogicalUnit, task: usize, byte: u32, bit: u32): u32 {
  return finish_sense(unit, task, SENSE_INVALID_FIELD_IN_CDB, sense_field(true, byte, bit), false, 0);
}

/** INVALID FIELD IN PARAMETER LIST; `bit` is the field's leftmost, or WHOLE_BYTE. */
export function finish_bad_list(unit: LogicalUnit, task: usize, byte: u32, bit: u32): u32 {
  return finish_sense(unit, task, SENSE_INVALID_FIELD_IN_LIST, sense_field(false, byte, bit), false, 0);
}

/** Copies `bytes` bytes of parameter data to `offset` in the data-in buffer, as far as the cut and the room allow. */
export function data_in_put(task: usize, allocation: u32, offset: u32, from: usize, bytes: u32): void {
  const room = min(allocation, load<u32>(task, TASK_DATA_IN_ROOM_AT));
  if (offset >= room) return;
  memory.copy(<usize>load<u32>(task, TASK_DATA_IN_AT) + offset, from, min(bytes, room - offset));
}

/** GOOD with `total` bytes of parameter data, of which the allocation length lets some through. */
export function finish_data_in(task: usize, allocation: u32, total: u32): u32 {
  const wanted = min(allocation, total);
  const held = load<u32>(task, TASK_DATA_IN_BYTES_AT);
  finish_moved(task, wanted, held);
  const room = load<u32>(task, TASK_DATA_IN_ROOM_AT);
  if (load<u32>(task, TASK_MOVED_BYTES_AT) > room) store<u32>(task, room, TASK_MOVED_BYTES_AT);
  return finish_good(task);
}

/** Parameter data all in one piece at `from`. */
export function finish_data_in_from(task: usize, allocation: u32, from: usize, total: u32): u32 {
  data_in_put(task, allocation, 0, from, total);
  return finish_data_in(task, allocation, total);
}

/**
 * The command wants `wanted` bytes of the initiator. When that is more than it sends, what is missing is an overflow
 * residual however the command ends, [RFC 7143] 11.4.5.1. True: all of it is there.
 */
export function want_out(task: usize, wanted: u32): bool {
  const held = task_data_out_bytes(task);
  if (wanted <= held) return true;
  store<u32>(task, wanted - held, TASK_RESIDUAL_AT);
  store<u32>(task, 1, TASK_OVERFLOW_AT);
  return false;
}

/** Bytes moved and residual of a command that wants to move `wanted` where the initiator has `held`. */
export function finish_moved(task: usize, wanted: u32, held: u32): void {
  const over = wanted > held;
  store<u32>(task, over ? held : wanted, TASK_MOVED_BYTES_AT);
  store<u32>(task, over ? wanted - held : held - wanted, TASK_RESIDUAL_AT);
  store<u32>(task, over ? 1 : 0, TASK_OVERFLOW_AT);
}
