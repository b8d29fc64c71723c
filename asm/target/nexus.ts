/**
 * I_T nexuses come and go. What belongs to one is found again by its identity, the initiator port's TransportID and
 * the target port, not by the index that the host gave it.
 *
 * [SAM-5] 4.7 I_T nexus, 6.3.4 I_T nexus loss
 * [SPC-4] 5.13.7: a registration belongs to the I_T nexus and outlives its loss
 */
import { LOGIN_BAD_ID, LOGIN_BAD_NEXUS, LOGIN_OK, NEXUS_MAX } from '../layout';
import { SENSE_I_T_NEXUS_LOSS, SENSE_POWER_ON, SENSE_RESET_OCCURRED } from '../scsi/sense';
import { attention_post } from './attention';
import { ISCSI } from './config';
import { copy_forget_nexus } from './copy-results';
import { echo_forget } from './echo-buffer';
import { TARGET_PORTS } from './pr-register';
import { nexus_id, registration_find } from './registration';
import { OWN_ID_SCRATCH } from './scratch';
import { transport_id_canonical, transport_id_equal } from './transport-id';
import {
  LogicalUnit,
  NEXUS_ATTENTION_AT,
  NEXUS_ID_AT,
  NEXUS_LOGGED_IN,
  NEXUS_REMEMBERED,
  NEXUS_UNUSED,
  Nexus,
  nexus_at,
} from './unit';

/** The slot that knows this identity, or NEXUS_MAX. */
function find(unit: LogicalUnit, id: usize, idBytes: u32, port: u32): u32 {
  for (let i: u32 = 0; i < <u32>NEXUS_MAX; i++) {
    const nexus = nexus_at(unit, i);
    if (nexus.state == NEXUS_UNUSED || nexus.port != port) continue;
    if (transport_id_equal(nexus_id(nexus), nexus.idBytes, id, idBytes)) return i;
  }
  return NEXUS_MAX;
}

/** The logged-in nexus of that index, or null. */
export function nexus_of(unit: LogicalUnit, index: u32): Nexus | null {
  if (index >= <u32>NEXUS_MAX) return null;
  const nexus = nexus_at(unit, index);
  return nexus.state == NEXUS_LOGGED_IN ? nexus : null;
}

/**
 * Nexus `index` is now this initiator port on this target port. The same identity elsewhere, logged in or remembered,
 * moves here with its unit attentions. LOGIN_OK or LOGIN_BAD_*; after an error nothing has changed.
 */
export function login(unit: LogicalUnit, index: u32, id: usize, bytes: u32, port: u32): u32 {
  if (index >= <u32>NEXUS_MAX || !port || port > TARGET_PORTS) return LOGIN_BAD_NEXUS;
  const idBytes = transport_id_canonical(id, bytes, OWN_ID_SCRATCH);
  if (!idBytes) return LOGIN_BAD_ID;
  const nexus = nexus_at(unit, index);
  const known = find(unit, OWN_ID_SCRATCH, idBytes, port);
  if (known < <u32>NEXUS_MAX && known != index) {
    const old = nexus_at(unit, known);
    memory.copy(changetype<usize>(nexus), changetype<usize>(old), NEXUS_ID_AT);
    old.state = NEXUS_UNUSED;
    old.registration = 0;
    if (unit.spc2Holder == known + 1) unit.spc2Holder = 0;
    echo_forget(unit, known);
    copy_forget_nexus(unit, known);
  }
  if (unit.spc2Holder == index + 1) unit.spc2Holder = 0;
  echo_forget(unit, index);
  if (known != index) copy_forget_nexus(unit, index);
  nexus.state = NEXUS_LOGGED_IN;
  nexus.port = port;
  nexus.idBytes = idBytes;
  memory.copy(changetype<usize>(nexus) + NEXUS_ID_AT, OWN_ID_SCRATCH, 256);
  nexus.registration = registration_find(unit, OWN_ID_SCRATCH, idBytes, port);
  if (known == <u32>NEXUS_MAX) {
    nexus.attentions = 0;
    memory.fill(changetype<usize>(nexus) + NEXUS_ATTENTION_AT, 0, NEXUS_ID_AT - NEXUS_ATTENTION_AT);
    // It has not heard of it. iSCSI initiators know this one only as the general code.
    const isIscsi = (load<u8>(OWN_ID_SCRATCH) & 0x0f) == ISCSI;
    attention_post(nexus, isIscsi ? SENSE_RESET_OCCURRED : SENSE_POWER_ON);
  } else attention_post(nexus, SENSE_I_T_NEXUS_LOSS);
  return LOGIN_OK;
}

/** I_T nexus loss. Its registration stays; a reservation of RESERVE goes. The host ends its tasks. */
export function logout(unit: LogicalUnit, index: u32): void {
  const nexus = nexus_of(unit, index);
  if (nexus == null) return;
  nexus.state = NEXUS_REMEMBERED;
  if (unit.spc2Holder == index + 1) unit.spc2Holder = 0;
}
