/**
 * What every command that touches blocks asks first, and how it ends: with an action, its LBA, its blocks and flags in
 * the task block. Beyond that only a command itself knows.
 *
 * [SBC-3] 4.5 LOGICAL BLOCK ADDRESS OUT OF RANGE, 4.12 write protection, 4.15 caches, 4.22 protection information
 */
import {
  LU_FLAG_PROTECTED,
  PI_BYTES,
  TASK_ACTION_AT,
  TASK_BLOCKS_LO_AT,
  TASK_FLAGS_AT,
  TASK_FLAG_DPO,
  TASK_FLAG_FUA,
  TASK_FLAG_PI,
  TASK_FLAG_PI_GUARD,
  TASK_FLAG_PI_MOVED,
  TASK_FLAG_PI_REF,
  TASK_LBA_LO_AT,
} from '../layout';
import { cdb_bytes } from '../scsi/cdb';
import {
  SENSE_INITIALIZING_COMMAND_REQUIRED,
  SENSE_INVALID_FIELD_IN_COMMAND_UNIT,
  SENSE_LBA_OUT_OF_RANGE,
  SENSE_WRITE_PROTECTED,
} from '../scsi/sense';
import { finish_bad_cdb, finish_check, finish_sense, want_out } from './task';
import { LogicalUnit } from './unit';

export const DPO: u32 = 0x10;
export const FUA: u32 = 0x08;
/** protection_of: the field has a value that the logical unit does not take. */
export const BAD_PROTECT: u32 = 0xffffffff;

/** Byte of the TRANSFER LENGTH field of this CDB, for field pointers. */
export function length_byte(opcode: u32): u32 {
  const bytes = cdb_bytes(opcode);
  return bytes == 16 ? 10 : bytes == 12 ? 6 : bytes == 10 ? 7 : 4;
}

// @ts-ignore: decorator
@inline
export function in_range(unit: LogicalUnit, lba: u64, blocks: u64): bool {
  return lba < unit.blocks && blocks <= unit.blocks - lba;
}

/** INFORMATION is the first LBA that is not there. */
export function finish_out_of_range(unit: LogicalUnit, task: usize, lba: u64): u32 {
  return finish_sense(unit, task, SENSE_LBA_OUT_OF_RANGE, 0, true, max<u64>(lba, unit.blocks));
}

/**
 * True when the logical unit can do it: at most `most` blocks, started, not write protected if `writes`, in range.
 * Else the task has ended.
 */
// @ts-ignore: decorator
@inline
export function admits(
  unit: LogicalUnit,
  task: usize,
  lba: u64,
  blocks: u32,
  most: u32,
  lengthByte: u32,
  writes: bool,
): bool {
  if (blocks <= most && !unit.stopped && !(writes && unit.writeProtected) && in_range(unit, lba, blocks)) {
    return true;
  }
  if (blocks > most) finish_bad_cdb(unit, task, lengthByte, 7);
  else if (unit.stopped) finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  else if (writes && unit.writeProtected) finish_check(unit, task, SENSE_WRITE_PROTECTED);
  else finish_out_of_range(unit, task, lba);
  return false;
}

/**
 * RDPROTECT, WRPROTECT, VRPROTECT or ORPROTECT of byte 1 as TASK_FLAG_PI*, [SBC-3] tables 53, 58, 113, 131. Without
 * protection information it must be 0. With 000b none is moved: what is read is checked, what is written is made.
 */
// @ts-ignore: decorator
@inline
export function protection_of(unit: LogicalUnit, byte1: u32): u32 {
  if (!(unit.flags & LU_FLAG_PROTECTED)) return byte1 & 0xe0 ? BAD_PROTECT : 0;
  return protection_type_1(byte1 >> 5);
}

function protection_type_1(field: u32): u32 {
  switch (field) {
    case 0:
      return TASK_FLAG_PI | TASK_FLAG_PI_GUARD | TASK_FLAG_PI_REF;
    case 1:
    case 5:
      return TASK_FLAG_PI | TASK_FLAG_PI_MOVED | TASK_FLAG_PI_GUARD | TASK_FLAG_PI_REF;
    case 2:
      return TASK_FLAG_PI | TASK_FLAG_PI_MOVED | TASK_FLAG_PI_REF;
    case 3:
      return TASK_FLAG_PI | TASK_FLAG_PI_MOVED;
    case 4:
      return TASK_FLAG_PI | TASK_FLAG_PI_MOVED | TASK_FLAG_PI_GUARD;
    default:
      return BAD_PROTECT; // 110b and 111b are reserved
  }
}

/** Bytes of a block as it travels. */
// @ts-ignore: decorator
@inline
export function stride(unit: LogicalUnit, protection: u32): u32 {
  return unit.blockBytes + (protection & TASK_FLAG_PI_MOVED ? PI_BYTES : 0);
}

/** DPO and FUA of byte 1 as task flags. */
// @ts-ignore: decorator
@inline
export function cache_flags(byte1: u32): u32 {
  return (byte1 & FUA ? TASK_FLAG_FUA : 0) | (byte1 & DPO ? TASK_FLAG_DPO : 0);
}

/** Of a write: with WCE 0 it is on the medium before its status, [SBC-3] 6.4.5. */
// @ts-ignore: decorator
@inline
export function write_flags(unit: LogicalUnit, byte1: u32): u32 {
  return cache_flags(byte1) | (unit.writeThrough ? TASK_FLAG_FUA : 0);
}

/** Sets what the host is to do, and returns it. */
// @ts-ignore: decorator
@inline
export function finish_action(task: usize, action: u32, lba: u64, blocks: u64, flags: u32): u32 {
  store<u32>(task, action, TASK_ACTION_AT);
  store<u64>(task, lba, TASK_LBA_LO_AT);
  store<u64>(task, blocks, TASK_BLOCKS_LO_AT);
  store<u32>(task, flags, TASK_FLAGS_AT);
  return action;
}

/** The initiator sends less than a command needs that cannot be done in part: 05/0E03. */
export function finish_short_data(unit: LogicalUnit, task: usize, wanted: u32): u32 {
  want_out(task, wanted);
  return finish_check(unit, task, SENSE_INVALID_FIELD_IN_COMMAND_UNIT);
}
