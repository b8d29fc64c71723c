/**
 * Commands to a LUN behind which there is no logical unit: the target's task router answers.
 *
 * [SAM-5] 5.11 "incorrect logical unit numbers": INQUIRY, REPORT LUNS, REQUEST SENSE; LOGICAL UNIT NOT SUPPORTED
 * [SPC-4] 6.6.2 PERIPHERAL QUALIFIER 011b, PERIPHERAL DEVICE TYPE 1Fh; 6.33, 6.39
 */
import { load_be16 } from '../bytes/endian';
import { TASK_ACTION_AT, TASK_SENSE_AT, TASK_SENSE_LENGTH_AT } from '../layout';
import { INQUIRY, REPORT_LUNS, REQUEST_SENSE } from '../scsi/opcode';
import {
  SENSE_INVALID_FIELD_IN_CDB,
  SENSE_LUN_NOT_SUPPORTED,
  sense_descriptors,
  sense_field,
  sense_fixed,
} from '../scsi/sense';
import { CHECK_CONDITION } from '../scsi/status';
import { report_inventory } from './luns';
import { SCRATCH } from './scratch';
import { finish_data_in_from, finish_status, task_begin, task_cdb } from './task';

const NO_UNIT: u8 = 0x7f;
const STANDARD_BYTES: u32 = 36;

/** The action, which is ACTION_NONE. `luns` are the `count` LUNs that the target has. */
export function absent_execute(task: usize, luns: usize, count: u32): u32 {
  task_begin(task);
  const cdb = task_cdb(task);
  switch (<u32>load<u8>(cdb)) {
    case INQUIRY:
      return absent_inquiry(task, cdb);
    case REPORT_LUNS:
      if (load<u8>(cdb, 2) > 2) return check(task, SENSE_INVALID_FIELD_IN_CDB, sense_field(true, 2, 7));
      return report_inventory(task, luns, count);
    case REQUEST_SENSE: {
      const bytes =
        load<u8>(cdb, 1) & 1
          ? sense_descriptors(SCRATCH, SENSE_LUN_NOT_SUPPORTED, 0, false, 0)
          : sense_fixed(SCRATCH, SENSE_LUN_NOT_SUPPORTED, 0, false, 0);
      return finish_data_in_from(task, load<u8>(cdb, 4), SCRATCH, bytes);
    }
    default:
      return check(task, SENSE_LUN_NOT_SUPPORTED, 0);
  }
}

/** Standard data that says nobody can ever be here; no vital product data. */
function absent_inquiry(task: usize, cdb: usize): u32 {
  if (load<u8>(cdb, 1)) return check(task, SENSE_INVALID_FIELD_IN_CDB, sense_field(true, 1, 0));
  if (load<u8>(cdb, 2)) return check(task, SENSE_INVALID_FIELD_IN_CDB, sense_field(true, 2, 7));
  memory.fill(SCRATCH, 0, STANDARD_BYTES);
  store<u8>(SCRATCH, NO_UNIT);
  store<u8>(SCRATCH, 0x06, 2); // VERSION: SPC-4
  store<u8>(SCRATCH, 0x12, 3); // HISUP, RESPONSE DATA FORMAT 2
  store<u8>(SCRATCH, STANDARD_BYTES - 5, 4);
  memory.fill(SCRATCH + 8, 0x20, STANDARD_BYTES - 8);
  return finish_data_in_from(task, load_be16(cdb + 3), SCRATCH, STANDARD_BYTES);
}

/** There is no mode page here that could ask for descriptor format: it is fixed. */
function check(task: usize, code: u32, specific: u32): u32 {
  store<u32>(task, sense_fixed(task + TASK_SENSE_AT, code, specific, false, 0), TASK_SENSE_LENGTH_AT);
  store<u32>(task, 0, TASK_ACTION_AT);
  return finish_status(task, CHECK_CONDITION);
}
