/**
 * The device server as its host calls it. Every function takes the address of a logical unit's block; all numbers are
 * 32-bit, a 64-bit one is two of them.
 *
 * [layout] TASK_*, LU_CONFIG_*, LU_RESERVATION_*, LU_REGISTRATION_*, MEDIUM_*, RESET_*, TMF_*, LOGIN_*
 */
import { COMMAND_KNOWN } from '../layout';
import { absent_execute } from './absent';
import { attention_peek } from './attention';
import { NO_SERVICE_ACTION, row_find, row_kind } from './command-row';
import { copy_aborted, copy_end } from './copy-results';
import { copy_allowed } from './copy-units';
import { execute } from './execute';
import { create, power_on, reset } from './lifecycle';
import { set_luns } from './luns';
import { medium_error } from './medium-error';
import { login, logout, nexus_of } from './nexus';
import { nv_load } from './nv';
import { target_name } from './target-name';
import { sanitize_pattern, sanitize_tell } from './sanitize';
import { task_management } from './task-management';
import { NV_SLOT_BYTES, UNIT_BYTES, nv_slot_at, unit_at } from './unit';
import { view_registrations, view_reservation } from './view';

/** Bytes of a logical unit's block. Align it to 8. */
export function lu_size(): u32 {
  return <u32>UNIT_BYTES;
}

/** Makes a logical unit of the LU_CONFIG_BYTES at `config`, powered on. LU_OK or LU_BAD_*. */
export function lu_create(lu: u32, config: u32): u32 {
  return create(unit_at(lu), config);
}

/** Power comes (again): 29/01 for all nexuses, registrations as the non-volatile image has them. */
export function lu_power_on(lu: u32): void {
  power_on(unit_at(lu));
}

/** RESET_*: 29/03, 29/02 or 29/04 for all nexuses; registrations stay. The host ends all tasks. */
export function lu_reset(lu: u32, kind: u32): void {
  reset(unit_at(lu), kind);
}

/** Address of the non-volatile image: two slots of lu_nv_bytes() / 2. Make it durable when TASK_NV_CHANGED says so. */
export function lu_nv_ptr(lu: u32): u32 {
  return <u32>nv_slot_at(unit_at(lu), 0);
}

export function lu_nv_bytes(): u32 {
  return 2 * NV_SLOT_BYTES;
}

/** The slot, 0 or 1, that was written last: only it need be made durable. */
export function lu_nv_slot(lu: u32): u32 {
  return unit_at(lu).nvSlot;
}

/** Takes what the host put into the slots. 1: there was a valid image; 0: none, and no registration is left. */
export function lu_nv_load(lu: u32): u32 {
  return nv_load(unit_at(lu)) ? 1 : 0;
}

/** Nexus `nexus` is the initiator port of this TransportID on relative target port 1 or 2. LOGIN_OK or LOGIN_BAD_*. */
export function nexus_login(lu: u32, nexus: u32, id: u32, idBytes: u32, relativeTargetPort: u32): u32 {
  return login(unit_at(lu), nexus, id, idBytes, relativeTargetPort);
}

export function nexus_logout(lu: u32, nexus: u32): void {
  logout(unit_at(lu), nexus);
}

/** COMMAND_* of a CDB, whatever it asks for; 0: this logical unit has no such command. */
export function lu_command(lu: u32, cdb: u32): u32 {
  const row = row_find(unit_at(lu), cdb);
  return row <= NO_SERVICE_ACTION ? 0 : row_kind(row) | COMMAND_KNOWN;
}

/**
 * Name of relative target port 1 or 2 to iSCSI initiators: the target's iSCSI name, with ",t,0xTAG" behind it unless
 * the portal group tag is the number of the port. 1, or 0 for what is no such name. It is kept until it is replaced.
 */
export function lu_target_name(lu: u32, port: u32, name: u32, bytes: u32): u32 {
  return target_name(unit_at(lu), port, name, bytes) ? 1 : 0;
}

