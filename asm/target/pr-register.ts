/**
 * PERSISTENT RESERVE OUT, service actions REGISTER and REGISTER AND IGNORE EXISTING KEY.
 *
 * [SPC-4] 5.13.7 tables 67, 68 and 69; 5.13.11.2.3 unregistering; 6.16.3 SPEC_I_PT, ALL_TG_PT, APTPL
 */
import { load_be32, load_be64 } from '../bytes/endian';
import {
  EXCLUSIVE_ACCESS_REGISTRANTS_ONLY,
  PR_FLAG_ALL_TG_PT,
  PR_FLAG_APTPL,
  PR_FLAG_SPEC_I_PT,
  PR_LIST_ACTION_KEY_AT,
  PR_LIST_FLAGS_AT,
  PR_LIST_IDS_AT,
  PR_LIST_IDS_BYTES_AT,
  PR_LIST_KEY_AT,
  WRITE_EXCLUSIVE_REGISTRANTS_ONLY,
} from '../scsi/reservation';
import {
  SENSE_INSUFFICIENT_REGISTRATION_RESOURCES,
  SENSE_PARAMETER_LIST_LENGTH,
  SENSE_RESERVATIONS_RELEASED,
} from '../scsi/sense';
import { RESERVATION_CONFLICT } from '../scsi/status';
import { nv_save } from './nv';
import {
  nexus_id,
  registration_attention_others,
  registration_find,
  registration_put,
  registration_remove,
  registration_room,
} from './registration';
import { ID_SCRATCH } from './scratch';
import { finish_bad_list, finish_check, finish_good, finish_status } from './task';
import { transport_id_bytes, transport_id_canonical } from './transport-id';
import { LogicalUnit, Nexus, registration_at } from './unit';

export const TARGET_PORTS: u32 = 2;

export function register(
  unit: LogicalUnit,
  nexus: Nexus,
  task: usize,
  list: usize,
  bytes: u32,
  ignoreKey: bool,
): u32 {
  const flags: u32 = load<u8>(list, PR_LIST_FLAGS_AT);
  const key = load_be64(list + PR_LIST_KEY_AT);
  const actionKey = load_be64(list + PR_LIST_ACTION_KEY_AT);
  const specified = (flags & PR_FLAG_SPEC_I_PT) != 0;
  if (specified && ignoreKey) return finish_bad_list(unit, task, PR_LIST_FLAGS_AT, 3);

  // ALL_TG_PT is as if each target port had got the request: all of them must agree, or nothing is done
  const first: u32 = flags & PR_FLAG_ALL_TG_PT ? 1 : nexus.port;
  const last: u32 = flags & PR_FLAG_ALL_TG_PT ? TARGET_PORTS : nexus.port;
  let known: u32 = 0;
  for (let port = first; port <= last; port++) {
    const found = registration_find(unit, nexus_id(nexus), nexus.idBytes, port);
    if (found) known++;
    if (!ignoreKey && key != (found ? registration_at(unit, found - 1).key : 0)) {
      return finish_status(task, RESERVATION_CONFLICT);
    }
  }
  if (!known && !actionKey) return finish_good(task); // "do nothing except return GOOD status"
  if (specified) {
    if (nexus.registration) return finish_bad_list(unit, task, PR_LIST_FLAGS_AT, 3); // table 67, footnote c
    if (!specified_ids_fit(unit, nexus, task, list, bytes, first, last)) return 0;
  } else if (actionKey && last + 1 - first - known > registration_room(unit)) {
    return finish_check(unit, task, SENSE_INSUFFICIENT_REGISTRATION_RESOURCES);
  }

  let releases = false;
  for (let port = first; port <= last; port++) {
    if (actionKey) registration_put(unit, nexus_id(nexus), nexus.idBytes, port, actionKey);
    else if (unregister(unit, registration_find(unit, nexus_id(nexus), nexus.idBytes, port))) releases = true;
  }
  // to all that are registered still, and so not to this nexus, 5.13.11.2.3
  if (releases) registration_attention_others(unit, 0, SENSE_RESERVATIONS_RELEASED);
  if (specified) register_specified(unit, list, first, last, actionKey);
  unit.aptpl = flags & PR_FLAG_APTPL;
  unit.generation++;
  nv_save(unit, task);
  return finish_good(task);
}

/** Removes a registration (plus one; 0: none). True if the others must be told that the reservation went with it. */
function unregister(unit: LogicalUnit, number: u32): bool {
  if (!number) return false;
  const released =
    unit.holder == number &&
    (unit.reservationType == WRITE_EXCLUSIVE_REGISTRANTS_ONLY ||
      unit.reservationType == EXCLUSIVE_ACCESS_REGISTRANTS_ONLY);
  registration_remove(unit, number);
  return released;
}

/** Judges the TransportIDs behind the list, 6.16.3. False: the command has ended, and nothing may be registered. */
function specified_ids_fit(
  unit: LogicalUnit,
  nexus: Nexus,
  task: usize,
  list: usize,
  bytes: u32,
  first: u32,
  last: u32,
): bool {
  if (bytes < <u32>PR_LIST_IDS_AT || load_be32(list + PR_LIST_IDS_BYTES_AT) > bytes - <u32>PR_LIST_IDS_AT) {
    finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
    return false;
  }
  const end = <u32>PR_LIST_IDS_AT + load_be32(list + PR_LIST_IDS_BYTES_AT);
  let wanted = last + 1 - first;
  for (let at = <u32>PR_LIST_IDS_AT; at < end;) {
    const length = transport_id_bytes(list + at, end - at);
    if (!length || length > end - at) {
      finish_bad_list(unit, task, PR_LIST_IDS_BYTES_AT, 7); // a TransportID is truncated
      return false;
    }
    const idBytes = transport_id_canonical(list + at, length, ID_SCRATCH);
    for (let port = first; port <= last; port++) {
      if (!idBytes || registration_find(unit, ID_SCRATCH, idBytes, port)) {
        finish_bad_list(unit, task, at, 7); // table 67, footnote b
        return false;
      }
      wanted++;
    }
    at += length;
  }
  if (wanted <= registration_room(unit)) return true;
  finish_check(unit, task, SENSE_INSUFFICIENT_REGISTRATION_RESOURCES);
  return false;
}

function register_specified(unit: LogicalUnit, list: usize, first: u32, last: u32, key: u64): void {
  const end = <u32>PR_LIST_IDS_AT + load_be32(list + PR_LIST_IDS_BYTES_AT);
  for (let at = <u32>PR_LIST_IDS_AT; at < end;) {
    const length = transport_id_bytes(list + at, end - at);
    const idBytes = transport_id_canonical(list + at, length, ID_SCRATCH);
    for (let port = first; port <= last; port++) registration_put(unit, ID_SCRATCH, idBytes, port, key);
    at += length;
  }
}
