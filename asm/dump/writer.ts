/**
 * The dump writer: skips zero chunks, checksums the others, gathers them into writes straight from memory, and lists
 * them in table blocks that are written only after the chunks are on the medium. It allocates nothing and waits for
 * nothing: the caller offers chunks, rings the doorbell, and passes on what has completed.
 *
 *   writer_begin; then as often as wanted:
 *     writer_offer for each chunk, in the order in which it matters
 *     writer_step, then the doorbell up to Writer.sq_tail
 *     writer_done for each completion
 *   Writer.closing = 1, and on until writer_drained
 */
import {
  CHUNK_BYTES,
  CHUNK_POISONED,
  CODEC_LOST,
  CODEC_LZ4,
  CODEC_RAW,
  CODEC_SEALED,
  CODEC_ZERO,
  MISSING_POISONED,
  SECTOR_BYTES,
  TABLE_BLOCKS,
  TABLE_BYTES,
  TABLE_ENTRIES_AT,
  TABLE_ENTRY_BYTES,
} from '../layout';
import { crc32c } from '../bytes/crc32c';
import { fold_in } from '../bytes/fold';
import { is_zero } from '../bytes/zero';
import { cdb_write16, cdb_write16_list } from '../initiator/cdb';
import {
  OUTCOME_ATTENTION,
  OUTCOME_BUSY,
  OUTCOME_CONFLICT,
  OUTCOME_GOOD,
  OUTCOME_LOST,
  OUTCOME_PATH,
} from '../initiator/outcome';
import { PACK_FULL, PACK_RAW, blocks_of, mend, pack } from './pack';
import { table_append, table_begin, table_count, table_room as entries_left, table_seal } from './table';
import {
  BATCH_AGAIN,
  BATCH_CHUNKS,
  BATCH_FILLING,
  BATCH_FREE,
  BATCH_MAX,
  BATCH_SENT,
  Batch,
  TABLE_CLOSED,
  TABLE_FREE,
  TABLE_MAX,
  TABLE_OPEN,
  TABLE_SENT,
  TAG_BATCH,
  TAG_KIND,
  TAG_TABLE,
  TableState,
  Writer,
  batch_at,
  batch_number,
  entry_at,
  fold_area,
  found_of,
  segment_at,
  stage_of,
  table_buffer,
  table_state,
  writer_at,
  writer_fits,
  writer_has_room,
  writer_send,
} from './writer-state';

const BLOCKS_PER_CHUNK: u32 = CHUNK_BYTES / SECTOR_BYTES;
/**
 * A table block goes out after so long even if it is not full, so that a dump that is cut is of use up to there. The
 * first ones list the most important chunks and go out early: after one batch, then after two, four and eight, and no
 * more batches are in flight before, because the disk serves in order.
 */
const TABLE_US: u64 = 250000;
const EARLY_TABLES: u32 = 3;
const TRIES_MAX: u32 = 4;
/** A disk that is busy, or whose task set is full, is left alone for so long. */
const BUSY_US: u64 = 10000;
const NONE: u32 = 0xffffffff;
/** CRC32C of a chunk of zeros. */
const ZERO_CRC: u32 = 0x72c0c4a4;

/**
 * Starts an image over. Ring, target, port, system, epoch and places are the caller's to set; sq_tail and in_flight go
 * on counting.
 */
export function writer_begin(area: usize, pastErrors: bool): void {
  assert(writer_fits());
  fold_in(fold_area(area));
  const w = writer_at(area);
  w.past_errors = pastErrors ? 1 : 0;
  w.hold = w.closing = w.failed = w.fenced = w.no_room = w.path_dead = 0;
  w.next_block = w.table = w.tables_written = w.scanned = w.summed = 0;
  w.zero = w.stored = w.lost = w.packed = w.sealed = w.mended = w.poisoned = w.poisoned_pages = 0;
  w.stored_bytes = w.recent_us = w.busy_until = 0;
  for (let i: u32 = 0; i < BATCH_MAX; i++) batch_at(area, i).state = BATCH_FREE;
  for (let i: u32 = 0; i < TABLE_MAX; i++) table_state(area, i).state = TABLE_FREE;
}

/** Nothing is open, waiting or in flight. */
export function writer_drained(area: usize): bool {
  for (let i: u32 = 0; i < BATCH_MAX; i++) if (batch_at(area, i).state != BATCH_FREE) return false;
  for (let i: u32 = 0; i < TABLE_MAX; i++) if (table_state(area, i).state != TABLE_FREE) return false;
  return true;
}

/**
 * Offers a chunk; it lies at chunk * CHUNK_BYTES. `asZero`: it counts as zero without a look. `poison` has a bit for
 * each page of it that must not be touched. False when it must be offered again, because all batches are
 * in flight, or when the image is full (no_room).
 */
