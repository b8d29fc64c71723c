/**
 * The panic handler's work area: its state, its own rings, batches, table blocks. All of it is zero until a panic and
 * lies in one region, which therefore dumps as zero, as it was.
 */
import { SQE_BYTES, SQE_PORT_AT, SQE_TAG_AT, SQE_TARGET_AT, TABLE_BYTES } from '../asm/layout';
import { WORK_AT } from './layout';
import { Walk } from './order';

/** Entries in each ring. */
export const DUMP_RING: u32 = 64;
/** Batches in flight, each at most BATCH_CHUNKS chunks. */
export const BATCH_MAX: u32 = 8;
export const BATCH_CHUNKS: u32 = 16;
export const TABLE_MAX: u32 = 8;

export const TAG_BATCH: u32 = 0x100;
export const TAG_TABLE: u32 = 0x200;
export const TAG_CONTROL: u32 = 0x300;

const BATCHES_AT: usize = WORK_AT + 0x400;
const BATCH_BYTES: usize = 0x100;
const TABLE_STATES_AT: usize = WORK_AT + 0xc00;
const TABLE_STATE_BYTES: usize = 0x20;
export const DUMP_SQ: usize = WORK_AT + 0x1000;
export const DUMP_CQ: usize = WORK_AT + 0x2000;
export const DUMP_HEADER: usize = WORK_AT + 0x3000;
export const DUMP_MAIL: usize = WORK_AT + 0x4000;
export const DUMP_MESSAGE_OUT: usize = WORK_AT + 0x4400;
export const DUMP_MESSAGE_IN: usize = WORK_AT + 0x4600;
export const DUMP_LIST: usize = WORK_AT + 0x4800;
export const DUMP_FOLD: usize = WORK_AT + 0x18000; // FOLD_BYTES for checksums
const ENTRY_AT: usize = WORK_AT + 0x4a00;
const DATA_ENTRY_AT: usize = WORK_AT + 0x4b00;
const TABLES_AT: usize = WORK_AT + 0x8000;
export const DONE_AT: usize = WORK_AT + 0x10000; // a bit a chunk, 8 KiB for 4 GiB

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
  started_at: u64;
  progress_at: u64;
  lend_until: u64;
  slowest_us: u64;
  sq_tail: u32;
  sq_rung: u32;
  cq_head: u32;
  in_flight: u32;
  control_busy: u32;
  control_disk: u32;
  control_tries: u32;
  header_copy: u32;
  header_sequence: u32;
  attribute: u32;
  cause: u32;
  closing: u32;
  close_cause: u32;
  dropping: u32;
  fenced: u32;
  failed: u32; // a write failed on the medium
  no_room: u32;
  past_errors: u32; // last attempt: go on, the chunk is lost
  // image
  walk: u32; // 0 not at the end yet
  next_block: u32; // of the image
  pending_chunk: u32; // + 1: looked at but not placed
  table: u32; // running number of the open table block
  tables_written: u32;
  table_close_at: u64;
  zero: u32;
  stored: u32;
  lost: u32;
  stored_bytes: u64;
}

/** Chunks that go out in one WRITE, one after the other on the disk. */
@unmanaged
export class Batch {
  state: u32; // BATCH_*
  chunks: u32;
  block: u32; // of the image, first
  table: u32; // running number of the table block that lists them
  entry: u32; // first entry there
  tries: u32;
  sent_at: u64;
  segments: u64; // BATCH_CHUNKS of {address u32, bytes u32} from here on
}

/** A block of the chunk table on its way. */
@unmanaged
export class TableState {
  state: u32; // TABLE_*
  number: u32;
  pending: u32; // batches of it in flight or to be sent again
  tries: u32;
}

export const BATCH_FREE: u32 = 0;
export const BATCH_SENT: u32 = 1;
export const BATCH_AGAIN: u32 = 2;
export const BATCH_FILLING: u32 = 3;
export const TABLE_FREE: u32 = 0;
export const TABLE_OPEN: u32 = 1;
export const TABLE_CLOSED: u32 = 2; // full; waits for its batches
export const TABLE_SENT: u32 = 3;

// @ts-ignore: decorator
@inline
export function dump(): Dump {
  return changetype<Dump>(<usize>WORK_AT);
}
// @ts-ignore: decorator
@inline
export function batch_at(i: u32): Batch {
  return changetype<Batch>(BATCHES_AT + <usize>i * BATCH_BYTES);
}
export function segment_at(batch: Batch, n: u32): usize {
  return changetype<usize>(batch) + offsetof<Batch>('segments') + n * 8;
}
// @ts-ignore: decorator
@inline
export function table_state(i: u32): TableState {
  return changetype<TableState>(TABLE_STATES_AT + <usize>i * TABLE_STATE_BYTES);
}
export function table_buffer(i: u32): usize {
  return TABLES_AT + <usize>i * TABLE_BYTES;
}
export function dump_walk(): Walk {
  return changetype<Walk>(WORK_AT + 0x300);
}

/** Where a control command is built; it stays there to be sent again. */
export function dump_entry(): usize {
  return ENTRY_AT;
}
export function dump_data_entry(): usize {
  return DATA_ENTRY_AT;
}

/** Puts an entry into the ring; dump_flush rings the doorbell. */
export function dump_send(entry: usize, tag: u32, disk: u32, path: u32): void {
  const d = dump();
  store<u32>(entry + SQE_TAG_AT, tag);
  store<u16>(entry + SQE_TARGET_AT, <u16>disk);
  store<u8>(entry + SQE_PORT_AT, <u8>path);
  memory.copy(DUMP_SQ + <usize>(d.sq_tail & (DUMP_RING - 1)) * SQE_BYTES, entry, SQE_BYTES);
  d.sq_tail++;
  d.in_flight++;
}