/** What REPORT LUNS lists to iSCSI initiators: `count` LUNs of LUN_BYTES. 1, or 0: more than LUN_MAX. */
export function lu_set_luns(lu: u32, luns: u32, count: u32): u32 {
  return set_luns(unit_at(lu), luns, count) ? 1 : 0;
}

/** A command to a LUN that is none of the `count` LUNs of the target; returns ACTION_NONE. */
export function no_lu_execute(luns: u32, count: u32, task: u32): u32 {
  return absent_execute(task, luns, count);
}

/** LU_CONTROL_*, for the keeper of the task set. */
export function lu_control(lu: u32): u32 {
  return unit_at(lu).control;
}

/** One command; returns TASK_ACTION. */
export function lu_execute(lu: u32, task: u32): u32 {
  return execute(unit_at(lu), task);
}

/** The medium failed under the action of lu_execute: MEDIUM_*, at this LBA. Sets status and sense data. */
export function lu_medium_error(lu: u32, task: u32, kind: u32, lbaLo: u32, lbaHi: u32): void {
  medium_error(unit_at(lu), task, kind, ((<u64>lbaHi) << 32) | lbaLo);
}

/** ACTION_COPY, the last that lu_execute asked for, is done. That it failed says lu_medium_error, with MEDIUM_COPY_*. */
export function lu_copied(lu: u32): void {
  copy_end(unit_at(lu), 0, 0);
}

/** ACTION_COPY, the last that lu_execute asked for, was aborted. */
export function lu_copy_aborted(lu: u32): void {
  copy_aborted(unit_at(lu));
}

/** 1: the initiator behind `nexus` of `lu` may now read the logical unit `other`, or write to it, as a copy does. */
export function lu_copy_allowed(lu: u32, nexus: u32, other: u32, writes: u32): u32 {
  const known = nexus_of(unit_at(lu), nexus);
  return known != null && copy_allowed(unit_at(other), known, writes != 0) ? 1 : 0;
}

/**
 * How far the sanitize operation of ACTION_SANITIZE is: 0 to SANITIZE_PROGRESS_MAX, SANITIZE_DONE, SANITIZE_FAILED.
 * 1: the non-volatile image has changed, make it durable.
 */
export function lu_sanitize(lu: u32, progress: u32): u32 {
  return sanitize_tell(unit_at(lu), progress) ? 1 : 0;
}

/**
 * After lu_nv_load: a sanitize operation that power loss interrupted must be resumed. Its pattern, at most
 * SANITIZE_PATTERN_MAX bytes, goes to `out`; returns how many, 0: it erases. SANITIZE_NONE: there is none.
 */
export function lu_sanitize_pattern(lu: u32, out: u32): u32 {
  return sanitize_pattern(unit_at(lu), out);
}

/** TMF_* from `nexus`; returns TMF_COMPLETE with TASK_ABORT set in the task block, or TMF_NOT_SUPPORTED. */
export function lu_task_management(lu: u32, nexus: u32, management: u32, task: u32): u32 {
  return task_management(unit_at(lu), nexus, management, task);
}

/** LU_RESERVATION_BYTES at `out`; returns 1 if there is a persistent reservation. */
export function lu_reservation(lu: u32, out: u32): u32 {
  return view_reservation(unit_at(lu), out);
}

/** LU_REGISTRATION_BYTES each at `out`, as far as `room` bytes hold; returns how many there are. */
export function lu_registrations(lu: u32, out: u32, room: u32): u32 {
  return view_registrations(unit_at(lu), out, room);
}

/** Sense code (key << 16 | ASC << 8 | ASCQ) of the unit attention that the nexus would be told next; 0: none. */
export function lu_attention(lu: u32, nexus: u32): u32 {
  const known = nexus_of(unit_at(lu), nexus);
  return known == null ? 0 : attention_peek(known);
}
