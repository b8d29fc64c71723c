/**
 * EXTENDED COPY(LID1), block to block, between the logical units that the host knows: the list is judged as a whole,
 * and then the host copies. Each segment descriptor becomes an extent in its place.
 *
 * [SPC-4] 6.4 EXTENDED COPY, 6.4.3 parameter list, 6.4.5.3 identification CSCD descriptor (E4h), 6.4.6.3 block device
 *         to block device segment descriptor (02h), 5.17.4 errors
 */
import {
  ACTION_COPY,
  COPY_BYTES_AT,
  COPY_DESTINATION_AT,
  COPY_DESTINATION_LBA_LO_AT,
  COPY_SOURCE_AT,
  COPY_SOURCE_LBA_LO_AT,
  TASK_EXTENTS_AT,
  TASK_EXTENT_COUNT_AT,
} from '../layout';
import { load_be16, load_be24, load_be32, load_be64 } from '../bytes/endian';
import { cdb16_length } from '../scsi/cdb';
import {
  SENSE_COPY_TARGET_NOT_REACHABLE,
  SENSE_INCORRECT_COPY_TARGET_DEVICE_TYPE,
  SENSE_INLINE_DATA_LENGTH_EXCEEDED,
  SENSE_INVALID_FIELD_IN_LIST,
  SENSE_PARAMETER_LIST_LENGTH,
  SENSE_THIRD_PARTY_DEVICE_FAILURE,
  SENSE_TOO_MANY_CSCD_DESCRIPTORS,
  SENSE_TOO_MANY_SEGMENT_DESCRIPTORS,
  SENSE_UNEXPECTED_INEXACT_SEGMENT,
  SENSE_UNSUPPORTED_CSCD_DESCRIPTOR,
  SENSE_UNSUPPORTED_SEGMENT_DESCRIPTOR,
  sense_field,
} from '../scsi/sense';
import { finish_action, in_range } from './blocks';
import { copy_begin } from './copy-results';
import { copy_allowed, unit_in_table, unit_of_designator } from './copy-units';
import { count_copy } from './counters';
import {
  finish_check,
  finish_command_specific,
  finish_good,
  finish_moved,
  finish_sense,
  task_cdb,
  task_data_out,
  task_data_out_bytes,
  want_out,
} from './task';
import { LogicalUnit, Nexus } from './unit';

export const CSCD_MAX: u32 = 16;
export const SEGMENT_MAX: u32 = 64;
export const HEAD_BYTES: u32 = 16;
export const CSCD_BYTES: u32 = 32;
export const SEGMENT_BYTES: u32 = 28;
/** MAXIMUM DESCRIPTOR LIST LENGTH: of both lists together. */
export const DESCRIPTORS_BYTES_MAX: u32 = CSCD_MAX * CSCD_BYTES + SEGMENT_MAX * SEGMENT_BYTES;
export const IDENTIFICATION: u32 = 0xe4;
export const BLOCK_TO_BLOCK: u32 = 0x02;
/** LIST ID USAGE: results are held; they are not; there is no list identifier. */
const USAGE_HOLD: u32 = 0;
const USAGE_RESERVED: u32 = 1;
const USAGE_NONE: u32 = 3;
const DC: u32 = 0x02;

/** Numbers in the host's table of units of the CSCD descriptors of the list in hand. */
const UNITS = memory.data(64, 8); // CSCD_MAX u32

