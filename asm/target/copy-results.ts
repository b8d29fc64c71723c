/**
 * RECEIVE COPY RESULTS: what became of the copies of a nexus, and what a copy may be.
 *
 * [SPC-4] 6.20 RECEIVE COPY STATUS(LID1), 6.22 RECEIVE COPY OPERATING PARAMETERS, 6.23 RECEIVE COPY FAILURE
 *         DETAILS(LID1), 5.17.4.3 held data
 */
import { MEDIUM_COPY_FAILED, MEDIUM_COPY_UNREACHABLE } from '../layout';
import { store_be16, store_be32 } from '../bytes/endian';
import { cdb16_length, cdb_service_action } from '../scsi/cdb';
import { SA_RECEIVE_COPY_FAILURE_DETAILS_LID1, SA_RECEIVE_COPY_OPERATING_PARAMETERS } from '../scsi/opcode';
import { sense_fixed } from '../scsi/sense';
import { CHECK_CONDITION } from '../scsi/status';
import { BLOCK_TO_BLOCK, CSCD_MAX, IDENTIFICATION, LIST_BYTES_MAX, SEGMENT_MAX } from './copy';
import { SCRATCH } from './scratch';
import { finish_bad_cdb, finish_data_in_from, task_cdb, task_nexus } from './task';
import { COPY_MAX, CopyRecord, LogicalUnit, Nexus, copy_at } from './unit';

const IN_PROGRESS: u32 = 0;
const DONE: u32 = 1;
const DONE_WITH_ERRORS: u32 = 2;
const PARAMETERS_BYTES: u32 = 46;
const STATUS_BYTES: u32 = 12;
const DETAILS_HEAD_BYTES: u32 = 60;

/** A record of a copy that begins now, in place of one with its list identifier, or of the oldest. */
export function copy_begin(
  unit: LogicalUnit,
  task: usize,
  hold: bool,
  listIdentifier: u32,
  segments: u32,
  bytes: u64,
): void {
  let victim = copy_at(unit, 0);
  let last: u32 = 0;
  for (let i: u32 = 0; i < COPY_MAX; i++) {
    const record = copy_at(unit, i);
    last = max(last, record.sequence);
    if (record.sequence < victim.sequence) victim = record;
  }
  const known = find(unit, task_nexus(task), listIdentifier);
  if (known != null) victim = known;
  victim.nexus = hold ? task_nexus(task) + 1 : 0;
  victim.listIdentifier = listIdentifier;
  victim.status = IN_PROGRESS;
  victim.segments = segments;
  victim.bytes = bytes;
  victim.sequence = last + 1;
  victim.code = 0;
}

/** The copy that began last has ended: all of it is done, or `done` segments and then `code`. */
export function copy_end(unit: LogicalUnit, code: u32, done: u32): void {
  const record = newest(unit);
  record.status = code ? DONE_WITH_ERRORS : DONE;
  record.code = code;
  if (code) {
    record.segments = done;
    record.bytes = 0;
  }
}

export function is_copy_error(kind: u32): bool {
  return kind == <u32>MEDIUM_COPY_FAILED || kind == <u32>MEDIUM_COPY_UNREACHABLE;
}

/** Resets and power on leave no results, [SPC-4] 5.17.4.3. */
export function copy_forget(unit: LogicalUnit): void {
  memory.fill(changetype<usize>(copy_at(unit, 0)), 0, COPY_MAX * <u32>offsetof<CopyRecord>());
}

/** The copy that began last was aborted: nobody is told of it, [SPC-4] 5.17.4.3. */
export function copy_aborted(unit: LogicalUnit): void {
  newest(unit).nexus = 0;
}

/** Another initiator has the number of the nexus now. */
export function copy_forget_nexus(unit: LogicalUnit, nexus: u32): void {
  for (let i: u32 = 0; i < COPY_MAX; i++) {
    const record = copy_at(unit, i);
    if (record.nexus == nexus + 1) record.nexus = 0;
  }
}

function newest(unit: LogicalUnit): CopyRecord {
  let found = copy_at(unit, 0);
  for (let i: u32 = 1; i < COPY_MAX; i++) {
    if (copy_at(unit, i).sequence > found.sequence) found = copy_at(unit, i);
  }
  return found;
}

