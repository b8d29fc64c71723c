/**
 * Commands that touch the medium. The device server decides; the host moves the blocks, as the action, the LBA and
 * the number of blocks in the task block tell it.
 *
 * [SBC-3] 5.10 to 5.13 READ(6, 10, 12, 16), 5.35 to 5.41 WRITE and WRITE AND VERIFY, 5.30 to 5.32 VERIFY,
 *         5.27, 5.28 SYNCHRONIZE CACHE, 4.5 LOGICAL BLOCK ADDRESS OUT OF RANGE, 4.15 caches
 */
import {
  ACTION_READ,
  ACTION_SYNC,
  ACTION_VERIFY,
  ACTION_WRITE,
  ACTION_WRITE_VERIFY,
  TASK_ACTION_AT,
  TASK_BLOCKS_LO_AT,
  TASK_DATA_IN_BYTES_AT,
  TASK_DATA_OUT_BYTES_AT,
  TASK_FLAGS_AT,
  TASK_FLAG_DPO,
  TASK_FLAG_FUA,
  TASK_FLAG_IMMEDIATE,
  TASK_LBA_LO_AT,
} from '../layout';
import {
  SENSE_INITIALIZING_COMMAND_REQUIRED,
  SENSE_LBA_OUT_OF_RANGE,
  SENSE_WRITE_PROTECTED,
} from '../scsi/sense';
import { cdb_bytes } from '../scsi/cdb';
import { finish_bad_cdb, finish_check, finish_good, finish_moved } from './task';
import { LogicalUnit } from './unit';

const PROTECT: u32 = 0xe0; // RDPROTECT, WRPROTECT, VRPROTECT: byte 1, bits 7 to 5
const DPO: u32 = 0x10;
const FUA: u32 = 0x08;
const BYTCHK: u32 = 0x06;
const IMMED: u32 = 0x02;

/** Byte of the TRANSFER LENGTH field of this CDB, for field pointers. */
function length_byte(opcode: u32): u32 {
  const bytes = cdb_bytes(opcode);
  return bytes == 16 ? 10 : bytes == 12 ? 6 : bytes == 10 ? 7 : 4;
}

// @ts-ignore: decorator
@inline
function in_range(unit: LogicalUnit, lba: u64, blocks: u64): bool {
  return lba < unit.blocks && blocks <= unit.blocks - lba;
}

/** Sets what the host is to do, and returns it. */
// @ts-ignore: decorator
@inline
function finish_action(task: usize, action: u32, lba: u64, blocks: u64, flags: u32): u32 {
  store<u32>(task, action, TASK_ACTION_AT);
  store<u64>(task, lba, TASK_LBA_LO_AT);
  store<u64>(task, blocks, TASK_BLOCKS_LO_AT);
  store<u32>(task, flags, TASK_FLAGS_AT);
  return action;
}

/** DPO and FUA of byte 1 as task flags. */
// @ts-ignore: decorator
@inline
function cache_flags(byte1: u32): u32 {
  return (byte1 & FUA ? TASK_FLAG_FUA : 0) | (byte1 & DPO ? TASK_FLAG_DPO : 0);
}

/**
 * READ of any size; `byte1` is 0 for READ(6). The host reads whole blocks, TASK_BLOCKS of them, and sends
 * TASK_MOVED_BYTES. Errors: 02/0402 stopped, 05/2400 RDPROTECT or TRANSFER LENGTH, 05/2100 range.
 */
export function read(unit: LogicalUnit, task: usize, opcode: u32, byte1: u32, lba: u64, blocks: u32): u32 {
  if (byte1 & PROTECT) return finish_bad_cdb(unit, task, 1, 7); // PROT_EN is 0, [SBC-3] table 48
  if (blocks > unit.maxTransferBlocks) return finish_bad_cdb(unit, task, length_byte(opcode), 7);
  if (unit.stopped) return finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  if (!in_range(unit, lba, blocks)) return finish_check(unit, task, SENSE_LBA_OUT_OF_RANGE);
  if (!blocks) return finish_good(task); // not an error, [SBC-3] 5.11
  const held = load<u32>(task, TASK_DATA_IN_BYTES_AT);
  const wanted = blocks * unit.blockBytes;
  finish_moved(task, wanted, held);
  if (held < wanted) blocks = (held + unit.blockBytes - 1) / unit.blockBytes;
  // with RCD 1 a read comes from the medium, [SBC-3] 6.4.5
  const flags = cache_flags(byte1) | (unit.readThrough ? TASK_FLAG_FUA : 0);
  return finish_action(task, ACTION_READ, lba, blocks, flags);
}

