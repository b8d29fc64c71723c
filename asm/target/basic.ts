/**
 * The small commands every initiator begins with.
 *
 * [SPC-4] 6.39 REQUEST SENSE, 6.47 TEST UNIT READY
 * [SBC-3] 5.15 READ CAPACITY(10), 5.16 READ CAPACITY(16), 5.25 START STOP UNIT
 */
import {
  LU_CONFIG_PHYSICAL_EXPONENT_AT,
  LU_FLAG_PROTECTED,
  LU_FLAG_THIN,
  TASK_FLAG_IMMEDIATE,
} from '../layout';
import { load_be32, store_be32, store_be64 } from '../bytes/endian';
import { cdb16_length } from '../scsi/cdb';
import {
  SENSE_IDLE_BY_COMMAND,
  SENSE_INITIALIZING_COMMAND_REQUIRED,
  SENSE_NONE,
  SENSE_STANDBY_BY_COMMAND,
  sense_descriptors,
  sense_fixed,
} from '../scsi/sense';
import { attention_take } from './attention';
import { flush } from './medium';
import { sanitize_sense, sanitize_specific } from './sanitize';
import { SCRATCH } from './scratch';
import { finish_bad_cdb, finish_check, finish_data_in_from, finish_good, task_cdb } from './task';
import { LogicalUnit, Nexus, config_at } from './unit';

export function test_unit_ready(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  if (unit.stopped) return finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  return finish_good(task);
}

/** What REQUEST SENSE tells when no unit attention is pending, [SPC-4] 5.12.2 pollable sense data. */
function pollable_sense(unit: LogicalUnit): u32 {
  if (unit.sanitize) return sanitize_sense(unit);
  if (unit.stopped) return SENSE_INITIALIZING_COMMAND_REQUIRED;
  if (unit.exceptionPolled && unit.exception) return unit.exception;
  if (!unit.powerCondition) return SENSE_NONE;
  return unit.powerCondition == IDLE ? SENSE_IDLE_BY_COMMAND : SENSE_STANDBY_BY_COMMAND;
}

/** A pending unit attention is returned as parameter data and so cleared; else what there is to be polled. */
export function request_sense(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  let code = attention_take(nexus);
  const specific: u32 = code ? 0 : sanitize_specific(unit);
  if (!code) code = pollable_sense(unit);
  const bytes =
    load<u8>(cdb, 1) & 1 // DESC
      ? sense_descriptors(SCRATCH, code, specific, false, 0)
      : sense_fixed(SCRATCH, code, specific, false, 0);
  return finish_data_in_from(task, load<u8>(cdb, 4), SCRATCH, bytes);
}

export function read_capacity_10(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  if (load<u8>(cdb, 8) & 1) return finish_bad_cdb(unit, task, 8, 0); // PMI, obsolete
  if (load_be32(cdb + 2)) return finish_bad_cdb(unit, task, 2, 7); // LBA without PMI
  if (unit.stopped) return finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  store_be32(SCRATCH, <u32>min<u64>(unit.blocks - 1, 0xffffffff)); // FFFFFFFFh: ask READ CAPACITY(16)
  store_be32(SCRATCH + 4, unit.blockBytes);
  return finish_data_in_from(task, 8, SCRATCH, 8);
}

export function read_capacity_16(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  if (load<u8>(cdb, 14) & 1) return finish_bad_cdb(unit, task, 14, 0);
  if (load<u64>(cdb, 2)) return finish_bad_cdb(unit, task, 2, 7);
  if (unit.stopped) return finish_check(unit, task, SENSE_INITIALIZING_COMMAND_REQUIRED);
  memory.fill(SCRATCH, 0, 32);
  store_be64(SCRATCH, unit.blocks - 1);
  store_be32(SCRATCH + 8, unit.blockBytes);
  store<u8>(SCRATCH, load<u32>(config_at(unit), LU_CONFIG_PHYSICAL_EXPONENT_AT), 13);
  if (unit.flags & LU_FLAG_PROTECTED) store<u8>(SCRATCH, 1, 12); // PROT_EN; P_TYPE 000b: type 1
  if (unit.flags & LU_FLAG_THIN) store<u8>(SCRATCH, 0xc0, 14); // LBPME, LBPRZ
  return finish_data_in_from(task, cdb16_length(cdb), SCRATCH, 32);
}

const START: u32 = 1;
const LOEJ: u32 = 2;
const NO_FLUSH: u32 = 4;
/** POWER CONDITION, [SBC-3] table 96. */
const ACTIVE: u32 = 1;
const IDLE: u32 = 2;

function start(unit: LogicalUnit): void {
  if (unit.stopped) unit.startStops++;
  unit.stopped = 0;
}

/**
 * START stops or starts; a power condition of idle or standby rests the medium until a command needs it, and REQUEST
 * SENSE tells so. Before it stops, the cache goes to the medium unless NO_FLUSH.
 */
export function start_stop_unit(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const byte4: u32 = load<u8>(cdb, 4);
  const condition = byte4 >> 4;
  if (condition > 3) return finish_bad_cdb(unit, task, 4, 7);
  if (load<u8>(cdb, 3)) return finish_bad_cdb(unit, task, 3, 3); // POWER CONDITION MODIFIER
  if (byte4 & LOEJ) return finish_bad_cdb(unit, task, 4, 1); // the medium is not removable
  if (condition) {
    if (condition == ACTIVE) start(unit);
    unit.powerCondition = condition == ACTIVE ? 0 : condition;
    return finish_good(task);
  }
  const stop = !(byte4 & START);
  const wasStopped = unit.stopped != 0;
  if (stop) unit.stopped = 1;
  else start(unit);
  unit.powerCondition = 0;
  if (!stop || wasStopped || byte4 & NO_FLUSH) return finish_good(task);
  return flush(unit, task, load<u8>(cdb, 1) & 1 ? TASK_FLAG_IMMEDIATE : 0);
}

/** The medium cannot be removed, so that there is nothing to prevent, [SBC-3] 5.9. 10b and 11b are obsolete. */
export function prevent_allow(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  return load<u8>(task_cdb(task), 4) & 2 ? finish_bad_cdb(unit, task, 4, 1) : finish_good(task);
}
