/**
 * REPORT SUPPORTED OPERATION CODES: the table of commands as parameter data.
 *
 * [SPC-4] 6.35.1 reporting options, 6.35.2 all_commands, 6.35.3 one_command, 6.35.4 command timeouts descriptor
 */
import { load_be16, load_be32, store_be16, store_be32 } from '../bytes/endian';
import {
  NO_ACTION,
  row_action,
  row_at,
  row_cdb_bytes,
  row_count,
  row_is_for,
  row_nominal_s,
  row_of_action,
  row_of_opcode,
  row_opcode,
  row_recommended_s,
  row_usage,
} from './command-row';
import { SCRATCH } from './scratch';
import { data_in_put, finish_bad_cdb, finish_data_in, finish_data_in_from, task_cdb } from './task';
import { LogicalUnit, Nexus } from './unit';

const RCTD: u32 = 0x80;
const ALL: u32 = 0;
const ONE_OPCODE: u32 = 1;
const ONE_ACTION: u32 = 2;
const ONE_EITHER: u32 = 3;
const NOT_SUPPORTED: u32 = 1;
const SUPPORTED: u32 = 3;
const TIMEOUTS_BYTES: u32 = 12;

export function report_opcodes(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const timeouts = (load<u8>(cdb, 2) & RCTD) != 0;
  const options: u32 = load<u8>(cdb, 2) & 7;
  const opcode: u32 = load<u8>(cdb, 3);
  const action = load_be16(cdb + 4);
  const allocation = load_be32(cdb + 6);
  if (options == ALL) return all_commands(unit, task, allocation, timeouts);
  if (options > ONE_EITHER) return finish_bad_cdb(unit, task, 2, 2);
  const first = row_of_opcode(unit, opcode);
  if (!first) return one_command(task, allocation, 0, timeouts);
  const hasActions = row_action(first) != NO_ACTION;
  // the wrong question: one with service actions asked for without, or the other way round
  if (options == ONE_OPCODE && hasActions) return finish_bad_cdb(unit, task, 3, 7);
  if (options == ONE_ACTION && !hasActions) return finish_bad_cdb(unit, task, 3, 7);
  if (hasActions) return one_command(task, allocation, row_of_action(unit, opcode, action), timeouts);
  return one_command(task, allocation, options == ONE_EITHER && action ? 0 : first, timeouts);
}

function all_commands(unit: LogicalUnit, task: usize, allocation: u32, timeouts: bool): u32 {
  let at: u32 = 4;
  for (let i: u32 = 0; i < row_count(); i++) {
    const row = row_at(i);
    if (!row_is_for(row, unit)) continue;
    const action = row_action(row);
    store<u64>(SCRATCH, 0);
    store<u8>(SCRATCH, row_opcode(row));
    if (action != NO_ACTION) {
      store_be16(SCRATCH + 2, action);
      store<u8>(SCRATCH, 1, 5); // SERVACTV
    }
    if (timeouts) store<u8>(SCRATCH, load<u8>(SCRATCH, 5) | 2, 5); // CTDP
    store_be16(SCRATCH + 6, row_cdb_bytes(row));
    const bytes = timeouts ? 8 + timeouts_put(SCRATCH + 8, row) : 8;
    data_in_put(task, allocation, at, SCRATCH, bytes);
    at += bytes;
  }
  store_be32(SCRATCH, at - 4);
  data_in_put(task, allocation, 0, SCRATCH, 4);
  return finish_data_in(task, allocation, at);
}

/** Of a command that is not supported only SUPPORT is told. */
function one_command(task: usize, allocation: u32, row: usize, timeouts: bool): u32 {
  store<u32>(SCRATCH, 0);
  if (!row) {
    store<u8>(SCRATCH, NOT_SUPPORTED, 1);
    return finish_data_in_from(task, allocation, SCRATCH, 4);
  }
  const bytes = row_cdb_bytes(row);
  const action = row_action(row);
  store<u8>(SCRATCH, SUPPORTED | (timeouts ? 0x80 : 0), 1); // CTDP
  store_be16(SCRATCH + 2, bytes);
  const usage = SCRATCH + 4;
  memory.copy(usage, row_usage(row), bytes);
  store<u8>(usage, row_opcode(row)); // in their own fields, operation code and service action stand for themselves
  if (action != NO_ACTION) store<u8>(usage, (load<u8>(usage, 1) & 0xe0) | action, 1);
  const total = 4 + bytes + (timeouts ? timeouts_put(usage + bytes, row) : 0);
  return finish_data_in_from(task, allocation, SCRATCH, total);
}

function timeouts_put(at: usize, row: usize): u32 {
  store_be16(at, TIMEOUTS_BYTES - 2);
  store<u16>(at, 0, 2);
  store_be32(at + 4, row_nominal_s(row));
  store_be32(at + 8, row_recommended_s(row));
  return TIMEOUTS_BYTES;
}
