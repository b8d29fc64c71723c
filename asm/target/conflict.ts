/**
 * Which commands a reservation lets through. What is in no row conflicts: an opcode nobody thought of, before anyone
 * asks whether it exists.
 *
 * [SPC-4] 5.13.1 table 65 (commands), table 66 (PERSISTENT RESERVE OUT service actions), 5.13.3 RESERVE and RELEASE
 * [SBC-3] 4.17 table "commands that are allowed in the presence of various reservations"
 * [SPC-2] 5.5.1 table 9: a reservation of RESERVE
 */
import { cdb_service_action } from '../scsi/cdb';
import {
  ACCESS_CONTROL_IN,
  ACCESS_CONTROL_OUT,
  INQUIRY,
  LOG_SENSE,
  MAINTENANCE_IN,
  MODE_SENSE_10,
  MODE_SENSE_6,
  PERSISTENT_RESERVE_IN,
  PERSISTENT_RESERVE_OUT,
  PREVENT_ALLOW_MEDIUM_REMOVAL,
  PRE_FETCH_10,
  PRE_FETCH_16,
  READ_10,
  READ_12,
  READ_16,
  READ_6,
  READ_ATTRIBUTE,
  READ_BUFFER_10,
  READ_CAPACITY_10,
  READ_DEFECT_DATA_10,
  READ_DEFECT_DATA_12,
  READ_MEDIA_SERIAL_NUMBER,
  RECEIVE_COPY_RESULTS,
  RECEIVE_DIAGNOSTIC_RESULTS,
  RELEASE_10,
  RELEASE_6,
  REPORT_LUNS,
  REQUEST_SENSE,
  SA_GET_LBA_STATUS,
  SA_MANAGEMENT_PROTOCOL_IN,
  SA_READ_CAPACITY_16,
  SA_REPORT_ALIASES,
  SA_REPORT_IDENTIFYING_INFORMATION,
  SA_REPORT_PRIORITY,
  SA_REPORT_REFERRALS,
  SA_REPORT_SUPPORTED_OPERATION_CODES,
  SA_REPORT_SUPPORTED_TMFS,
  SA_REPORT_TARGET_PORT_GROUPS,
  SA_REPORT_TIMESTAMP,
  SECURITY_PROTOCOL_IN,
  SERVICE_ACTION_IN_16,
  START_STOP_UNIT,
  TEST_UNIT_READY,
  VERIFY_10,
  VERIFY_12,
  VERIFY_16,
} from '../scsi/opcode';
import {
  EXCLUSIVE_ACCESS,
  EXCLUSIVE_ACCESS_ALL_REGISTRANTS,
  EXCLUSIVE_ACCESS_REGISTRANTS_ONLY,
  PR_OUT_CLEAR,
  PR_OUT_PREEMPT,
  PR_OUT_PREEMPT_AND_ABORT,
  PR_OUT_REGISTER,
  PR_OUT_REGISTER_AND_IGNORE_EXISTING_KEY,
  PR_OUT_RELEASE,
  WRITE_EXCLUSIVE_REGISTRANTS_ONLY,
} from '../scsi/reservation';
import { is_holder } from './registration';
import { LogicalUnit } from './unit';

/** Allowed through no reservation, through write exclusive types only, through all. */
const CONFLICT: u32 = 0;
const READS: u32 = 1;
const ALLOWED: u32 = 2;

/** A row of table 65 or of [SBC-3]'s for an I_T nexus that the reservation is not for. */
function row(cdb: usize): u32 {
  switch (<u32>load<u8>(cdb)) {
    case TEST_UNIT_READY:
    case REQUEST_SENSE:
    case INQUIRY:
    case LOG_SENSE:
    case PERSISTENT_RESERVE_IN:
    case REPORT_LUNS:
    case READ_CAPACITY_10:
    case READ_MEDIA_SERIAL_NUMBER:
    case ACCESS_CONTROL_IN:
    case ACCESS_CONTROL_OUT:
    case RECEIVE_COPY_RESULTS: // RECEIVE CREDENTIAL, which conflicts, has a CDB of variable length
      return ALLOWED;
    case READ_6:
    case READ_10:
    case READ_12:
    case READ_16:
    case VERIFY_10:
    case VERIFY_12:
    case VERIFY_16:
    case PRE_FETCH_10:
    case PRE_FETCH_16:
    case READ_DEFECT_DATA_10:
    case READ_DEFECT_DATA_12:
    case MODE_SENSE_6:
    case MODE_SENSE_10:
    case READ_BUFFER_10:
    case READ_ATTRIBUTE:
    case RECEIVE_DIAGNOSTIC_RESULTS:
    case SECURITY_PROTOCOL_IN:
      return READS;
    case SERVICE_ACTION_IN_16:
      return row_of_service_action_in(cdb_service_action(cdb));
    case MAINTENANCE_IN:
      return row_of_maintenance_in(cdb_service_action(cdb));
    case START_STOP_UNIT: // START set and POWER CONDITION 0h
      return (load<u8>(cdb, 4) & 0xf1) == 1 ? ALLOWED : CONFLICT;
    case PREVENT_ALLOW_MEDIUM_REMOVAL: // PREVENT 0
      return load<u8>(cdb, 4) & 3 ? CONFLICT : ALLOWED;
    default:
      return CONFLICT;
  }
}