/**
 * WRITE and WRITE AND VERIFY of any size. The host takes TASK_MOVED_BYTES and writes TASK_BLOCKS whole blocks: when
 * the initiator sends less than the CDB says, a block that is not whole is not written. Errors as of READ, and
 * 07/2700 write protected.
 */
export function write(
  unit: LogicalUnit,
  task: usize,
  action: u32,
  opcode: u32,
  byte1: u32,
  lba: u64,
  blocks: u32,
): u32 {
  if (byte1 & PROTECT) return finish_bad_cdb(unit, task, 1, 7);
  if (blocks > unit.maxTransferBlocks) return finish_bad_cdb(unit, task, length_byte(opcode), 7);
  if (unit.stopped) return finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  if (unit.writeProtected) return finish_check(unit, task, SENSE_WRITE_PROTECTED);
  if (!in_range(unit, lba, blocks)) return finish_check(unit, task, SENSE_LBA_OUT_OF_RANGE);
  if (!blocks) return finish_good(task);
  const held = load<u32>(task, TASK_DATA_OUT_BYTES_AT);
  const wanted = blocks * unit.blockBytes;
  finish_moved(task, wanted, held);
  if (held < wanted) blocks = held / unit.blockBytes;
  // with WCE 0 a write is on the medium before its status, [SBC-3] 6.4.5
  const flags = cache_flags(byte1) | (unit.writeThrough ? TASK_FLAG_FUA : 0);
  return finish_action(task, action, lba, blocks, flags);
}

export function write_plain(
  unit: LogicalUnit,
  task: usize,
  opcode: u32,
  byte1: u32,
  lba: u64,
  blocks: u32,
): u32 {
  return write(unit, task, ACTION_WRITE, opcode, byte1, lba, blocks);
}

/** WRITE AND VERIFY with BYTCHK 00b: what was written is read again, [SBC-3] 5.38. */
export function write_and_verify(
  unit: LogicalUnit,
  task: usize,
  opcode: u32,
  byte1: u32,
  lba: u64,
  blocks: u32,
): u32 {
  if (byte1 & BYTCHK) return finish_bad_cdb(unit, task, 1, 2);
  return write(unit, task, ACTION_WRITE_VERIFY, opcode, byte1 & ~FUA, lba, blocks);
}

/** VERIFY with BYTCHK 00b: the blocks are read and nothing is moved, [SBC-3] 5.30. */
export function verify(unit: LogicalUnit, task: usize, opcode: u32, byte1: u32, lba: u64, blocks: u32): u32 {
  if (byte1 & PROTECT) return finish_bad_cdb(unit, task, 1, 7);
  if (byte1 & BYTCHK) return finish_bad_cdb(unit, task, 1, 2);
  if (blocks > unit.maxTransferBlocks) return finish_bad_cdb(unit, task, length_byte(opcode), 7);
  if (unit.stopped) return finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  if (!in_range(unit, lba, blocks)) return finish_check(unit, task, SENSE_LBA_OUT_OF_RANGE);
  if (!blocks) return finish_good(task);
  return finish_action(task, ACTION_VERIFY, lba, blocks, byte1 & DPO ? TASK_FLAG_DPO : 0);
}

/** SYNCHRONIZE CACHE: 0 blocks mean all from the LBA on, [SBC-3] 5.27. No bound but the medium's end. */
export function synchronize_cache(unit: LogicalUnit, task: usize, byte1: u32, lba: u64, blocks: u32): u32 {
  if (unit.stopped) return finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  if (!in_range(unit, lba, blocks)) return finish_check(unit, task, SENSE_LBA_OUT_OF_RANGE);
  const count = blocks ? <u64>blocks : unit.blocks - lba;
  return finish_action(task, ACTION_SYNC, lba, count, byte1 & IMMED ? TASK_FLAG_IMMEDIATE : 0);
}

/** All of the cache to the medium, as a part of another command. */
export function flush(unit: LogicalUnit, task: usize, flags: u32): u32 {
  return finish_action(task, ACTION_SYNC, 0, unit.blocks, flags);
}
