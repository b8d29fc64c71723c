/**
 * PERSISTENT RESERVE OUT: what holds for every service action, then RESERVE, RELEASE and CLEAR.
 *
 * [SPC-4] 6.16.1 introduction, 6.16.2 table 213 (which count PRgeneration), 6.16.3 table 216 (which look at which
 *         field), 5.13.9 reserving, 5.13.11.2.2 releasing, 5.13.11.2.7 clearing
 */
import { load_be32, load_be64 } from '../bytes/endian';
import { cdb_service_action } from '../scsi/cdb';
import {
  EXCLUSIVE_ACCESS_ALL_REGISTRANTS,
  LU_SCOPE,
  NO_RESERVATION,
  PR_FLAG_SPEC_I_PT,
  PR_LIST_BYTES,
  PR_LIST_FLAGS_AT,
  PR_LIST_KEY_AT,
  PR_OUT_CLEAR,
  PR_OUT_PREEMPT,
  PR_OUT_PREEMPT_AND_ABORT,
  PR_OUT_REGISTER,
  PR_OUT_REGISTER_AND_IGNORE_EXISTING_KEY,
  PR_OUT_REGISTER_AND_MOVE,
  PR_OUT_RELEASE,
  PR_OUT_RESERVE,
  WRITE_EXCLUSIVE_REGISTRANTS_ONLY,
} from '../scsi/reservation';
import {
  SENSE_INVALID_RELEASE,
  SENSE_PARAMETER_LIST_LENGTH,
  SENSE_RESERVATIONS_PREEMPTED,
  SENSE_RESERVATIONS_RELEASED,
} from '../scsi/sense';
import { RESERVATION_CONFLICT } from '../scsi/status';
import { nv_save } from './nv';
import { preempt } from './pr-preempt';
import { register } from './pr-register';
import { register_and_move } from './pr-move';
import {
  all_registrants,
  is_holder,
  registration_attention_others,
  registration_remove_all,
} from './registration';
import {
  finish_bad_cdb,
  finish_bad_list,
  finish_check,
  finish_good,
  finish_moved,
  finish_status,
  task_cdb,
  task_data_out,
  task_data_out_bytes,
  want_out,
} from './task';
import { LogicalUnit, Nexus, registration_at } from './unit';

/** The host keeps no longer parameter list; the field is wider than that of any other command. */
const LIST_BYTES_MAX: u32 = 0xffff;

export function persistent_reserve_out(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const action = cdb_service_action(cdb);
  if (action > <u32>PR_OUT_REGISTER_AND_MOVE) return finish_bad_cdb(unit, task, 1, 4);
  const list = task_data_out(task);
  const bytes = load_be32(cdb + 5);
  if (!want_out(task, bytes) || bytes < <u32>PR_LIST_BYTES || bytes > LIST_BYTES_MAX) {
    return finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
  }
  if (action == PR_OUT_REGISTER_AND_MOVE) {
    finish_moved(task, bytes, task_data_out_bytes(task));
    return register_and_move(unit, nexus, task, list, bytes);
  }
  const specified = (load<u8>(list, PR_LIST_FLAGS_AT) & PR_FLAG_SPEC_I_PT) != 0;
  // 24 bytes unless SPEC_I_PT is one in a REGISTER, [SPC-4] 6.16.1
  if (!specified && bytes != PR_LIST_BYTES) return finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
  finish_moved(task, bytes, task_data_out_bytes(task));
  if (action == PR_OUT_REGISTER || action == PR_OUT_REGISTER_AND_IGNORE_EXISTING_KEY) {
    return register(unit, nexus, task, list, bytes, action != PR_OUT_REGISTER);
  }
  // an unregistered nexus, or the wrong key, conflicts whatever else is wrong, [SPC-4] 5.13.7, 6.16.3
  if (!key_matches(unit, nexus, list)) return finish_status(task, RESERVATION_CONFLICT);
  if (specified) return finish_bad_list(unit, task, PR_LIST_FLAGS_AT, 3);
  switch (action) {
    case PR_OUT_RESERVE:
      return reserve(unit, nexus, task);
    case PR_OUT_RELEASE:
      return release(unit, nexus, task);
    case PR_OUT_CLEAR:
      return clear(unit, nexus, task);
    case PR_OUT_PREEMPT:
    case PR_OUT_PREEMPT_AND_ABORT:
    default:
      return preempt(unit, nexus, task, list, action == PR_OUT_PREEMPT_AND_ABORT);
  }
}

/** True if the nexus is registered with the RESERVATION KEY of the list. */
export function key_matches(unit: LogicalUnit, nexus: Nexus, list: usize): bool {
  if (!nexus.registration) return false;
  return registration_at(unit, nexus.registration - 1).key == load_be64(list + PR_LIST_KEY_AT);
}

/** TYPE of the CDB. */
export function cdb_type(cdb: usize): u32 {
  return load<u8>(cdb, 2) & 15;
}

/** SCOPE of the CDB. */
export function cdb_scope(cdb: usize): u32 {
  return load<u8>(cdb, 2) >> 4;
}

/** 1, 3, 5, 6, 7, 8: [SPC-4] 6.15.3.4. */
export function type_valid(type: u32): bool {
  return type <= <u32>EXCLUSIVE_ACCESS_ALL_REGISTRANTS && ((1 << type) & 0b111101010) != 0;
}

/** INVALID FIELD IN CDB for a reservation that cannot be made, or 0 when it can. */
export function bad_reservation(unit: LogicalUnit, task: usize): bool {
  const cdb = task_cdb(task);
  if (cdb_scope(cdb) != LU_SCOPE) {
    finish_bad_cdb(unit, task, 2, 7);
    return true;
  }
  if (!type_valid(cdb_type(cdb))) {
    finish_bad_cdb(unit, task, 2, 3);
    return true;
  }
  return false;
}

/** Makes the nexus (an all registrants type: every registered one) the holder. */
export function establish(unit: LogicalUnit, nexus: Nexus, type: u32): void {
  unit.reservationType = type;
  unit.holder = all_registrants(unit) ? 0 : nexus.registration;
}

function reserve(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  if (unit.reservationType) {
    const same = cdb_scope(cdb) == LU_SCOPE && cdb_type(cdb) == unit.reservationType;
    return is_holder(unit, nexus.registration) && same
      ? finish_good(task)
      : finish_status(task, RESERVATION_CONFLICT);
  }
  if (bad_reservation(unit, task)) return 0;
  establish(unit, nexus, cdb_type(cdb));
  nv_save(unit, task);
  return finish_good(task);
}

function release(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  if (!is_holder(unit, nexus.registration)) return finish_good(task); // nothing is released, 5.13.11.2.2
  if (cdb_scope(cdb) != LU_SCOPE || cdb_type(cdb) != unit.reservationType) {
    return finish_check(unit, task, SENSE_INVALID_RELEASE);
  }
  const told = unit.reservationType >= <u32>WRITE_EXCLUSIVE_REGISTRANTS_ONLY; // not for types 1 and 3
  unit.reservationType = NO_RESERVATION;
  unit.holder = 0;
  if (told) registration_attention_others(unit, nexus.registration, SENSE_RESERVATIONS_RELEASED);
  nv_save(unit, task);
  return finish_good(task);
}

function clear(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  registration_attention_others(unit, nexus.registration, SENSE_RESERVATIONS_PREEMPTED);
  registration_remove_all(unit);
  unit.generation++;
  nv_save(unit, task);
  return finish_good(task);
}