export function writer_offer(area: usize, chunk: u32, asZero: bool, poison: u32): bool {
  const w = writer_at(area);
  // Nothing of it, or no place for a copy without these pages.
  const isNone = poison == CHUNK_POISONED || (poison && (!w.mend || !w.stage));
  if (isNone) return writer_leave_out(area, chunk, MISSING_POISONED);
  const table = open_table(area, w);
  if (table == NONE) return false;
  const lies = <usize>chunk * CHUNK_BYTES;
  const at = poison ? mend(w, lies, poison) : lies;
  if (!asZero) w.scanned += CHUNK_BYTES;
  if (asZero || zero_of(w, at)) {
    table_append(table_buffer(area, table), chunk, CODEC_ZERO, 0, 0, ZERO_CRC, poison);
    w.zero++;
    w.poisoned_pages += popcnt<u32>(poison);
    return true;
  }
  const number = filling_batch(area, w, table);
  if (number == NONE) return false;
  const batch = batch_at(area, number);
  const packed = pack(area, w, batch, chunk, at, poison);
  const bytes = packed == PACK_RAW ? <u32>CHUNK_BYTES : packed;
  const blocks = blocks_of(bytes);
  if (packed == PACK_FULL || batch.blocks + blocks > batch_room(w)) {
    send_batch(area, batch); // full: the chunk goes into the next one
    return false;
  }
  if (<u64>w.next_block + blocks > w.image_blocks) {
    w.no_room = 1;
    return false;
  }
  // A checksum of what is encrypted would tell what it is, to whoever can guess it: it is of what goes to the disk.
  const isSealed = (w.pack_codec & CODEC_SEALED) != 0;
  const summed = isSealed ? bytes : <u32>CHUNK_BYTES;
  const crc = isSealed ? crc32c(0, stage_of(w, number) + batch.staged, summed) : sum_of(w, at);
  w.summed += summed;
  table_append(table_buffer(area, table), chunk, w.pack_codec, bytes, w.next_block, crc, poison);
  w.poisoned_pages += popcnt<u32>(poison);
  w.next_block += blocks;
  table_state(area, table).stored++;
  batch.stored += bytes;
  if (packed == PACK_RAW) gather(area, w, batch, <u32>at, CHUNK_BYTES);
  else {
    const from = <u32>stage_of(w, number) + batch.staged;
    batch.staged += blocks * SECTOR_BYTES;
    gather(area, w, batch, from, blocks * SECTOR_BYTES);
  }
  return true;
}

function zero_of(w: Writer, at: usize): bool {
  if (ASC_FEATURE_THREADS) {
    const found = found_of(w);
    if (found) return found.zero != 0;
  }
  return is_zero(at, CHUNK_BYTES);
}

function sum_of(w: Writer, at: usize): u32 {
  if (ASC_FEATURE_THREADS) {
    const found = found_of(w);
    if (found) return found.crc;
  }
  return crc32c(0, at, CHUNK_BYTES);
}

/**
 * Lists a chunk that must not be touched: `reason` is MISSING_*. False when it must be offered again.
 */
export function writer_leave_out(area: usize, chunk: u32, reason: u32): bool {
  const w = writer_at(area);
  const table = open_table(area, w);
  if (table == NONE) return false;
  table_append(table_buffer(area, table), chunk, CODEC_LOST, 0, reason, 0, 0);
  w.poisoned++;
  return true;
}

/** Blocks that one WRITE may have. */
function batch_room(w: Writer): u32 {
  const most = BATCH_CHUNKS * BLOCKS_PER_CHUNK;
  return w.batch_blocks ? min<u32>(w.batch_blocks, most) : most;
}

/** The table block that is being filled, or a new one; NONE while all are on their way. */
function open_table(area: usize, w: Writer): u32 {
  let free = NONE;
  for (let i: u32 = 0; i < TABLE_MAX; i++) {
    const state = table_state(area, i);
    if (state.state == TABLE_OPEN) {
      const early = state.number < EARLY_TABLES && state.stored >= BATCH_CHUNKS << state.number;
      if (entries_left(table_buffer(area, i)) && !early) return i;
      close_table(area, i);
      return NONE;
    }
    if (state.state == TABLE_FREE) free = i;
  }
  if (w.table >= w.table_room) w.no_room = 1;
  if (free == NONE || w.table >= w.table_room) return NONE;
  const state = table_state(area, free);
  state.state = TABLE_OPEN;
  w.table_close_at = w.now + TABLE_US;
  state.number = w.table++;
  state.pending = 0;
  state.tries = 0;
  state.stored = 0;
  table_begin(table_buffer(area, free), state.number, w.system, w.epoch);
  return free;
}

