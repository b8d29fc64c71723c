/**
 * READ BUFFER(10) and WRITE BUFFER, modes of the echo buffer: what an initiator writes it reads again, to see whether
 * the way to the disk is sound. There is one buffer for all nexuses, and each is told when another has written it.
 *
 * [SPC-4] 6.17 READ BUFFER(10): 6.17.8 read data from echo buffer (0Ah), 6.17.9 echo buffer descriptor (0Bh)
 * [SPC-4] 6.49 WRITE BUFFER: 6.49.10 write data to echo buffer (0Ah)
 */
import { load_be24, store_be16 } from '../bytes/endian';
import { NEXUS_MAX } from '../layout';
import {
  SENSE_COMMAND_SEQUENCE,
  SENSE_ECHO_BUFFER_OVERWRITTEN,
  SENSE_PARAMETER_LIST_LENGTH,
} from '../scsi/sense';
import { SCRATCH } from './scratch';
import {
  finish_bad_cdb,
  finish_check,
  finish_data_in_from,
  finish_good,
  finish_moved,
  task_cdb,
  task_data_out,
  task_data_out_bytes,
  task_nexus,
  want_out,
} from './task';
import { ECHO_BYTES, LogicalUnit, Nexus, echo_at } from './unit';

const MODE_ECHO: u32 = 0x0a;
const MODE_ECHO_DESCRIPTOR: u32 = 0x0b;
const EBOS: u8 = 1;

export function read_buffer(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const allocation = load_be24(cdb + 6);
  switch (<u32>load<u8>(cdb, 1)) {
    case MODE_ECHO_DESCRIPTOR:
      store<u32>(SCRATCH, EBOS);
      store_be16(SCRATCH + 2, ECHO_BYTES);
      return finish_data_in_from(task, allocation, SCRATCH, 4);
    case MODE_ECHO: {
      const own = (<u64>1) << task_nexus(task);
      if (!(unit.echoWriters & own)) return finish_check(unit, task, SENSE_COMMAND_SEQUENCE);
      if (unit.echoOwner != own) return finish_check(unit, task, SENSE_ECHO_BUFFER_OVERWRITTEN);
      return finish_data_in_from(task, allocation, echo_at(unit), unit.echoBytes);
    }
    default:
      return finish_bad_cdb(unit, task, 1, 4);
  }
}

export function write_buffer(unit: LogicalUnit, nexus: Nexus, task: usize): u32 {
  const cdb = task_cdb(task);
  const bytes = load_be24(cdb + 6);
  if (load<u8>(cdb, 1) != MODE_ECHO) return finish_bad_cdb(unit, task, 1, 4);
  if (bytes > ECHO_BYTES) return finish_bad_cdb(unit, task, 6, 7);
  if (!want_out(task, bytes)) return finish_check(unit, task, SENSE_PARAMETER_LIST_LENGTH);
  finish_moved(task, bytes, task_data_out_bytes(task));
  memory.copy(echo_at(unit), task_data_out(task), bytes);
  unit.echoBytes = bytes;
  unit.echoOwner = (<u64>1) << task_nexus(task);
  unit.echoWriters |= unit.echoOwner;
  return finish_good(task);
}

/** A nexus is gone, or (NEXUS_MAX) all have lost what they wrote. */
export function echo_forget(unit: LogicalUnit, index: u32): void {
  const gone: u64 = index < <u32>NEXUS_MAX ? (<u64>1) << index : u64.MAX_VALUE;
  unit.echoWriters &= ~gone;
  unit.echoOwner &= ~gone;
}
