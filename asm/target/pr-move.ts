/**
 * PERSISTENT RESERVE OUT, service action REGISTER AND MOVE.
 *
 * [SPC-4] 5.13.8 table 70, 6.16.4 table 217
 */
import { load_be16, load_be32, load_be64 } from '../bytes/endian';
import {
  PR_FLAG_APTPL,
  PR_LIST_ACTION_KEY_AT,
  PR_MOVE_FLAGS_AT,
  PR_MOVE_ID_AT,
  PR_MOVE_ID_BYTES_AT,
  PR_MOVE_PORT_AT,
  PR_MOVE_UNREG,
} from '../scsi/reservation';
import { SENSE_INSUFFICIENT_REGISTRATION_RESOURCES, SENSE_PARAMETER_LIST_LENGTH } from '../scsi/sense';
import { RESERVATION_CONFLICT } from '../scsi/status';
import { nv_save } from './nv';
import { key_matches } from './pr-out';
import { TARGET_PORTS } from './pr-register';
import {
  all_registrants,
  is_holder,
  nexus_id,
  registration_find,
  registration_put,
  registration_remove,
  registration_room,
} from './registration';
import { ID_SCRATCH } from './scratch';
import { finish_bad_cdb, finish_bad_list, finish_check, finish_good, finish_status } from './task';
import { SHORT_ID_BYTES, transport_id_canonical, transport_id_equal } from './transport-id';
import { LogicalUnit, Nexus } from './unit';

export function register_and_move(
  unit: LogicalUnit,
  nexus: Nexus,
  task: usize,
  list: usize,
  bytes: u32,
): u32 {
  const own = nexus.registration;
  if (!key_matches(unit, nexus, list)) return finish_status(task, RESERVATION_CONFLICT);
  if (!unit.reservationType) return finish_bad_cdb(unit, task, 1, 4);
  if (all_registrants(unit) || !is_holder(unit, own)) return finish_status(task, RESERVATION_CONFLICT);

  const key = load_be64(list + PR_LIST_ACTION_KEY_AT);
  const flags: u32 = load<u8>(list, PR_MOVE_FLAGS_AT);
  const port = load_be16(list + PR_MOVE_PORT_AT);
  const idBytes = load_be32(list + PR_MOVE_ID_BYTES_AT);
  if (!key) return finish_bad_list(unit, task, PR_LIST_ACTION_KEY_AT, 7);
  if (!port || port > TARGET_PORTS) return finish_bad_list(unit, task, PR_MOVE_PORT_AT, 7);
  if (idBytes > bytes - <u32>PR_MOVE_ID_AT) return finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
  if (idBytes < SHORT_ID_BYTES || idBytes & 3) return finish_bad_list(unit, task, PR_MOVE_ID_BYTES_AT, 7);
  const canonicalBytes = transport_id_canonical(list + PR_MOVE_ID_AT, idBytes, ID_SCRATCH);
  if (!canonicalBytes || transport_id_equal(ID_SCRATCH, canonicalBytes, nexus_id(nexus), nexus.idBytes)) {
    return finish_bad_list(unit, task, PR_MOVE_ID_AT, 7);
  }
  const known = registration_find(unit, ID_SCRATCH, canonicalBytes, port) != 0;
  if (!known && !registration_room(unit)) {
    return finish_check(unit, task, SENSE_INSUFFICIENT_REGISTRATION_RESOURCES);
  }

  unit.holder = registration_put(unit, ID_SCRATCH, canonicalBytes, port, key);
  if (flags & PR_MOVE_UNREG) registration_remove(unit, own);
  unit.aptpl = flags & PR_FLAG_APTPL;
  unit.generation++;
  nv_save(unit, task);
  return finish_good(task);
}