/** The batch that is being filled for the open table block, or a new one; NONE while all are in flight. */
function filling_batch(area: usize, w: Writer, table: u32): u32 {
  let free = NONE;
  let busy: u32 = 0;
  for (let i: u32 = 0; i < BATCH_MAX; i++) {
    if (batch_at(area, i).state == BATCH_FILLING) return i;
    if (batch_at(area, i).state == BATCH_FREE) free = i;
    else busy++;
  }
  if (free == NONE || busy >= (<u32>1) << min<u32>(w.tables_written, EARLY_TABLES)) return NONE;
  const batch = batch_at(area, free);
  batch.state = BATCH_FILLING;
  batch.chunks = batch.blocks = batch.stored = batch.staged = batch.count = 0;
  batch.block = w.next_block;
  batch.table = table;
  batch.entry = table_count(table_buffer(area, table));
  batch.tries = 0;
  table_state(area, table).pending++;
  return free;
}

/** Adds a piece of memory; one that follows the last makes that longer. */
function gather(area: usize, w: Writer, batch: Batch, address: u32, bytes: u32): void {
  batch.chunks++;
  batch.blocks += bytes / SECTOR_BYTES;
  const last = batch.count ? segment_at(batch, batch.count - 1) : 0;
  // An end of 0 is that of a memory of 4 GiB, and no beginning.
  if (last && address && load<u32>(last) + load<u32>(last + 4) == address) {
    store<u32>(last + 4, load<u32>(last + 4) + bytes);
  } else {
    const segment = segment_at(batch, batch.count++);
    store<u32>(segment, address);
    store<u32>(segment + 4, bytes);
  }
  if (batch.chunks == BATCH_CHUNKS || batch.blocks >= batch_room(w)) send_batch(area, batch);
}

function send_batch(area: usize, batch: Batch): void {
  const w = writer_at(area);
  batch.state = BATCH_AGAIN; // as soon as the ring has room
  if (!writer_has_room(w)) return;
  batch.state = BATCH_SENT;
  batch.sent_at = w.now;
  batch.depth = writer_out(area);
  cdb_write16_list(
    entry_at(area),
    w.image_lba + batch.block,
    batch.blocks,
    true,
    segment_at(batch, 0),
    batch.count,
    batch.blocks * SECTOR_BYTES,
  );
  writer_send(area, TAG_BATCH | batch_number(area, batch));
}

/**
 * Sends again what came back for no fault of the disk, closes a table block that is old or the last, and sends one
 * whose chunks are all on the medium.
 */
export function writer_step(area: usize): void {
  const w = writer_at(area);
  if (w.hold) return;
  const isBusy = w.now < w.busy_until;
  for (let i: u32 = 0; i < BATCH_MAX; i++) {
    if (batch_at(area, i).state == BATCH_AGAIN && !isBusy) send_batch(area, batch_at(area, i));
  }
  for (let i: u32 = 0; i < TABLE_MAX; i++) {
    const state = table_state(area, i);
    if (state.state == TABLE_OPEN && (w.closing || w.now >= w.table_close_at)) {
      if (table_count(table_buffer(area, i))) close_table(area, i);
      else if (w.closing) {
        close_table(area, i); // a batch may have been opened for it, and no chunk was put in
        state.state = TABLE_FREE;
      }
    }
    if (state.state == TABLE_CLOSED && !state.pending && !isBusy && writer_has_room(w))
      send_table(area, w, i);
  }
}

function close_table(area: usize, table: u32): void {
  for (let i: u32 = 0; i < BATCH_MAX; i++) {
    const batch = batch_at(area, i);
    if (batch.state != BATCH_FILLING) continue;
    if (batch.chunks) send_batch(area, batch);
    else settle(area, batch);
  }
  table_state(area, table).state = TABLE_CLOSED;
}

function send_table(area: usize, w: Writer, i: u32): void {
  const state = table_state(area, i);
  const buf = table_buffer(area, i);
  table_seal(buf);
  state.state = TABLE_SENT;
  cdb_write16(
    entry_at(area),
    w.table_lba + state.number * TABLE_BLOCKS,
    TABLE_BLOCKS,
    true,
    buf,
    TABLE_BYTES,
  );
  writer_send(area, TAG_TABLE | i);
}

/** A command of the writer has completed: its tag and its OUTCOME_*. False when the tag is not the writer's. */
export function writer_done(area: usize, tag: u32, outcome: u32): bool {
  const w = writer_at(area);
  const kind = tag & TAG_KIND;
  const i = tag & 0xff;
  const isBatch = kind == TAG_BATCH && i < BATCH_MAX;
  if (!isBatch && (kind != TAG_TABLE || i >= TABLE_MAX)) return false;
  w.in_flight--;
  if (outcome == OUTCOME_BUSY) w.busy_until = w.now + BUSY_US;
  if (outcome == OUTCOME_PATH) w.path_dead = 1;
  if (outcome == OUTCOME_CONFLICT) w.fenced = 1;
  if (isBatch) batch_done(area, w, batch_at(area, i), outcome);
  else table_done(area, w, table_state(area, i), table_buffer(area, i), outcome);
  return true;
}

