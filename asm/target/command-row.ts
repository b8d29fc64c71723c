/**
 * A row of the table of commands: how it lies in memory, how it is made, how it is found. The table is made anew at
 * the start of an instance and never changed after; it is no part of any state.
 *
 * [SPC-4] 6.35.3 CDB usage data: a bit is 1 where the device server looks at it; 6.35.4 command timeouts descriptor
 * [SPC-4] 4.2.5 reserved fields, 4.3.4 CDB length by group code; [SAM-5] 5.2 CONTROL: NACA is 0, NORMACA is 0
 */
import { cdb_bytes, cdb_service_action } from '../scsi/cdb';
import { LogicalUnit, Nexus } from './unit';
import { store_be16, store_be32, store_be64 } from '../bytes/endian';

/** Runs a command whose CDB has been checked against its row; returns the action. */
export type Handler = (unit: LogicalUnit, nexus: Nexus, task: usize) => u32;

/** As service action: the operation code has none. */
export const NO_ACTION: u32 = 0xffff;
/** Instead of a row: not built in. */
export const NO_OPCODE: usize = 0;
/** Instead of a row: the opcode is built in, this service action of it is not. */
export const NO_SERVICE_ACTION: usize = 1;

const ROW_OPCODE_AT: usize = 0; // u8
const ROW_BYTES_AT: usize = 1; // u8, of the CDB
const ROW_ACTION_AT: usize = 2; // u16
const ROW_NEXT_AT: usize = 4; // u32, the next row of this opcode; 0: none
const ROW_HANDLER_AT: usize = 8; // u32
const ROW_NEEDS_AT: usize = 12; // u32, LU_FLAG_* without any of which the logical unit has no such command
const ROW_USAGE_AT: usize = 16; // 16 bytes, ones behind the CDB's end
const ROW_NOMINAL_AT: usize = 32; // u16, seconds
const ROW_RECOMMENDED_AT: usize = 34; // u16, seconds
const ROW_KIND_AT: usize = 36; // u32, COMMAND_*
const ROW_BYTES: usize = 40;
const ROW_MAX: u32 = 160;

const ROWS = memory.data(6400, 16);
const INDEX = memory.data(1024, 16); // u32 an opcode: its first row, or 0
const COUNT = memory.data(16, 16); // u32

/** Empties the table. */
export function rows_begin(): void {
  memory.fill(ROWS, 0, ROW_MAX * <u32>ROW_BYTES);
  memory.fill(INDEX, 0, 1024);
  store<u32>(COUNT, 0);
}

export function row_count(): u32 {
  return load<u32>(COUNT);
}

/** Row `index`, in the order in which they were made. */
export function row_at(index: u32): usize {
  return ROWS + <usize>index * ROW_BYTES;
}

/** A row at the end of the table, its usage data all zeroes but for the operation code and what is behind the CDB. */
function row(opcode: u32, action: u32, kind: u32, seconds: u32, needs: u32, handler: Handler): usize {
  const index = load<u32>(COUNT);
  if (index >= ROW_MAX) unreachable(); // make ROWS larger
  store<u32>(COUNT, index + 1);
  const at = row_at(index);
  const bytes = cdb_bytes(opcode);
  store<u8>(at, opcode, ROW_OPCODE_AT);
  store<u8>(at, bytes, ROW_BYTES_AT);
  store<u16>(at, action, ROW_ACTION_AT);
  store<u32>(at, <u32>changetype<usize>(handler), ROW_HANDLER_AT);
  store<u32>(at, needs, ROW_NEEDS_AT);
  store<u32>(at, kind, ROW_KIND_AT);
  store<u16>(at, seconds, ROW_NOMINAL_AT);
  store<u16>(at, max<u32>(30, seconds * 2), ROW_RECOMMENDED_AT);
  const usage = at + ROW_USAGE_AT;
  memory.fill(usage + bytes, 0xff, 16 - bytes);
  store<u8>(usage, 0xff);
  const first = INDEX + ((<usize>opcode) << 2);
  if (!load<u32>(first)) store<u32>(first, <u32>at);
  else {
    let last: usize = load<u32>(first);
    while (load<u32>(last, ROW_NEXT_AT)) last = load<u32>(last, ROW_NEXT_AT);
    store<u32>(last, <u32>at, ROW_NEXT_AT);
  }
  return usage;
}

/** In byte 1 the service action is looked at as well. */
function with_action(usage: usize, action: u32): void {
  if (action != NO_ACTION) store<u8>(usage, load<u8>(usage, 1) | 0x1f, 1);
}

