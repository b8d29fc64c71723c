/**
 * What an observer may see without being an initiator. Nothing here changes anything.
 *
 * [layout] LU_RESERVATION_*, LU_REGISTRATION_*
 */
import {
  LU_REGISTRATION_BYTES,
  LU_REGISTRATION_HOLDER_AT,
  LU_REGISTRATION_ID_AT,
  LU_REGISTRATION_ID_BYTES_AT,
  LU_REGISTRATION_NEXUS_AT,
  LU_REGISTRATION_PORT_AT,
  LU_RESERVATION_COUNT_AT,
  LU_RESERVATION_GENERATION_AT,
  LU_RESERVATION_KEY_LO_AT,
  LU_RESERVATION_NEXUS_AT,
  LU_RESERVATION_SCOPE_AT,
  LU_RESERVATION_TYPE_AT,
  NEXUS_MAX,
  NO_NEXUS,
  REGISTRATION_MAX,
  TRANSPORT_ID_BYTES,
} from '../layout';
import { LU_SCOPE } from '../scsi/reservation';
import { is_holder, registration_id } from './registration';
import { LogicalUnit, NEXUS_LOGGED_IN, nexus_at, registration_at } from './unit';

/** The logged-in nexus with this registration (plus one), or NO_NEXUS. */
function nexus_with(unit: LogicalUnit, number: u32): u32 {
  for (let i: u32 = 0; i < <u32>NEXUS_MAX && number; i++) {
    const nexus = nexus_at(unit, i);
    if (nexus.state == NEXUS_LOGGED_IN && nexus.registration == number) return i;
  }
  return <u32>NO_NEXUS;
}

/** 1 if there is a persistent reservation; LU_RESERVATION_BYTES at `out` either way. */
export function view_reservation(unit: LogicalUnit, out: usize): u32 {
  const key: u64 = unit.holder ? registration_at(unit, unit.holder - 1).key : 0;
  store<u64>(out, key, LU_RESERVATION_KEY_LO_AT);
  store<u32>(out, unit.reservationType, LU_RESERVATION_TYPE_AT);
  store<u32>(out, LU_SCOPE, LU_RESERVATION_SCOPE_AT);
  store<u32>(out, nexus_with(unit, unit.holder), LU_RESERVATION_NEXUS_AT);
  store<u32>(out, unit.generation, LU_RESERVATION_GENERATION_AT);
  store<u64>(out, unit.registrations, LU_RESERVATION_COUNT_AT);
  return unit.reservationType ? 1 : 0;
}

/** How many registrations there are; as many of them at `out` as `room` bytes hold. */
export function view_registrations(unit: LogicalUnit, out: usize, room: u32): u32 {
  let written: u32 = 0;
  for (let i: u32 = 0; i < <u32>REGISTRATION_MAX; i++) {
    const registration = registration_at(unit, i);
    if (!registration.used || written + <u32>LU_REGISTRATION_BYTES > room) continue;
    const entry = out + written;
    store<u64>(entry, registration.key);
    store<u32>(entry, nexus_with(unit, i + 1), LU_REGISTRATION_NEXUS_AT);
    store<u32>(entry, registration.port, LU_REGISTRATION_PORT_AT);
    store<u32>(entry, is_holder(unit, i + 1) ? 1 : 0, LU_REGISTRATION_HOLDER_AT);
    store<u32>(entry, registration.idBytes, LU_REGISTRATION_ID_BYTES_AT);
    memory.fill(entry + LU_REGISTRATION_ID_AT, 0, TRANSPORT_ID_BYTES);
    memory.copy(entry + LU_REGISTRATION_ID_AT, registration_id(registration), registration.idBytes);
    written += LU_REGISTRATION_BYTES;
  }
  return unit.registrations;
}