function find(unit: LogicalUnit, nexus: u32, listIdentifier: u32): CopyRecord | null {
  for (let i: u32 = 0; i < COPY_MAX; i++) {
    const record = copy_at(unit, i);
    if (record.nexus == nexus + 1 && record.listIdentifier == listIdentifier) return record;
  }
  return null;
}

export function receive_copy_results(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const action = cdb_service_action(cdb);
  memory.fill(SCRATCH, 0, 128);
  if (action == <u32>SA_RECEIVE_COPY_OPERATING_PARAMETERS) return operating_parameters(unit, task);
  const record = find(unit, task_nexus(task), load<u8>(cdb, 2));
  if (record == null) return finish_bad_cdb(unit, task, 2, 7);
  if (action == <u32>SA_RECEIVE_COPY_FAILURE_DETAILS_LID1) return failure_details(unit, task, record);
  store_be32(SCRATCH, STATUS_BYTES - 4);
  store<u8>(SCRATCH, record.status, 4);
  store_be16(SCRATCH + 5, record.status == IN_PROGRESS ? 0 : record.segments);
  const shift = record.bytes > 0xffffffff ? 20 : 0; // TRANSFER COUNT UNITS: bytes or mebibytes, [SPC-4] table 158
  store<u8>(SCRATCH, shift ? 2 : 0, 7);
  store_be32(SCRATCH + 8, record.status == IN_PROGRESS ? 0 : <u32>(record.bytes >> shift));
  const allocation = cdb16_length(cdb);
  // what is told is no longer held, unless there are details of a failure
  if (record.status == DONE && allocation >= STATUS_BYTES) record.nexus = 0;
  return finish_data_in_from(task, allocation, SCRATCH, STATUS_BYTES);
}

/** [SPC-4] table 162. */
function operating_parameters(unit: LogicalUnit, task: usize): u32 {
  store_be32(SCRATCH, PARAMETERS_BYTES - 4);
  store_be16(SCRATCH + 8, CSCD_MAX);
  store_be16(SCRATCH + 10, SEGMENT_MAX);
  store_be32(SCRATCH + 12, LIST_BYTES_MAX - 16);
  store_be32(SCRATCH + 16, 0xffff * unit.blockBytes); // MAXIMUM SEGMENT LENGTH
  store_be16(SCRATCH + 34, 1); // TOTAL CONCURRENT COPIES
  store<u8>(SCRATCH, 1, 36); // MAXIMUM CONCURRENT COPIES
  store<u8>(SCRATCH, 9, 37); // DATA SEGMENT GRANULARITY: 512 bytes
  store<u8>(SCRATCH, 2, 43); // IMPLEMENTED DESCRIPTOR LIST LENGTH
  store<u8>(SCRATCH, BLOCK_TO_BLOCK, 44);
  store<u8>(SCRATCH, IDENTIFICATION, 45);
  return finish_data_in_from(task, cdb16_length(task_cdb(task)), SCRATCH, PARAMETERS_BYTES);
}

/** [SPC-4] table 165. Without a failure there are none. */
function failure_details(unit: LogicalUnit, task: usize, record: CopyRecord): u32 {
  if (record.status != DONE_WITH_ERRORS) return finish_bad_cdb(unit, task, 2, 7);
  const sense = sense_fixed(SCRATCH + DETAILS_HEAD_BYTES, record.code, 0, false, 0);
  store_be32(SCRATCH + DETAILS_HEAD_BYTES + 8, record.segments); // COMMAND-SPECIFIC INFORMATION
  store_be32(SCRATCH, DETAILS_HEAD_BYTES + sense - 4);
  store<u8>(SCRATCH, CHECK_CONDITION, 56);
  store_be16(SCRATCH + 58, sense);
  const allocation = cdb16_length(task_cdb(task));
  if (allocation >= DETAILS_HEAD_BYTES + sense) record.nexus = 0;
  return finish_data_in_from(task, allocation, SCRATCH, DETAILS_HEAD_BYTES + sense);
}