/** A CDB of 6 bytes; `usage` is its bytes 1 to 4. */
export function six(
  opcode: u32,
  usage: u32,
  kind: u32,
  seconds: u32,
  handler: Handler,
  needs: u32 = 0,
): void {
  store_be32(row(opcode, NO_ACTION, kind, seconds, needs, handler) + 1, usage);
}

/** A CDB of 10 bytes; `usage` is its bytes 1 to 8. */
export function ten(
  opcode: u32,
  action: u32,
  usage: u64,
  kind: u32,
  seconds: u32,
  handler: Handler,
  needs: u32 = 0,
): void {
  const at = row(opcode, action, kind, seconds, needs, handler);
  store_be64(at + 1, usage);
  with_action(at, action);
}

/** A CDB of 12 bytes; `usage` is its bytes 1 to 8, `rest` bytes 9 and 10. */
export function twelve(
  opcode: u32,
  action: u32,
  usage: u64,
  rest: u32,
  kind: u32,
  seconds: u32,
  handler: Handler,
  needs: u32 = 0,
): void {
  const at = row(opcode, action, kind, seconds, needs, handler);
  store_be64(at + 1, usage);
  store_be16(at + 9, rest);
  with_action(at, action);
}

/** A CDB of 16 bytes; `usage` is its bytes 1 to 8, `rest` bytes 9 to 14. */
export function sixteen(
  opcode: u32,
  action: u32,
  usage: u64,
  rest: u64,
  kind: u32,
  seconds: u32,
  handler: Handler,
  needs: u32 = 0,
): void {
  const at = row(opcode, action, kind, seconds, needs, handler);
  store_be64(at + 1, usage);
  store_be16(at + 9, <u32>(rest >> 32));
  store_be32(at + 11, <u32>rest);
  with_action(at, action);
}

/** The row of the CDB for this logical unit; or NO_OPCODE, NO_SERVICE_ACTION. */
export function row_find(unit: LogicalUnit, cdb: usize): usize {
  const first: usize = load<u32>(INDEX + ((<usize>load<u8>(cdb)) << 2));
  if (first && load<u16>(first, ROW_ACTION_AT) == NO_ACTION) {
    return row_is_for(first, unit) ? first : NO_OPCODE;
  }
  return row_find_action(unit, first, cdb_service_action(cdb));
}

function row_find_action(unit: LogicalUnit, first: usize, action: u32): usize {
  let none = NO_OPCODE;
  for (let at = first; at; at = load<u32>(at, ROW_NEXT_AT)) {
    if (!row_is_for(at, unit)) continue;
    if (load<u16>(at, ROW_ACTION_AT) == action) return at;
    none = NO_SERVICE_ACTION;
  }
  return none;
}

/** True if the logical unit has this command. */
// @ts-ignore: decorator
@inline
export function row_is_for(row: usize, unit: LogicalUnit): bool {
  const needs = load<u32>(row, ROW_NEEDS_AT);
  return !needs || (unit.flags & needs) != 0;
}

/** The first row of an opcode that this logical unit has, whatever its service action; 0: none. */
export function row_of_opcode(unit: LogicalUnit, opcode: u32): usize {
  let at: usize = load<u32>(INDEX + ((<usize>opcode) << 2));
  while (at && !row_is_for(at, unit)) at = load<u32>(at, ROW_NEXT_AT);
  return at;
}

/** Its row with this service action; 0: none. */
export function row_of_action(unit: LogicalUnit, opcode: u32, action: u32): usize {
  const at = row_find_action(unit, load<u32>(INDEX + ((<usize>opcode) << 2)), action);
  return at <= NO_SERVICE_ACTION ? 0 : at;
}

export function row_run(row: usize, unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  return changetype<Handler>(<usize>load<u32>(row, ROW_HANDLER_AT))(unit, nexus, task);
}

export function row_opcode(row: usize): u32 {
  return load<u8>(row, ROW_OPCODE_AT);
}

export function row_cdb_bytes(row: usize): u32 {
  return load<u8>(row, ROW_BYTES_AT);
}

export function row_action(row: usize): u32 {
  return load<u16>(row, ROW_ACTION_AT);
}

export function row_kind(row: usize): u32 {
  return load<u32>(row, ROW_KIND_AT);
}

export function row_nominal_s(row: usize): u32 {
  return load<u16>(row, ROW_NOMINAL_AT);
}

export function row_recommended_s(row: usize): u32 {
  return load<u16>(row, ROW_RECOMMENDED_AT);
}

/** Address of the 16 bytes of usage data. */
// @ts-ignore: decorator
@inline
export function row_usage(row: usize): usize {
  return row + ROW_USAGE_AT;
}
