/**
 * Registrations, kept by the identity of the I_T nexus: initiator port and target port. A nexus that logs in again,
 * at whatever index, finds its registration.
 *
 * [SPC-4] 5.13.7 registering, 5.13.10 persistent reservation holder
 */
import { NEXUS_MAX, REGISTRATION_MAX } from '../layout';
import { NO_RESERVATION, WRITE_EXCLUSIVE_ALL_REGISTRANTS } from '../scsi/reservation';
import { attention_post } from './attention';
import { transport_id_equal } from './transport-id';
import {
  LogicalUnit,
  NEXUS_ID_AT,
  NEXUS_UNUSED,
  Nexus,
  REGISTRATION_ID_AT,
  Registration,
  nexus_at,
  registration_at,
} from './unit';

export function registration_id(registration: Registration): usize {
  return changetype<usize>(registration) + REGISTRATION_ID_AT;
}

export function nexus_id(nexus: Nexus): usize {
  return changetype<usize>(nexus) + NEXUS_ID_AT;
}

/** The registration of an initiator port (canonical id) through a target port, plus one; 0: none. */
export function registration_find(unit: LogicalUnit, id: usize, idBytes: u32, port: u32): u32 {
  for (let i: u32 = 0; i < <u32>REGISTRATION_MAX; i++) {
    const registration = registration_at(unit, i);
    if (!registration.used || registration.port != port) continue;
    if (transport_id_equal(registration_id(registration), registration.idBytes, id, idBytes)) return i + 1;
  }
  return 0;
}

/** Registrations that can still be made. */
export function registration_room(unit: LogicalUnit): u32 {
  return <u32>REGISTRATION_MAX - unit.registrations;
}

/** Makes a registration, or changes its key. Returns it plus one; 0: no room. */
export function registration_put(unit: LogicalUnit, id: usize, idBytes: u32, port: u32, key: u64): u32 {
  const found = registration_find(unit, id, idBytes, port);
  if (found) {
    registration_at(unit, found - 1).key = key;
    return found;
  }
  for (let i: u32 = 0; i < <u32>REGISTRATION_MAX; i++) {
    const registration = registration_at(unit, i);
    if (registration.used) continue;
    registration.key = key;
    registration.used = 1;
    registration.port = port;
    registration.idBytes = idBytes;
    memory.copy(registration_id(registration), id, idBytes);
    unit.registrations++;
    registration_link(unit, i + 1);
    return i + 1;
  }
  return 0;
}

/** Tells the nexus slots of this identity that they are registered. */
function registration_link(unit: LogicalUnit, number: u32): void {
  const registration = registration_at(unit, number - 1);
  for (let i: u32 = 0; i < <u32>NEXUS_MAX; i++) {
    const nexus = nexus_at(unit, i);
    if (nexus.state == NEXUS_UNUSED || nexus.port != registration.port) continue;
    if (
      transport_id_equal(nexus_id(nexus), nexus.idBytes, registration_id(registration), registration.idBytes)
    ) {
      nexus.registration = number;
    }
  }
}

/** Links every registration anew, after an image of them was loaded. */
export function registration_link_all(unit: LogicalUnit): void {
  for (let i: u32 = 0; i < <u32>REGISTRATION_MAX; i++) {
    if (registration_at(unit, i).used) registration_link(unit, i + 1);
  }
}

/** Removes a registration, and the reservation that it alone held: [SPC-4] 5.13.10, the last two sentences. */
export function registration_remove(unit: LogicalUnit, number: u32): void {
  registration_at(unit, number - 1).used = 0;
  unit.registrations--;
  for (let i: u32 = 0; i < <u32>NEXUS_MAX; i++) {
    const nexus = nexus_at(unit, i);
    if (nexus.registration == number) nexus.registration = 0;
  }
  if (unit.holder == number || !unit.registrations) {
    unit.holder = 0;
    unit.reservationType = NO_RESERVATION;
  }
}

export function registration_remove_all(unit: LogicalUnit): void {
  for (let i: u32 = 0; i < <u32>REGISTRATION_MAX; i++) {
    if (registration_at(unit, i).used) registration_remove(unit, i + 1);
  }
  unit.holder = 0;
  unit.reservationType = NO_RESERVATION;
}

/** A unit attention condition for the initiator port of a registration. */
export function registration_attention(unit: LogicalUnit, number: u32, code: u32): void {
  for (let i: u32 = 0; i < <u32>NEXUS_MAX; i++) {
    const nexus = nexus_at(unit, i);
    if (nexus.registration == number) attention_post(nexus, code);
  }
}

/** The same for every registration but one (0: for all). */
export function registration_attention_others(unit: LogicalUnit, except: u32, code: u32): void {
  for (let i: u32 = 0; i < <u32>NEXUS_MAX; i++) {
    const nexus = nexus_at(unit, i);
    if (nexus.registration && nexus.registration != except) attention_post(nexus, code);
  }
}

/** Bit n: nexus n has this registration. */
export function registration_nexuses(unit: LogicalUnit, number: u32): u64 {
  let mask: u64 = 0;
  for (let i: u32 = 0; i < <u32>NEXUS_MAX; i++) {
    if (nexus_at(unit, i).registration == number) mask |= (<u64>1) << i;
  }
  return mask;
}

export function all_registrants(unit: LogicalUnit): bool {
  return unit.reservationType >= <u32>WRITE_EXCLUSIVE_ALL_REGISTRANTS;
}

/** True if this registration (plus one) holds the reservation, [SPC-4] 5.13.10. */
export function is_holder(unit: LogicalUnit, number: u32): bool {
  if (!number || !unit.reservationType) return false;
  return all_registrants(unit) || unit.holder == number;
}
