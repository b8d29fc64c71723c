/**
 * The panic handler's work area: its state, its own rings and buffers, and the dump writer's. All of it is zero until a
 * panic and lies in one region, which therefore dumps as zero, as it was.
 */
import { WORK_AT } from './layout';
import { Walk } from './order';

/** Entries in each ring. */
export const DUMP_RING: u32 = 64;
/** Tag of the handler's own commands, beside those of the writer. */
export const TAG_CONTROL: u32 = 0x300;

const WALK_AT: usize = WORK_AT + 0x300;
export const DUMP_SQ: usize = WORK_AT + 0x1000;
export const DUMP_CQ: usize = WORK_AT + 0x2000;
export const DUMP_HEADER: usize = WORK_AT + 0x3000;
export const DUMP_MAIL: usize = WORK_AT + 0x4000;
export const DUMP_MESSAGE_OUT: usize = WORK_AT + 0x4400;
export const DUMP_MESSAGE_IN: usize = WORK_AT + 0x4600;
export const DUMP_LIST: usize = WORK_AT + 0x4800;
/** Where a control command is built; it stays there to be sent again. */
export const DUMP_ENTRY: usize = WORK_AT + 0x4a00;
export const DUMP_WRITER: usize = WORK_AT + 0x10000; // WRITER_BYTES
export const DUMP_DONE: usize = WORK_AT + 0x20000; // a bit a chunk, 8 KiB for 4 GiB
export const DUMP_LABEL: usize = WORK_AT + 0x24000; // both copies of a label
export const DUMP_DONE_BYTES: usize = 0x2000;
/** A copy of a chunk with poisoned pages, and zeros in their place. */
export const DUMP_MEND: usize = WORK_AT + 0x30000; // CHUNK_BYTES
export const DUMP_CIPHER: usize = WORK_AT + 0x5000; // CIPHER_AREA_BYTES
export const DUMP_STAGE: usize = WORK_AT + 0x40000; // STAGE_AREA_BYTES
// Of two CPUs, beside the jobs [layout]: the scratch of the second, and what is compressed ahead of the writer.
export const SECOND_FOLD: usize = WORK_AT + 0x1c4000; // FOLD_BYTES
export const SECOND_TABLE: usize = WORK_AT + 0x1cc000; // LZ4_TABLE_BYTES
export const DUMP_PACKED: usize = WORK_AT + 0x1d0000; // CHUNK_BYTES each of JOB_OUTPUTS


@unmanaged
export class Dump {
  active: u32;
  step: u32;
  step_before: u32;
  disk: u32;
  path: u32;
  path_tried: u32;
  moving: u32; // the reservation must go to the other path
  attempt: u32;
  tried: u64; // bit a disk
  reason: u32;
  sequence: u32; // of messages
  beat: u32; // mailbox
  now: u64;
  failed_at: u64;
  limit_at: u64;
  limit_ms: u32; // as the NVRAM has it
  watchdog_ms: u32;
  reboot: u32;
  codec: u32;
  cipher: u32; // KEY_*
  write_blocks: u32;
  mailbox: u32; // disk number, as sealed; NO_DISK
  mailbox_path: u32;
  sealed: u32; // the seal vouches for `disk`
  started_at: u64;
  progress_at: u64;
  lend_until: u64;
  control_at: u64; // when the control command went out
  control_us: u64; // time that one takes, of late
  sq_rung: u32;
  cq_head: u32;
  control_busy: u32;
  control_disk: u32;
  control_tries: u32;
  header_copy: u32;
  header_sequence: u32;
  attribute: u32;
  cause: u32;
  close_cause: u32;
  dropping: u32;
  stop: u32; // the partner asked for an end
  arbiter_asked: u32; // the mailbox slot was written a second time
  walked: u32; // all chunks have been offered
  pending_chunk: u32; // + 1: to be offered again
  tables_told: u32; // table blocks written when progress was traced last
  cpus: u32; // 2: the second one helps
  clean_from: u32; // pages from here on
  clean_to: u32; // up to this one are not poisoned
  control_again_at: u64; // the disk is busy: the control command goes out anew then; 0: it does not
  end_again: u32; // the closing header goes to the other copy, too
}

// @ts-ignore: decorator
@inline
export function dump(): Dump {
  return changetype<Dump>(<usize>WORK_AT);
}
export function dump_walk(): Walk {
  return changetype<Walk>(WALK_AT);
}
