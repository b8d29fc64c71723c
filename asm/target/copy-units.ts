/**
 * The logical units that EXTENDED COPY can reach: those of the host's table. To them the copy manager is the initiator
 * that sent the command.
 *
 * [SPC-4] 6.4.5.3 identification CSCD descriptor, 5.17.2 the copy manager and reservations
 */
import { LU_CONFIG_WWN_LO_AT, TASK_UNITS_AT, TASK_UNIT_COUNT_AT } from '../layout';
import { load_be64 } from '../bytes/endian';
import { READ_16, WRITE_16 } from '../scsi/opcode';
import { persistent_conflict, spc2_conflict } from './conflict';
import { nexus_id, registration_find } from './registration';
import { SCRATCH } from './scratch';
import { transport_id_equal } from './transport-id';
import { LogicalUnit, Nexus, config_at, nexus_at, unit_at } from './unit';

const BINARY: u32 = 1;
const NAA: u32 = 3; // of the logical unit: ASSOCIATION 00b

export function unit_in_table(task: usize, number: u32): LogicalUnit {
  return unit_at(load<u32>(<usize>load<u32>(task, TASK_UNITS_AT) + ((<usize>number) << 2)));
}

/** Number of the unit that the designation descriptor at `designator` names; -1: none. */
export function unit_of_designator(task: usize, designator: usize): i32 {
  if ((load<u8>(designator) & 15) != BINARY || (load<u8>(designator, 1) & 0x3f) != NAA) return -1;
  if (load<u8>(designator, 3) != 8) return -1;
  const wwn = load_be64(designator + 4);
  const count = load<u32>(task, TASK_UNIT_COUNT_AT);
  for (let i: u32 = 0; i < count; i++) {
    if (load<u64>(config_at(unit_in_table(task, i)), LU_CONFIG_WWN_LO_AT) == wwn) return i;
  }
  return -1;
}

/** True if the initiator behind `nexus`, a nexus of another unit perhaps, may read or write this one now. */
export function copy_allowed(unit: LogicalUnit, nexus: Nexus, writes: bool): bool {
  if (unit.stopped || unit.sanitize || (writes && unit.writeProtected)) return false;
  store<u64>(SCRATCH, writes ? WRITE_16 : READ_16);
  const registration = registration_find(unit, nexus_id(nexus), nexus.idBytes, nexus.port);
  if (unit.reservationType && persistent_conflict(unit, registration, SCRATCH)) return false;
  if (!unit.spc2Holder) return true;
  const holder = nexus_at(unit, unit.spc2Holder - 1);
  const own =
    holder.port == nexus.port &&
    transport_id_equal(nexus_id(holder), holder.idBytes, nexus_id(nexus), nexus.idBytes);
  return !spc2_conflict(SCRATCH, own);
}
