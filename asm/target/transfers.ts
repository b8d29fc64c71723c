/**
 * CDBs of 6, 10, 12 and 16 bytes with an LBA and a transfer length, taken apart for the commands behind them.
 *
 * [SBC-3] 5.10 to 5.13 READ, 5.30 to 5.41 VERIFY and WRITE, 5.27, 5.28 SYNCHRONIZE CACHE
 */
import {
  cdb10_lba,
  cdb10_length,
  cdb12_length,
  cdb16_lba,
  cdb16_length,
  cdb6_blocks,
  cdb6_lba,
} from '../scsi/cdb';
import { pre_fetch, read, synchronize_cache, verify, write_and_verify, write_plain } from './medium';
import { task_cdb } from './task';
import { LogicalUnit, Nexus } from './unit';

/** LBA of a CDB, by the group code of its operation code, [SPC-4] 4.2.5.3. */
// @ts-ignore: decorator
@inline
export function cdb_lba(cdb: usize): u64 {
  const group = (<u32>load<u8>(cdb)) >> 5;
  return group == 4 ? cdb16_lba(cdb) : group ? cdb10_lba(cdb) : cdb6_lba(cdb); // as 10, so 12
}

/** Transfer length in blocks, likewise. */
// @ts-ignore: decorator
@inline
export function cdb_blocks(cdb: usize): u32 {
  const group = (<u32>load<u8>(cdb)) >> 5;
  if (group == 4) return cdb16_length(cdb);
  if (group == 5) return cdb12_length(cdb);
  return group ? cdb10_length(cdb) : cdb6_blocks(cdb);
}

/** Byte 1 with the protection, DPO and FUA fields; a CDB of 6 bytes has none. */
// @ts-ignore: decorator
@inline
export function cdb_byte1(cdb: usize): u32 {
  return load<u8>(cdb) >> 5 ? load<u8>(cdb, 1) : 0;
}

export function reads(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  return read(unit, task, load<u8>(cdb), cdb_byte1(cdb), cdb_lba(cdb), cdb_blocks(cdb));
}

export function writes(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  return write_plain(unit, task, load<u8>(cdb), cdb_byte1(cdb), cdb_lba(cdb), cdb_blocks(cdb));
}

export function writes_and_verifies(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  return write_and_verify(unit, task, load<u8>(cdb), cdb_byte1(cdb), cdb_lba(cdb), cdb_blocks(cdb));
}

export function verifies(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  return verify(unit, task, load<u8>(cdb), cdb_byte1(cdb), cdb_lba(cdb), cdb_blocks(cdb));
}

export function synchronizes(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  return synchronize_cache(unit, task, load<u8>(cdb, 1), cdb_lba(cdb), cdb_blocks(cdb));
}

export function pre_fetches(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  return pre_fetch(unit, task, load<u8>(cdb, 1), cdb_lba(cdb), cdb_blocks(cdb));
}