/** Nothing but time or another path is needed. */
function again(outcome: u32): bool {
  return (
    outcome == OUTCOME_ATTENTION ||
    outcome == OUTCOME_BUSY ||
    outcome == OUTCOME_PATH ||
    outcome == OUTCOME_LOST
  );
}

/** A disk that does not answer twice does not answer. */
function tries_of(outcome: u32): u32 {
  return outcome == OUTCOME_LOST ? 1 : TRIES_MAX;
}

function batch_done(area: usize, w: Writer, batch: Batch, outcome: u32): void {
  if (batch.state != BATCH_SENT) return;
  if (outcome == OUTCOME_GOOD) {
    const took = w.now - batch.sent_at;
    w.slowest_us = max<u64>(w.slowest_us, took);
    w.recent_us = max<u64>(took / batch.depth, w.recent_us - w.recent_us / 8);
    w.stored += batch.chunks;
    w.stored_bytes += batch.stored;
    return settle(area, batch);
  }
  if (again(outcome) && batch.tries < tries_of(outcome)) {
    batch.tries++;
    batch.state = BATCH_AGAIN;
    return;
  }
  if (w.past_errors) return lose(area, w, batch);
  w.failed = 1;
  settle(area, batch);
}

/** Batches that are out. */
export function writer_out(area: usize): u32 {
  let out: u32 = 0;
  for (let i: u32 = 0; i < BATCH_MAX; i++) if (batch_at(area, i).state == BATCH_SENT) out++;
  return out;
}

/** For how long the oldest write has been out, us; 0 with none. */
export function writer_oldest(area: usize): u64 {
  const w = writer_at(area);
  let oldest: u64 = 0;
  for (let i: u32 = 0; i < BATCH_MAX; i++) {
    const batch = batch_at(area, i);
    if (batch.state == BATCH_SENT) oldest = max<u64>(oldest, w.now - batch.sent_at);
  }
  return oldest;
}

function settle(area: usize, batch: Batch): void {
  batch.state = BATCH_FREE;
  table_state(area, batch.table).pending--;
}

/** The last attempt goes past errors: these chunks are listed as lost, which is never read as zero. */
function lose(area: usize, w: Writer, batch: Batch): void {
  const buf = table_buffer(area, batch.table);
  const entries = buf + TABLE_ENTRIES_AT;
  // Zero chunks, and such as were left out, stand between those of the batch; the codec tells which are ours.
  let left = batch.chunks;
  for (let n = batch.entry; left && n < table_count(buf); n++) {
    const entry = entries + n * TABLE_ENTRY_BYTES;
    const codec = (load<u32>(entry + 4) >> 24) & ~CODEC_SEALED;
    if (codec != CODEC_RAW && codec != CODEC_LZ4) continue;
    w.poisoned_pages -= popcnt<u32>(load<u16>(entry, 2));
    store<u16>(entry, 0, 2); // all of it is missing
    store<u32>(entry + 4, CODEC_LOST << 24);
    store<u32>(entry + 8, 0);
    store<u32>(entry + 12, 0);
    left--;
  }
  w.lost += batch.chunks;
  settle(area, batch);
}

function table_done(area: usize, w: Writer, state: TableState, buf: usize, outcome: u32): void {
  if (state.state != TABLE_SENT) return;
  if (outcome == OUTCOME_GOOD) {
    state.state = TABLE_FREE;
    w.tables_written++;
    return;
  }
  if (again(outcome) && state.tries < tries_of(outcome)) {
    state.tries++;
    state.state = TABLE_CLOSED; // goes out again
    return;
  }
  if (!w.past_errors) w.failed = 1;
  else unlist(w, buf);
  state.state = TABLE_FREE;
}

/** Chunks that nobody will find: they are lost, and no longer what they were counted as before. */
function unlist(w: Writer, buf: usize): void {
  for (let n: u32 = 0; n < table_count(buf); n++) {
    const entry = buf + TABLE_ENTRIES_AT + n * TABLE_ENTRY_BYTES;
    const codec = (load<u32>(entry + 4) >> 24) & ~CODEC_SEALED;
    if (codec == CODEC_LOST && load<u32>(entry + 8) != MISSING_POISONED) continue; // counted already
    if (codec == CODEC_LOST) w.poisoned--;
    else if (codec == CODEC_ZERO) w.zero--;
    else w.stored--;
    if (codec != CODEC_LOST) w.poisoned_pages -= popcnt<u32>(load<u16>(entry, 2));
    w.lost++;
  }
}
