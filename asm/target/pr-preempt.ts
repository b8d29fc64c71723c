/**
 * PERSISTENT RESERVE OUT, service actions PREEMPT and PREEMPT AND ABORT.
 *
 * [SPC-4] 5.13.11.2.4 table 72 and figure 9, 5.13.11.2.5 removing registrations, 5.13.11.2.6 preempting and aborting
 */
import { load_be64 } from '../bytes/endian';
import { REGISTRATION_MAX, TASK_ABORT_LO_AT } from '../layout';
import { PR_LIST_ACTION_KEY_AT } from '../scsi/reservation';
import { SENSE_REGISTRATIONS_PREEMPTED, SENSE_RESERVATIONS_RELEASED } from '../scsi/sense';
import { RESERVATION_CONFLICT } from '../scsi/status';
import { nv_save } from './nv';
import { bad_reservation, cdb_type, establish } from './pr-out';
import {
  all_registrants,
  registration_attention,
  registration_attention_others,
  registration_nexuses,
  registration_remove,
} from './registration';
import { finish_bad_list, finish_good, finish_status, task_cdb } from './task';
import { LogicalUnit, Nexus, registration_at } from './unit';

/** True if the SERVICE ACTION RESERVATION KEY identifies the holder; 0 does so for an all registrants type. */
function identifies_holder(unit: LogicalUnit, key: u64): bool {
  if (all_registrants(unit)) return key == 0;
  return unit.holder != 0 && registration_at(unit, unit.holder - 1).key == key;
}

/** True if the registration (plus one) is one to preempt. Key 0 gets here only when it means all of them. */
function preempted(unit: LogicalUnit, number: u32, key: u64): bool {
  const registration = registration_at(unit, number - 1);
  return registration.used != 0 && (key == 0 || registration.key == key);
}

/** The nexus is registered and its key is right. */
export function preempt(unit: LogicalUnit, nexus: Nexus, task: usize, list: usize, abort: bool): u32 {
  const key = load_be64(list + PR_LIST_ACTION_KEY_AT);
  const own = nexus.registration;
  const replaces = identifies_holder(unit, key);
  if (!key && !replaces) return finish_bad_list(unit, task, PR_LIST_ACTION_KEY_AT, 7); // table 72

  let nexuses: u64 = 0;
  let matches: u32 = 0;
  for (let number: u32 = 1; number <= <u32>REGISTRATION_MAX; number++) {
    if (!preempted(unit, number, key)) continue;
    matches++;
    nexuses |= registration_nexuses(unit, number);
  }
  if (!matches) return finish_status(task, RESERVATION_CONFLICT); // as a repeat after success does
  if (replaces && bad_reservation(unit, task)) return 0;

  const before = unit.reservationType;
  for (let number: u32 = 1; number <= <u32>REGISTRATION_MAX; number++) {
    if (!preempted(unit, number, key) || (replaces && number == own)) continue;
    if (number != own) registration_attention(unit, number, SENSE_REGISTRATIONS_PREEMPTED);
    registration_remove(unit, number);
  }
  if (replaces) {
    const type = cdb_type(task_cdb(task));
    if (type != before) registration_attention_others(unit, own, SENSE_RESERVATIONS_RELEASED);
    establish(unit, nexus, type);
  }
  if (abort) store<u64>(task, nexuses, TASK_ABORT_LO_AT);
  unit.generation++;
  nv_save(unit, task);
  return finish_good(task);
}