function row_of_service_action_in(action: u32): u32 {
  switch (action) {
    case SA_READ_CAPACITY_16:
    case SA_REPORT_REFERRALS:
      return ALLOWED;
    case SA_GET_LBA_STATUS:
      return READS;
    default:
      return CONFLICT;
  }
}

function row_of_maintenance_in(action: u32): u32 {
  switch (action) {
    case SA_REPORT_IDENTIFYING_INFORMATION:
    case SA_REPORT_TARGET_PORT_GROUPS:
    case SA_REPORT_ALIASES:
    case SA_REPORT_PRIORITY:
    case SA_REPORT_TIMESTAMP:
      return ALLOWED;
    case SA_REPORT_SUPPORTED_OPERATION_CODES:
    case SA_REPORT_SUPPORTED_TMFS:
    case SA_MANAGEMENT_PROTOCOL_IN:
      return READS;
    default:
      return CONFLICT;
  }
}

/** Table 66: a service action from an I_T nexus that does not hold the reservation. */
function pr_out_conflicts(action: u32, registered: bool): bool {
  switch (action) {
    case PR_OUT_REGISTER:
    case PR_OUT_REGISTER_AND_IGNORE_EXISTING_KEY:
      return false;
    case PR_OUT_RELEASE:
    case PR_OUT_CLEAR:
    case PR_OUT_PREEMPT:
    case PR_OUT_PREEMPT_AND_ABORT:
      return !registered;
    default: // RESERVE, REGISTER AND MOVE, and what is in no row
      return true;
  }
}

function excludes_reads(type: u32): bool {
  return (
    type == EXCLUSIVE_ACCESS ||
    type == EXCLUSIVE_ACCESS_REGISTRANTS_ONLY ||
    type == EXCLUSIVE_ACCESS_ALL_REGISTRANTS
  );
}

/** True if the persistent reservation keeps this command out that comes from `registration` (plus one; 0: from none). */
export function persistent_conflict(unit: LogicalUnit, registration: u32, cdb: usize): bool {
  if (is_holder(unit, registration)) return false;
  const opcode: u32 = load<u8>(cdb);
  const registered = registration != 0;
  if (opcode == PERSISTENT_RESERVE_OUT) return pr_out_conflicts(cdb_service_action(cdb), registered);
  // "registered I_T nexus (RR all types)" is allowed everything, RESERVE and RELEASE as 5.13.3 says
  if (registered && unit.reservationType >= <u32>WRITE_EXCLUSIVE_REGISTRANTS_ONLY) return false;
  const allowed = row(cdb);
  return allowed != ALLOWED && (allowed == CONFLICT || excludes_reads(unit.reservationType));
}

/**
 * True if a reservation made with RESERVE keeps this command out, [SPC-2] table 9 column A. It keeps out persistent
 * reservations even of the nexus that made it, [SPC-2] 5.5.1.
 */
export function spc2_conflict(cdb: usize, own: bool): bool {
  switch (<u32>load<u8>(cdb)) {
    case PERSISTENT_RESERVE_IN:
    case PERSISTENT_RESERVE_OUT:
      return true;
    case INQUIRY:
    case REQUEST_SENSE:
    case REPORT_LUNS:
    case LOG_SENSE:
    case READ_CAPACITY_10:
    case RELEASE_6:
    case RELEASE_10:
      return false;
    case SERVICE_ACTION_IN_16:
      return !own && cdb_service_action(cdb) != <u32>SA_READ_CAPACITY_16;
    case START_STOP_UNIT:
    case PREVENT_ALLOW_MEDIUM_REMOVAL:
      return !own && row(cdb) != ALLOWED;
    default:
      return !own;
  }
}