export function extended_copy(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const length = cdb16_length(task_cdb(task));
  const list = task_data_out(task);
  if (!length) return finish_good(task);
  if (!want_out(task, length) || length < HEAD_BYTES || length > 0xffff) {
    return finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
  }
  const cscdBytes = load_be16(list + 2);
  const segmentBytes = load_be32(list + 8);
  const usage = ((<u32>load<u8>(list, 1)) >> 3) & 3;
  if (usage == USAGE_RESERVED) return bad(unit, task, 1, 4);
  if (usage == USAGE_NONE && load<u8>(list)) return bad(unit, task, 0, 7);
  if (load<u32>(list, 12)) return finish_check(unit, task, SENSE_INLINE_DATA_LENGTH_EXCEEDED);
  if (cscdBytes % CSCD_BYTES) return bad(unit, task, 2, 7);
  if (<u64>cscdBytes + segmentBytes > DESCRIPTORS_BYTES_MAX) {
    return finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH); // whatever of, [SPC-4] 6.22
  }
  if (cscdBytes > CSCD_MAX * CSCD_BYTES) return finish_check(unit, task, SENSE_TOO_MANY_CSCD_DESCRIPTORS);
  if (segmentBytes > SEGMENT_MAX * SEGMENT_BYTES) {
    return finish_check(unit, task, SENSE_TOO_MANY_SEGMENT_DESCRIPTORS);
  }
  if (HEAD_BYTES + cscdBytes + segmentBytes > length) {
    return finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
  }
  const cscds = cscdBytes / CSCD_BYTES;
  if (!judge_cscds(unit, task, list + HEAD_BYTES, cscds)) return 0;
  const from = HEAD_BYTES + cscdBytes;
  if (!judge_segments(unit, nexus, task, from, segmentBytes, cscds)) return 0;
  return begin(unit, task, from, segmentBytes / SEGMENT_BYTES, usage == USAGE_HOLD);
}

function begin(unit: LogicalUnit, task: usize, from: u32, segments: u32, hold: bool): u32 {
  const list = task_data_out(task);
  finish_moved(task, cdb16_length(task_cdb(task)), task_data_out_bytes(task));
  if (!segments) return finish_good(task);
  store<u32>(task, <u32>list + from, TASK_EXTENTS_AT);
  store<u32>(task, segments, TASK_EXTENT_COUNT_AT);
  let bytes: u64 = 0;
  for (let i: u32 = 0; i < segments; i++) {
    bytes += convert(task, list + from + i * SEGMENT_BYTES);
  }
  copy_begin(unit, task, hold, load<u8>(list), segments, bytes);
  return finish_action(task, ACTION_COPY, 0, bytes / unit.blockBytes, 0);
}

/** INVALID FIELD IN PARAMETER LIST. */
function bad(unit: LogicalUnit, task: usize, byte: u32, bit: u32): u32 {
  return finish_sense(unit, task, SENSE_INVALID_FIELD_IN_LIST, sense_field(false, byte, bit), false, 0);
}

/** An error about a descriptor: field pointer from the list's beginning, to `byte`. Always false. */
function no(unit: LogicalUnit, task: usize, code: u32, byte: u32): bool {
  finish_sense(unit, task, code, sense_field(false, byte, 7), false, 0);
  return false;
}

/** Finds the unit of each; what is no logical unit here is not reachable. */
function judge_cscds(unit: LogicalUnit, task: usize, from: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const cscd = from + i * CSCD_BYTES;
    const at = HEAD_BYTES + i * CSCD_BYTES;
    if (load<u8>(cscd) != IDENTIFICATION) return no(unit, task, SENSE_UNSUPPORTED_CSCD_DESCRIPTOR, at);
    const byte1: u32 = load<u8>(cscd, 1);
    if (byte1 & 0xc0) return no(unit, task, SENSE_INVALID_FIELD_IN_LIST, at + 1); // LU ID TYPE
    if (byte1 & 0x1f) return no(unit, task, SENSE_INCORRECT_COPY_TARGET_DEVICE_TYPE, at + 1);
    const number = byte1 & 0x20 ? -1 : unit_of_designator(task, cscd + 4); // NUL: not there
    if (number < 0) return no(unit, task, SENSE_COPY_TARGET_NOT_REACHABLE, at);
    const other = unit_in_table(task, number);
    if (load_be24(cscd + 29) != other.blockBytes) return no(unit, task, SENSE_INVALID_FIELD_IN_LIST, at + 29);
    store<u32>(UNITS + (i << 2), number);
  }
  return true;
}

