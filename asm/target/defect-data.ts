/**
 * READ DEFECT DATA(10) and (12). There are no defects: both lists are empty, in every format that there is.
 *
 * [SBC-3] 5.17, 5.18 READ DEFECT DATA, 5.2.2.4 table 36 address descriptor formats
 */
import { load_be16, load_be32 } from '../bytes/endian';
import { READ_DEFECT_DATA_10 } from '../scsi/opcode';
import { SENSE_DEFECT_LIST_NOT_FOUND } from '../scsi/sense';
import { SCRATCH } from './scratch';
import { finish_check, finish_data_in_from, task_cdb } from './task';
import { LogicalUnit, Nexus } from './unit';

const LISTS: u32 = 0x18; // REQ_PLIST, REQ_GLIST; PLISTV, GLISTV in the header
const SHORT_BLOCK: u32 = 0;
const LONG_BLOCK: u32 = 3;
const BYTES_FROM_INDEX: u32 = 4;
const PHYSICAL_SECTOR: u32 = 5;

/**
 * In a format that does not exist here, or cannot say the LBAs of this medium, the list comes as long block addresses,
 * with CHECK CONDITION, RECOVERED ERROR.
 */
export function read_defect_data(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const isShort = load<u8>(cdb) == READ_DEFECT_DATA_10;
  const asked: u32 = load<u8>(cdb + (isShort ? 2 : 1));
  const allocation = isShort ? load_be16(cdb + 7) : load_be32(cdb + 6);
  const format = asked & 7;
  const given = is_known(unit, format) ? format : LONG_BLOCK;
  store<u64>(SCRATCH, 0);
  store<u8>(SCRATCH, (asked & LISTS) | given, 1);
  const action = finish_data_in_from(task, allocation, SCRATCH, isShort ? 4 : 8);
  return given == format ? action : finish_check(unit, task, SENSE_DEFECT_LIST_NOT_FOUND);
}

function is_known(unit: LogicalUnit, format: u32): bool {
  switch (format) {
    case SHORT_BLOCK:
      return unit.blocks <= 0x1_0000_0000;
    case LONG_BLOCK:
    case BYTES_FROM_INDEX:
    case PHYSICAL_SECTOR:
      return true;
    default:
      return false;
  }
}
