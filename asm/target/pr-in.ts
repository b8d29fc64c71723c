/**
 * PERSISTENT RESERVE IN.
 *
 * [SPC-4] 6.15.1 introduction, 6.15.2 READ KEYS, 6.15.3 READ RESERVATION, 6.15.4 REPORT CAPABILITIES,
 *         6.15.5 READ FULL STATUS; ADDITIONAL LENGTH is never altered by the allocation length, 4.2.5.6
 */
import { store_be16, store_be32, store_be64 } from '../bytes/endian';
import { REGISTRATION_MAX } from '../layout';
import { cdb10_length, cdb_service_action } from '../scsi/cdb';
import {
  PR_IN_READ_FULL_STATUS,
  PR_IN_READ_KEYS,
  PR_IN_READ_RESERVATION,
  PR_IN_REPORT_CAPABILITIES,
} from '../scsi/reservation';
import { all_registrants, is_holder, registration_id } from './registration';
import { SCRATCH } from './scratch';
import { data_in_put, finish_bad_cdb, finish_data_in, finish_data_in_from, task_cdb } from './task';
import { LogicalUnit, Nexus, registration_at } from './unit';

const HEAD_BYTES: u32 = 8;
const DESCRIPTOR_BYTES: u32 = 24;

export function persistent_reserve_in(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const allocation = cdb10_length(cdb);
  switch (cdb_service_action(cdb)) {
    case PR_IN_READ_KEYS:
      return read_keys(unit, task, allocation);
    case PR_IN_READ_RESERVATION:
      return read_reservation(unit, task, allocation);
    case PR_IN_REPORT_CAPABILITIES:
      return report_capabilities(unit, task, allocation);
    case PR_IN_READ_FULL_STATUS:
      return read_full_status(unit, task, allocation);
    default:
      return finish_bad_cdb(unit, task, 1, 4);
  }
}

/** PRGENERATION and ADDITIONAL LENGTH. */
function head(unit: LogicalUnit, at: usize, additional: u32): void {
  store_be32(at, unit.generation);
  store_be32(at + 4, additional);
}

function read_keys(unit: LogicalUnit, task: usize, allocation: u32): u32 {
  head(unit, SCRATCH, unit.registrations * 8);
  data_in_put(task, allocation, 0, SCRATCH, HEAD_BYTES);
  let at = HEAD_BYTES;
  for (let i: u32 = 0; i < <u32>REGISTRATION_MAX; i++) {
    const registration = registration_at(unit, i);
    if (!registration.used) continue;
    store_be64(SCRATCH, registration.key);
    data_in_put(task, allocation, at, SCRATCH, 8);
    at += 8;
  }
  return finish_data_in(task, allocation, at);
}

/** The key is 0 with an all registrants type, [SPC-4] 5.13.10. */
function read_reservation(unit: LogicalUnit, task: usize, allocation: u32): u32 {
  const held = unit.reservationType != 0;
  memory.fill(SCRATCH, 0, 24);
  head(unit, SCRATCH, held ? 16 : 0);
  if (held) {
    if (!all_registrants(unit)) store_be64(SCRATCH + 8, registration_at(unit, unit.holder - 1).key);
    store<u8>(SCRATCH, unit.reservationType, 21); // SCOPE is LU_SCOPE, 0
  }
  return finish_data_in_from(task, allocation, SCRATCH, held ? 24 : HEAD_BYTES);
}

/** [SPC-4] table 207. */
function report_capabilities(unit: LogicalUnit, task: usize, allocation: u32): u32 {
  store<u64>(SCRATCH, 0);
  store_be16(SCRATCH, 8);
  store<u8>(SCRATCH, 0x1d, 2); // CRH, SIP_C, ATP_C, PTPL_C
  store<u8>(SCRATCH, 0xc0 | unit.aptpl, 3); // TMV, ALLOW COMMANDS 100b, PTPL_A
  store<u8>(SCRATCH, 0xea, 4); // WR_EX_AR, EX_AC_RO, WR_EX_RO, EX_AC, WR_EX
  store<u8>(SCRATCH, 0x01, 5); // EX_AC_AR
  return finish_data_in_from(task, allocation, SCRATCH, 8);
}

/** One full status descriptor a registration, [SPC-4] table 211; ALL_TG_PT is 0, each port has its own. */
function read_full_status(unit: LogicalUnit, task: usize, allocation: u32): u32 {
  let at = HEAD_BYTES;
  for (let i: u32 = 0; i < <u32>REGISTRATION_MAX; i++) {
    const registration = registration_at(unit, i);
    if (!registration.used) continue;
    const holder = is_holder(unit, i + 1);
    memory.fill(SCRATCH, 0, DESCRIPTOR_BYTES);
    store_be64(SCRATCH, registration.key);
    store<u8>(SCRATCH, holder ? 1 : 0, 12); // R_HOLDER
    store<u8>(SCRATCH, holder ? unit.reservationType : 0, 13);
    store_be16(SCRATCH + 18, registration.port);
    store_be32(SCRATCH + 20, registration.idBytes);
    data_in_put(task, allocation, at, SCRATCH, DESCRIPTOR_BYTES);
    data_in_put(task, allocation, at + DESCRIPTOR_BYTES, registration_id(registration), registration.idBytes);
    at += DESCRIPTOR_BYTES + registration.idBytes;
  }
  head(unit, SCRATCH, at - HEAD_BYTES);
  data_in_put(task, allocation, 0, SCRATCH, HEAD_BYTES);
  return finish_data_in(task, allocation, at);
}
