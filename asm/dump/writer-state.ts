/**
 * State of the dump writer, and its work area: batches, table blocks, scratch of the checksum. All of it lies in one
 * piece of WRITER_BYTES at an address that the caller gives, so that a panic handler can keep it out of what it dumps.
 * Commands leave through a submission ring that the caller has set up elsewhere.
 */
import { SQE_BYTES, SQE_PORT_AT, SQE_TAG_AT, SQE_TARGET_AT, SQE_TIMEOUT_MS_AT, TABLE_BYTES } from '../layout';
import { FOLD_BYTES } from '../bytes/fold';
import { LZ4_TABLE_BYTES } from '../bytes/lz4';
import { AEAD_SCRATCH_BYTES } from '../crypto/aead';

/**
 * Batches in flight, each at most BATCH_CHUNKS chunks: as many as the HBA's ring has entries for (writer_has_room), but
 * no more than there are stages for.
 */
export const BATCH_MAX: u32 = 8;
export const BATCH_CHUNKS: u32 = 16;
/** Where the compressed chunks of a batch lie until they are on the medium; and all of them, with LZ4's own table. */
export const STAGE_BYTES: u32 = 0x30000;
/** Key, nonce, additional data, scratch of the cipher. */
export const CIPHER_NONCE_AT: usize = 32;
export const CIPHER_AAD_AT: usize = 48;
export const CIPHER_SCRATCH_AT: usize = 64;
export const CIPHER_AREA_BYTES: u32 = 64 + AEAD_SCRATCH_BYTES;
export const STAGE_AREA_BYTES: u32 = BATCH_MAX * STAGE_BYTES + LZ4_TABLE_BYTES;
export const TABLE_MAX: u32 = 8;

/** Tags of the writer's commands: the kind, and the number of the batch or table block. */
export const TAG_BATCH: u32 = 0x100;
export const TAG_TABLE: u32 = 0x200;
export const TAG_KIND: u32 = 0xff00;

const BATCHES_AT: usize = 0x100;
const BATCH_BYTES: usize = 0x100;
const TABLE_STATES_AT: usize = 0x900;
const TABLE_STATE_BYTES: usize = 0x20;
const ENTRY_AT: usize = 0xa00;
const FOLD_AT: usize = 0x1000;
const TABLES_AT: usize = 0x8000;
/** Bytes of the writer's work area. */
export const WRITER_BYTES: u32 = 0x10000;


@unmanaged
export class Writer {
  // Where to: given by the caller.
  sq: u32; // address of the submission ring
  sq_mask: u32; // its entries - 1
  sq_tail: u32; // running count of entries put there
  target: u32;
  port: u32;
  system: u32;
  epoch: u32;
  table_room: u32; // table blocks there is room for
  table_lba: u64;
  image_lba: u64;
  image_blocks: u64;
  // Given at each step.
  now: u64; // us
  past_errors: u32; // last attempt: a chunk that cannot be written is lost, and the dump goes on
  hold: u32; // send nothing now: the path is being changed
  closing: u32; // no more chunks come
  timeout_ms: u32; // of each write; 0: the HBA's default
  // What came of it.
  in_flight: u32;
  failed: u32; // a write failed on the medium
  fenced: u32; // a write met a reservation conflict
  no_room: u32;
  path_dead: u32; // a write found nobody
  next_block: u32; // of the image
  table: u32; // running number of the next table block
  tables_written: u32;
  scanned: u32; // bytes looked at since the caller last cleared this
  summed: u32; // bytes checksummed, likewise
  table_close_at: u64; // us
  slowest_us: u64;
  stored_bytes: u64;
  zero: u32; // chunks
  stored: u32;
  lost: u32;
  // Given by the caller, too; all 0: raw chunks, and writes as large as batches are.
  codec: u32; // CODEC_LZ4: chunks are compressed where that saves a block
  stage: u32; // STAGE_AREA_BYTES of the caller's, for a codec or a mended chunk
  batch_blocks: u32; // the most blocks of a WRITE, at least those of a chunk
  // What came of it.
  packed: u32; // bytes compressed since the caller last cleared this
  poisoned: u32; // chunks left out
  recent_us: u64; // time that the disk took for a write of late, not counting those before it
  cipher: u32; // CIPHER_AREA_BYTES that begin with a key: chunks are encrypted; 0: they are not
  attempt: u32; // a part of each nonce
  pack_codec: u32; // of the chunk that was packed last
  sealed: u32; // bytes encrypted since the caller last cleared this
  mend: u32; // CHUNK_BYTES of the caller's, for chunks with poisoned pages; these need the stage, too
  mended: u32; // bytes copied there since the caller last cleared this
  poisoned_pages: u32; // pages missing in chunks that are stored or zero
  found: u32; // Found of the chunk that is offered, by another CPU; 0: none has looked at it
  busy_until: u64; // us: the disk takes no more, and nothing is sent again before
}

