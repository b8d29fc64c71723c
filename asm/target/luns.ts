/**
 * REPORT LUNS: the logical units of the target that a command came through. Through an iSCSI target port these are
 * what the host told; a SAS disk is alone behind its ports.
 *
 * [SPC-4] 6.33 REPORT LUNS, table 279 SELECT REPORT; [SAM-5] 4.7 logical unit numbers
 */
import { load_be32, store_be32 } from '../bytes/endian';
import { LUN_BYTES, LUN_MAX } from '../layout';
import { SENSE_REPORTED_LUNS_CHANGED } from '../scsi/sense';
import { attention_post } from './attention';
import { ISCSI, nexus_protocol } from './config';
import { SCRATCH } from './scratch';
import { data_in_put, finish_bad_cdb, finish_data_in, task_cdb } from './task';
import { LogicalUnit, Nexus, luns_at, nexus_at } from './unit';
import { NEXUS_MAX } from '../layout';

const ALL_BUT_WELL_KNOWN: u32 = 0;
const WELL_KNOWN: u32 = 1;
const ALL: u32 = 2;
/** LUN 0, where the host told none. */
const LUN_0 = memory.data(8, 8);

export function report_luns(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const select: u32 = load<u8>(task_cdb(task), 2);
  // 10h to 12h ask for administrative logical units and their subsidiaries, of which there are none
  if (select > ALL) return finish_bad_cdb(unit, task, 2, 7);
  const told = nexus_protocol(unit, nexus) == ISCSI && unit.luns != 0;
  return told ? report_inventory(task, luns_at(unit), unit.luns) : report_inventory(task, LUN_0, 1);
}

/** GOOD with `count` LUNs of LUN_BYTES at `luns`; well known logical units are not among them. */
export function report_inventory(task: usize, luns: usize, count: u32): u32 {
  const cdb = task_cdb(task);
  const allocation = load_be32(cdb + 6);
  const bytes = load<u8>(cdb, 2) == WELL_KNOWN ? 0 : count * <u32>LUN_BYTES;
  store<u64>(SCRATCH, 0);
  store_be32(SCRATCH, bytes);
  data_in_put(task, allocation, 0, SCRATCH, 8);
  data_in_put(task, allocation, 8, luns, bytes);
  return finish_data_in(task, allocation, 8 + bytes);
}

/** True if the target now has these LUNs. Who is logged in through iSCSI is told that they have changed. */
export function set_luns(unit: LogicalUnit, luns: usize, count: u32): bool {
  if (count > <u32>LUN_MAX) return false;
  const bytes = count * <u32>LUN_BYTES;
  if (count == unit.luns && memory.compare(luns_at(unit), luns, bytes) == 0) return true;
  memory.copy(luns_at(unit), luns, bytes);
  unit.luns = count;
  for (let i: u32 = 0; i < <u32>NEXUS_MAX; i++) {
    const nexus = nexus_at(unit, i);
    if (nexus_protocol(unit, nexus) == ISCSI) attention_post(nexus, SENSE_REPORTED_LUNS_CHANGED);
  }
  return true;
}
