/**
 * Writes that are done as a whole or not at all, and what the initiator sends for them must be whole too.
 *
 * [SBC-3] 5.2 COMPARE AND WRITE, 5.9 ORWRITE(16)
 * [SBC-4] 5.48 WRITE ATOMIC(16), 6.6.4 Block Limits VPD page, 4.29 atomic writes
 */
import {
  ACTION_COMPARE_WRITE,
  ACTION_OR_WRITE,
  ACTION_WRITE,
  LU_CONFIG_PHYSICAL_EXPONENT_AT,
  LU_MAX_ATOMIC_BYTES,
  LU_MAX_COMPARE_AND_WRITE,
  TASK_DATA_OUT_BYTES_AT,
  TASK_FLAG_ATOMIC,
} from '../layout';
import { load_be16 } from '../bytes/endian';
import { cdb16_lba, cdb16_length } from '../scsi/cdb';
import {
  BAD_PROTECT,
  admits,
  finish_action,
  finish_out_of_range,
  finish_short_data,
  in_range,
  protection_of,
  stride,
  write_flags,
} from './blocks';
import { finish_bad_cdb, finish_good, finish_moved, task_cdb } from './task';
import { LogicalUnit, Nexus, config_at } from './unit';

/** Bytes of the CDB where the number of blocks stands. */
const COMPARE_LENGTH_AT: u32 = 13;
const OR_LENGTH_AT: u32 = 10;
const ATOMIC_LENGTH_AT: u32 = 12;

/** The rest of each: `times` times the blocks are sent. */
function whole(
  unit: LogicalUnit,
  task: usize,
  action: u32,
  flags: u32,
  blocks: u32,
  times: u32,
  most: u32,
  lengthByte: u32,
): u32 {
  const cdb = task_cdb(task);
  const lba = cdb16_lba(cdb);
  const byte1: u32 = load<u8>(cdb, 1);
  const protection = protection_of(unit, byte1);
  if (protection == BAD_PROTECT) return finish_bad_cdb(unit, task, 1, 7);
  if (!admits(unit, task, lba, blocks, most, lengthByte, true)) return 0;
  if (!blocks) return finish_good(task);
  const wanted = times * blocks * stride(unit, protection);
  const held = load<u32>(task, TASK_DATA_OUT_BYTES_AT);
  if (held < wanted) return finish_short_data(unit, task, wanted);
  finish_moved(task, wanted, held);
  return finish_action(task, action, lba, blocks, write_flags(unit, byte1) | protection | flags);
}

/** What is there is compared with the first half of the data; when it is the same, the second half is written. */
export function compare_and_write(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const blocks: u32 = load<u8>(task_cdb(task), COMPARE_LENGTH_AT);
  const most: u32 = LU_MAX_COMPARE_AND_WRITE;
  return whole(unit, task, ACTION_COMPARE_WRITE, 0, blocks, 2, most, COMPARE_LENGTH_AT);
}

export function or_write(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const blocks = cdb16_length(task_cdb(task));
  return whole(unit, task, ACTION_OR_WRITE, 0, blocks, 1, unit.maxTransferBlocks, OR_LENGTH_AT);
}

/** ATOMIC ALIGNMENT and ATOMIC TRANSFER LENGTH GRANULARITY: a physical block, [SBC-4] 6.6.4. */
export function atomic_granularity(unit: LogicalUnit): u32 {
  return 1 << load<u32>(config_at(unit), LU_CONFIG_PHYSICAL_EXPONENT_AT);
}

/** MAXIMUM ATOMIC TRANSFER LENGTH, [SBC-4] 6.6.4. */
export function atomic_max(unit: LogicalUnit): u32 {
  return min<u32>(unit.maxTransferBlocks, LU_MAX_ATOMIC_BYTES / unit.blockBytes);
}

/** No boundaries within a transfer: MAXIMUM ATOMIC BOUNDARY SIZE is 0. */
export function write_atomic(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const blocks = load_be16(cdb + ATOMIC_LENGTH_AT);
  const granularity = atomic_granularity(unit);
  if (load<u16>(cdb, 10)) return finish_bad_cdb(unit, task, 10, 7);
  if (cdb16_lba(cdb) & (granularity - 1)) return finish_bad_cdb(unit, task, 2, 7);
  if (blocks & (granularity - 1)) return finish_bad_cdb(unit, task, ATOMIC_LENGTH_AT, 7);
  // what no unit of this size could do is out of range, however much it is
  if (!in_range(unit, cdb16_lba(cdb), blocks)) return finish_out_of_range(unit, task, cdb16_lba(cdb));
  return whole(unit, task, ACTION_WRITE, TASK_FLAG_ATOMIC, blocks, 1, atomic_max(unit), ATOMIC_LENGTH_AT);
}
