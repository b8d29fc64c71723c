/**
 * READ, WRITE, WRITE AND VERIFY, VERIFY, SYNCHRONIZE CACHE and PRE-FETCH. The device server decides; the host moves the
 * blocks, as the action, the LBA, the number of blocks and the flags in the task block tell it.
 *
 * [SBC-3] 5.10 to 5.13 READ(6, 10, 12, 16), 5.35 to 5.41 WRITE and WRITE AND VERIFY, 5.30 to 5.32 VERIFY,
 *         5.27, 5.28 SYNCHRONIZE CACHE, 5.7, 5.8 PRE-FETCH, 4.5 LOGICAL BLOCK ADDRESS OUT OF RANGE, 4.15 caches
 */
import {
  ACTION_READ,
  ACTION_SYNC,
  ACTION_VERIFY,
  ACTION_WRITE,
  ACTION_WRITE_VERIFY,
  LU_CACHE_BYTES,
  TASK_DATA_IN_BYTES_AT,
  TASK_DATA_OUT_BYTES_AT,
  TASK_FLAG_COMPARE,
  TASK_FLAG_COMPARE_ONE,
  TASK_FLAG_DPO,
  TASK_FLAG_FUA,
  TASK_FLAG_IMMEDIATE,
  TASK_STATUS_AT,
} from '../layout';
import { SENSE_INITIALIZING_COMMAND_REQUIRED } from '../scsi/sense';
import { CONDITION_MET } from '../scsi/status';
import {
  BAD_PROTECT,
  DPO,
  FUA,
  admits,
  cache_flags,
  finish_action,
  finish_out_of_range,
  finish_short_data,
  in_range,
  length_byte,
  protection_of,
  stride,
  write_flags,
} from './blocks';
import { finish_bad_cdb, finish_check, finish_good, finish_moved } from './task';
import { LogicalUnit } from './unit';

const BYTCHK: u32 = 0x06;
const IMMED: u32 = 0x02;

/**
 * READ of any size; `byte1` is 0 for READ(6). The host reads whole blocks, TASK_BLOCKS of them, and sends
 * TASK_MOVED_BYTES. Errors: 02/0402 stopped, 05/2400 RDPROTECT or TRANSFER LENGTH, 05/2100 range.
 */
export function read(unit: LogicalUnit, task: usize, opcode: u32, byte1: u32, lba: u64, blocks: u32): u32 {
  const protection = protection_of(unit, byte1);
  if (protection == BAD_PROTECT) return finish_bad_cdb(unit, task, 1, 7);
  if (!admits(unit, task, lba, blocks, unit.maxTransferBlocks, length_byte(opcode), false)) return 0;
  if (!blocks) return finish_good(task); // not an error, [SBC-3] 5.11
  const held = load<u32>(task, TASK_DATA_IN_BYTES_AT);
  const size = stride(unit, protection);
  const wanted = blocks * size;
  finish_moved(task, wanted, held);
  if (held < wanted) blocks = (held + size - 1) / size;
  // with RCD 1 a read comes from the medium, [SBC-3] 6.4.5
  const flags = cache_flags(byte1) | (unit.readThrough ? TASK_FLAG_FUA : 0);
  return finish_action(task, ACTION_READ, lba, blocks, flags | protection);
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
  const protection = protection_of(unit, byte1);
  if (protection == BAD_PROTECT) return finish_bad_cdb(unit, task, 1, 7);
  if (!admits(unit, task, lba, blocks, unit.maxTransferBlocks, length_byte(opcode), true)) return 0;
  if (!blocks) return finish_good(task);
  const held = load<u32>(task, TASK_DATA_OUT_BYTES_AT);
  const size = stride(unit, protection);
  const wanted = blocks * size;
  finish_moved(task, wanted, held);
  if (held < wanted) blocks = held / size;
  return finish_action(task, action, lba, blocks, write_flags(unit, byte1) | protection);
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

/** BYTCHK 00b: what was written is read again; 01b: and compared, which is no different here. [SBC-3] 5.38 */
export function write_and_verify(
  unit: LogicalUnit,
  task: usize,
  opcode: u32,
  byte1: u32,
  lba: u64,
  blocks: u32,
): u32 {
  if (byte1 & 0x04) return finish_bad_cdb(unit, task, 1, 2); // 10b, 11b
  return write(unit, task, ACTION_WRITE_VERIFY, opcode, byte1 & ~FUA, lba, blocks);
}

/**
 * VERIFY. BYTCHK 00b: the blocks are read and nothing is moved; 01b: they are compared with as many that are sent;
 * 11b: each with the one that is sent. [SBC-3] 5.30
 */
export function verify(unit: LogicalUnit, task: usize, opcode: u32, byte1: u32, lba: u64, blocks: u32): u32 {
  const protection = protection_of(unit, byte1);
  const check = (byte1 & BYTCHK) >> 1;
  if (protection == BAD_PROTECT) return finish_bad_cdb(unit, task, 1, 7);
  if (check == 2) return finish_bad_cdb(unit, task, 1, 2);
  if (!admits(unit, task, lba, blocks, unit.maxTransferBlocks, length_byte(opcode), false)) return 0;
  if (!blocks) return finish_good(task);
  let flags = protection | (byte1 & DPO ? TASK_FLAG_DPO : 0);
  if (check) {
    const wanted = check == 1 ? blocks * stride(unit, protection) : stride(unit, protection);
    const held = load<u32>(task, TASK_DATA_OUT_BYTES_AT);
    if (held < wanted) return finish_short_data(unit, task, wanted);
    finish_moved(task, wanted, held);
    flags |= check == 1 ? TASK_FLAG_COMPARE : TASK_FLAG_COMPARE_ONE;
  }
  return finish_action(task, ACTION_VERIFY, lba, blocks, flags);
}

/** SYNCHRONIZE CACHE: 0 blocks mean all from the LBA on, [SBC-3] 5.27. No bound but the medium's end. */
export function synchronize_cache(unit: LogicalUnit, task: usize, byte1: u32, lba: u64, blocks: u32): u32 {
  if (unit.stopped) return finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  if (!in_range(unit, lba, blocks)) return finish_out_of_range(unit, task, lba);
  const count = blocks ? <u64>blocks : unit.blocks - lba;
  return finish_action(task, ACTION_SYNC, lba, count, byte1 & IMMED ? TASK_FLAG_IMMEDIATE : 0);
}

/**
 * PRE-FETCH: CONDITION MET when all blocks find room in the cache, GOOD when only the first of them do; 0 blocks mean
 * all from the LBA on. [SBC-3] 5.7
 */
export function pre_fetch(unit: LogicalUnit, task: usize, byte1: u32, lba: u64, blocks: u32): u32 {
  if (unit.stopped) return finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  if (!in_range(unit, lba, blocks)) return finish_out_of_range(unit, task, lba);
  const wanted = blocks ? <u64>blocks : unit.blocks - lba;
  const room: u64 = LU_CACHE_BYTES / unit.blockBytes;
  if (wanted <= room) store<u32>(task, CONDITION_MET, TASK_STATUS_AT);
  const flags = byte1 & IMMED ? TASK_FLAG_IMMEDIATE : 0;
  return finish_action(task, ACTION_VERIFY, lba, min<u64>(wanted, room), flags);
}

/** All of the cache to the medium, as a part of another command. */
export function flush(unit: LogicalUnit, task: usize, flags: u32): u32 {
  return finish_action(task, ACTION_SYNC, 0, unit.blocks, flags);
}
