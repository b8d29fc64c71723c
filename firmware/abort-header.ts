/** A coredump header that would say dumping for ever, because the board that wrote it is gone, becomes aborted. */
import {
  ABORT_NONE,
  ATTRIBUTE_ABORTED,
  COPY_BLOCKS,
  COPY_BYTES,
  HEADER_ABORT_AT,
  HEADER_ATTRIBUTE_AT,
  HEADER_ENDED_US_AT,
  HEADER_WRITTEN_US_AT,
} from '../asm/layout';
import {
  header_lba,
  header_newest,
  header_next_sequence,
  header_seal,
  header_victim,
} from '../asm/dump/header';
import { cdb_write16 } from '../asm/initiator/cdb';
import { NO_COMMAND, command_new, command_send, entry_of } from './command';
import { HEADER_CUT, disk_at } from './memory';

/**
 * Writes it over the older of the two copies at `copies`, as read from the disk; the command is of `kind`. False when
 * there is no valid header, or no free command.
 */
export function abort_header(kind: u32, d: u32, copies: usize, cause: u32): bool {
  const newest = header_newest(copies);
  if (newest < 0) return false;
  const i = command_new(kind, d);
  if (i == NO_COMMAND) return false;
  const sequence = header_next_sequence(copies);
  const victim = header_victim(copies);
  const buf = copies + <usize>victim * COPY_BYTES;
  memory.copy(buf, copies + <usize>newest * COPY_BYTES, COPY_BYTES);
  store<u32>(buf + HEADER_ATTRIBUTE_AT, ATTRIBUTE_ABORTED);
  if (cause != ABORT_NONE) store<u32>(buf + HEADER_ABORT_AT, cause);
  store<u64>(buf + HEADER_ENDED_US_AT, load<u64>(buf + HEADER_WRITTEN_US_AT));
  header_seal(buf, sequence);
  cdb_write16(entry_of(i), header_lba(victim), COPY_BLOCKS, true, buf, COPY_BYTES);
  command_send(i);
  const disk = disk_at(d);
  disk.attribute = ATTRIBUTE_ABORTED;
  disk.header_abort = cause == ABORT_NONE ? HEADER_CUT : <u16>cause;
  disk.header_copy = victim;
  disk.header_sequence = sequence;
  return true;
}
