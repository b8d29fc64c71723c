/**
 * UNMAP, and GET LBA STATUS that tells what came of it.
 *
 * [SBC-3] 5.28 UNMAP, 5.28.2 parameter list, 5.4 GET LBA STATUS, 6.5.4 MAXIMUM UNMAP LBA COUNT and BLOCK DESCRIPTOR
 *         COUNT
 */
import {
  ACTION_LBA_STATUS,
  ACTION_UNMAP,
  EXTENT_BLOCKS_AT,
  EXTENT_BYTES,
  EXTENT_LBA_LO_AT,
  LU_MAX_UNMAP,
  LU_MAX_UNMAP_DESCRIPTORS,
  TASK_DATA_IN_BYTES_AT,
  TASK_EXTENTS_AT,
  TASK_EXTENT_COUNT_AT,
  TASK_MOVED_BYTES_AT,
  TASK_RESIDUAL_AT,
} from '../layout';
import { load_be16, load_be32, load_be64 } from '../bytes/endian';
import { cdb10_length, cdb16_lba, cdb16_length } from '../scsi/cdb';
import {
  SENSE_INITIALIZING_COMMAND_REQUIRED,
  SENSE_PARAMETER_LIST_LENGTH,
  SENSE_WRITE_PROTECTED,
} from '../scsi/sense';
import { finish_action, finish_out_of_range, in_range } from './blocks';
import {
  finish_bad_cdb,
  finish_bad_list,
  finish_check,
  finish_good,
  finish_moved,
  task_cdb,
  task_data_out,
  task_data_out_bytes,
  want_out,
} from './task';
import { LogicalUnit, Nexus } from './unit';

const HEAD_BYTES: u32 = 8;
const DESCRIPTOR_BYTES: u32 = 16;
const DESCRIPTOR_BLOCKS_AT: usize = 8;
const ANCHOR: u32 = 1;

/** Extents are made of the descriptors, each in its place. */
export function unmap(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const length = cdb10_length(cdb);
  const list = task_data_out(task);
  if (load<u8>(cdb, 1) & ANCHOR) return finish_bad_cdb(unit, task, 1, 0); // ANC_SUP is 0
  if (unit.stopped) return finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  if (unit.writeProtected) return finish_check(unit, task, SENSE_WRITE_PROTECTED);
  if (!length) return finish_good(task); // not an error
  if (length < HEAD_BYTES) return finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
  if (!want_out(task, length)) return finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
  // a last descriptor that is not whole is ignored
  const described = min(load_be16(list + 2), length - HEAD_BYTES);
  const count = described / DESCRIPTOR_BYTES;
  if (count > <u32>LU_MAX_UNMAP_DESCRIPTORS) return finish_bad_list(unit, task, 2, 7);
  if (!judge(unit, task, list + HEAD_BYTES, count)) return 0;
  finish_moved(task, length, task_data_out_bytes(task));
  if (!count) return finish_good(task);
  convert(list + HEAD_BYTES, count);
  store<u32>(task, <u32>list + HEAD_BYTES, TASK_EXTENTS_AT);
  store<u32>(task, count, TASK_EXTENT_COUNT_AT);
  return finish_action(task, ACTION_UNMAP, 0, 0, 0);
}

/** False when a descriptor is out of range or all of them are too much; the task has ended then. */
function judge(unit: LogicalUnit, task: usize, from: usize, count: u32): bool {
  let total: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const descriptor = from + i * DESCRIPTOR_BYTES;
    const lba = load_be64(descriptor);
    const blocks = load_be32(descriptor + DESCRIPTOR_BLOCKS_AT);
    // no blocks at the end of the medium do not go beyond it, [SBC-3] 5.28.2
    if (!in_range(unit, lba, blocks) && (blocks || lba != unit.blocks)) {
      finish_out_of_range(unit, task, lba);
      return false;
    }
    total += blocks;
    if (total > <u64>LU_MAX_UNMAP) {
      finish_bad_list(unit, task, HEAD_BYTES + i * DESCRIPTOR_BYTES + <u32>DESCRIPTOR_BLOCKS_AT, 7);
      return false;
    }
  }
  return true;
}

function convert(from: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const descriptor = from + i * DESCRIPTOR_BYTES;
    const extent = from + i * EXTENT_BYTES;
    const lba = load_be64(descriptor);
    const blocks = load_be32(descriptor + DESCRIPTOR_BLOCKS_AT);
    store<u64>(extent, lba, EXTENT_LBA_LO_AT);
    store<u32>(extent, blocks, EXTENT_BLOCKS_AT);
    store<u32>(extent, 0, EXTENT_BLOCKS_AT + 4);
  }
}

/** The host knows the map and makes the parameter data, at most TASK_MOVED_BYTES of it. */
export function get_lba_status(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const lba = cdb16_lba(cdb);
  if (unit.stopped) return finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  if (!in_range(unit, lba, 0)) return finish_out_of_range(unit, task, lba);
  const held = load<u32>(task, TASK_DATA_IN_BYTES_AT);
  const moved = min(held, cdb16_length(cdb));
  store<u32>(task, moved, TASK_MOVED_BYTES_AT);
  store<u32>(task, held - moved, TASK_RESIDUAL_AT);
  return finish_action(task, ACTION_LBA_STATUS, lba, 0, 0);
}