/** What is known of a chunk before it is offered. */
@unmanaged
export class Found {
  zero: u32; // 1: all of it is
  crc: u32; // of the chunk as it is in memory
  bytes: u32; // compressed; 0: it does not shrink by a block
  at: u32; // where these are
}

/** Chunks that go out in one WRITE, one after the other on the disk. */
@unmanaged
export class Batch {
  state: u32; // BATCH_*
  chunks: u32;
  block: u32; // of the image, first
  table: u32; // place of the table block that lists them
  entry: u32; // first entry there
  tries: u32;
  sent_at: u64;
  blocks: u32;
  stored: u32; // bytes of its chunks as they are stored
  staged: u32; // bytes of its stage that are taken
  count: u32; // segments
  depth: u32; // batches out when it was sent, itself among them
  segments: u64; // BATCH_CHUNKS of {address u32, bytes u32} from here on
}

/** A block of the chunk table on its way. */
@unmanaged
export class TableState {
  state: u32; // TABLE_*
  number: u32;
  pending: u32; // batches of it that are not on the medium yet
  tries: u32;
  stored: u32; // chunks in it that are not zero
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
export function writer_at(area: usize): Writer {
  return changetype<Writer>(area);
}
/** Null without one. */
// @ts-ignore: decorator
@inline
export function found_of(w: Writer): Found | null {
  return changetype<Found | null>(<usize>w.found);
}
// @ts-ignore: decorator
@inline
export function batch_at(area: usize, i: u32): Batch {
  return changetype<Batch>(area + BATCHES_AT + <usize>i * BATCH_BYTES);
}
export function batch_number(area: usize, batch: Batch): u32 {
  return <u32>((changetype<usize>(batch) - area - BATCHES_AT) / BATCH_BYTES);
}
export function segment_at(batch: Batch, n: u32): usize {
  return changetype<usize>(batch) + offsetof<Batch>('segments') + n * 8;
}
// @ts-ignore: decorator
@inline
export function table_state(area: usize, i: u32): TableState {
  return changetype<TableState>(area + TABLE_STATES_AT + <usize>i * TABLE_STATE_BYTES);
}
export function table_buffer(area: usize, i: u32): usize {
  return area + TABLES_AT + <usize>i * TABLE_BYTES;
}
export function stage_of(w: Writer, batch: u32): usize {
  return <usize>w.stage + <usize>batch * STAGE_BYTES;
}
export function stage_table(w: Writer): usize {
  return <usize>w.stage + <usize>BATCH_MAX * STAGE_BYTES;
}
/** Where an entry is built before it goes into the ring. */
export function entry_at(area: usize): usize {
  return area + ENTRY_AT;
}
export function fold_area(area: usize): usize {
  return area + FOLD_AT;
}

/**
 * The HBA's depth is the ring that it was given, and a completion ring as large has a place for each command that is
 * out: one more would overwrite what nobody has read. One entry is left to the caller, for a command of its own.
 */
export function writer_has_room(w: Writer): bool {
  return w.in_flight < w.sq_mask;
}

/** Puts the entry just built into the ring; the caller rings the doorbell. */
export function writer_send(area: usize, tag: u32): void {
  const w = writer_at(area);
  const entry = entry_at(area);
  store<u32>(entry + SQE_TAG_AT, tag);
  store<u16>(entry + SQE_TARGET_AT, <u16>w.target);
  store<u8>(entry + SQE_PORT_AT, <u8>w.port);
  store<u32>(entry + SQE_TIMEOUT_MS_AT, w.timeout_ms);
  memory.copy(<usize>w.sq + (w.sq_tail & w.sq_mask) * SQE_BYTES, entry, SQE_BYTES);
  w.sq_tail++;
  w.in_flight++;
}

/** The checksum's scratch fits between the entry and the table blocks. */
export function writer_fits(): bool {
  return (
    FOLD_AT + FOLD_BYTES <= TABLES_AT && TABLES_AT + <usize>TABLE_MAX * TABLE_BYTES <= <usize>WRITER_BYTES
  );
}
