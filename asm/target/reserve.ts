/**
 * RESERVE(6, 10) and RELEASE(6, 10): the older reservation of a whole logical unit by one nexus, and how it lives
 * beside persistent ones.
 *
 * [SPC-2] 7.16, 7.17 RELEASE, 7.21, 7.22 RESERVE
 * [SPC-4] 5.13.3 exceptions to SPC-2 RESERVE and RELEASE behavior (CRH is 1)
 */
import { WRITE_EXCLUSIVE_REGISTRANTS_ONLY } from '../scsi/reservation';
import { RESERVATION_CONFLICT } from '../scsi/status';
import { is_holder } from './registration';
import { finish_good, finish_status, task_nexus } from './task';
import { LogicalUnit, Nexus } from './unit';

/** True if 5.13.3 makes the command one that does nothing: the nexus has access by its persistent reservation. */
function covered(unit: LogicalUnit, nexus: Nexus): bool {
  if (is_holder(unit, nexus.registration)) return true;
  return nexus.registration != 0 && unit.reservationType >= <u32>WRITE_EXCLUSIVE_REGISTRANTS_ONLY;
}

export function reserve_unit(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  if (covered(unit, nexus)) return finish_good(task);
  // as SPC-2 has it, registrations alone keep RESERVE out
  if (unit.registrations) return finish_status(task, RESERVATION_CONFLICT);
  unit.spc2Holder = task_nexus(task) + 1;
  return finish_good(task);
}

export function release_unit(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  if (covered(unit, nexus)) return finish_good(task);
  if (unit.registrations) return finish_status(task, RESERVATION_CONFLICT);
  if (unit.spc2Holder == task_nexus(task) + 1) unit.spc2Holder = 0;
  return finish_good(task);
}