function judge_segments(
  unit: LogicalUnit,
  nexus: Nexus,
  task: usize,
  from: u32,
  bytes: u32,
  cscds: u32,
): bool {
  const list = task_data_out(task);
  for (let at = from; at < from + bytes; at += SEGMENT_BYTES) {
    if (load<u8>(list + at) != BLOCK_TO_BLOCK)
      return no(unit, task, SENSE_UNSUPPORTED_SEGMENT_DESCRIPTOR, at);
    if (at + SEGMENT_BYTES > from + bytes) {
      finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH); // it is cut
      return false;
    }
    if (load_be16(list + at + 2) != SEGMENT_BYTES - 4)
      return no(unit, task, SENSE_INVALID_FIELD_IN_LIST, at + 2);
    if (load_be16(list + at + 4) >= cscds) return no(unit, task, SENSE_INVALID_FIELD_IN_LIST, at + 4);
    if (load_be16(list + at + 6) >= cscds) return no(unit, task, SENSE_INVALID_FIELD_IN_LIST, at + 6);
    if (!judge_segment(unit, nexus, task, at)) {
      finish_command_specific(unit, task, (at - from) / SEGMENT_BYTES); // COPY ABORTED names the segment
      return false;
    }
  }
  return true;
}

function judge_segment(unit: LogicalUnit, nexus: Nexus, task: usize, at: u32): bool {
  const segment = task_data_out(task) + at;
  const source = unit_in_table(task, cscd_unit(load_be16(segment + 4)));
  const destination = unit_in_table(task, cscd_unit(load_be16(segment + 6)));
  const bytes = segment_bytes(segment, source, destination);
  if (bytes % source.blockBytes || bytes % destination.blockBytes) {
    return no(unit, task, SENSE_UNEXPECTED_INEXACT_SEGMENT, at + 10);
  }
  if (!in_range(source, load_be64(segment + 12), bytes / source.blockBytes)) {
    return no(unit, task, SENSE_THIRD_PARTY_DEVICE_FAILURE, at + 12);
  }
  if (!in_range(destination, load_be64(segment + 20), bytes / destination.blockBytes)) {
    return no(unit, task, SENSE_THIRD_PARTY_DEVICE_FAILURE, at + 20);
  }
  if (!copy_allowed(source, nexus, false)) return no(unit, task, SENSE_THIRD_PARTY_DEVICE_FAILURE, at + 4);
  if (!copy_allowed(destination, nexus, true))
    return no(unit, task, SENSE_THIRD_PARTY_DEVICE_FAILURE, at + 6);
  return true;
}

/** DC says of which of the two the number of blocks is. */
function segment_bytes(segment: usize, source: LogicalUnit, destination: LogicalUnit): u32 {
  const blocks = load_be16(segment + 10);
  return blocks * (load<u8>(segment, 1) & DC ? destination.blockBytes : source.blockBytes);
}

// @ts-ignore: decorator
@inline
function cscd_unit(cscd: u32): u32 {
  return load<u32>(UNITS + (cscd << 2));
}

/** A segment descriptor becomes an extent; returns its bytes. */
function convert(task: usize, segment: usize): u32 {
  const source = cscd_unit(load_be16(segment + 4));
  const destination = cscd_unit(load_be16(segment + 6));
  const fromUnit = unit_in_table(task, source);
  const toUnit = unit_in_table(task, destination);
  const bytes = segment_bytes(segment, fromUnit, toUnit);
  count_copy(fromUnit, toUnit, bytes);
  const from = load_be64(segment + 12);
  const to = load_be64(segment + 20);
  store<u32>(segment, source, COPY_SOURCE_AT);
  store<u32>(segment, destination, COPY_DESTINATION_AT);
  store<u64>(segment, from, COPY_SOURCE_LBA_LO_AT);
  store<u64>(segment, to, COPY_DESTINATION_LBA_LO_AT);
  store<u32>(segment, bytes, COPY_BYTES_AT);
  return bytes;
}
