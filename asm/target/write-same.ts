/**
 * WRITE SAME(10) and (16): one block to many, or a way to deallocate them.
 *
 * [SBC-3] 5.42, 5.43 WRITE SAME, table 144 ANCHOR and UNMAP; 6.5.4 WSNZ and MAXIMUM WRITE SAME LENGTH
 * [SBC-3] 4.7.3.3 thin provisioned logical units
 */
import {
  ACTION_WRITE_SAME,
  LU_FLAG_THIN,
  LU_MAX_WRITE_SAME,
  TASK_DATA_OUT_BYTES_AT,
  TASK_FLAG_NO_DATA,
  TASK_FLAG_PI,
  TASK_FLAG_PI_MOVED,
  TASK_FLAG_UNMAP,
} from '../layout';
import { WRITE_SAME_16 } from '../scsi/opcode';
import {
  BAD_PROTECT,
  admits,
  finish_action,
  finish_short_data,
  length_byte,
  protection_of,
  stride,
  write_flags,
} from './blocks';
import { finish_bad_cdb, finish_moved, task_cdb } from './task';
import { cdb_blocks, cdb_lba } from './transfers';
import { LogicalUnit, Nexus } from './unit';

const ANCHOR: u32 = 0x10;
const UNMAP: u32 = 0x08;
const NDOB: u32 = 0x01;

export function write_same(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const opcode: u32 = load<u8>(cdb);
  const byte1: u32 = load<u8>(cdb, 1);
  const lba = cdb_lba(cdb);
  const blocks = cdb_blocks(cdb);
  const protection = protection_of(unit, byte1);
  if (protection == BAD_PROTECT) return finish_bad_cdb(unit, task, 1, 7);
  if (byte1 & ANCHOR) return finish_bad_cdb(unit, task, 1, 4); // ANC_SUP is 0
  if (byte1 & UNMAP && !(unit.flags & LU_FLAG_THIN)) return finish_bad_cdb(unit, task, 1, 3); // LBPWS, LBPWS10
  if (!blocks) return finish_bad_cdb(unit, task, length_byte(opcode), 7); // WSNZ
  if (!admits(unit, task, lba, blocks, LU_MAX_WRITE_SAME, length_byte(opcode), true)) return 0;
  // DPO and FUA it has none
  let flags = write_flags(unit, 0) | protection | (byte1 & UNMAP ? TASK_FLAG_UNMAP : 0);
  const held = load<u32>(task, TASK_DATA_OUT_BYTES_AT);
  if (opcode == WRITE_SAME_16 && byte1 & NDOB) {
    flags |= TASK_FLAG_NO_DATA;
    if (protection) flags |= TASK_FLAG_PI | TASK_FLAG_PI_MOVED; // all ones, not made
    return finish_action(task, ACTION_WRITE_SAME, lba, blocks, flags);
  }
  const wanted = stride(unit, protection);
  if (held < wanted) return finish_short_data(unit, task, wanted);
  finish_moved(task, wanted, held);
  return finish_action(task, ACTION_WRITE_SAME, lba, blocks, flags);
}
