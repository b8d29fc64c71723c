/**
 * The dump writer: skips zero chunks, checksums the others, gathers them into writes straight from RAM, and lists them
 * in table blocks that are written only after the chunks are on the medium. A bounded amount of work a cycle.
 */
import {
  CHUNK_BYTES,
  CODEC_LOST,
  CODEC_RAW,
  CODEC_ZERO,
  DATA_LBA,
  SECTOR_BYTES,
  TABLE_BLOCKS,
  TABLE_BYTES,
  TABLE_ENTRIES_AT,
  TABLE_ENTRY_BYTES,
} from '../asm/layout';
import { crc32c } from '../asm/bytes/crc32c';
import { is_zero } from '../asm/bytes/zero';
import { table_append, table_begin, table_count, table_room as entries_left, table_seal } from '../asm/dump/table';
import { cdb_write16 } from '../asm/initiator/cdb';
import { OUTCOME_ATTENTION, OUTCOME_BUSY, OUTCOME_GOOD, OUTCOME_PATH } from '../asm/initiator/outcome';
import { hba_doorbell, timer_work, trace_event } from './board';
import {
  BATCH_AGAIN,
  BATCH_CHUNKS,
  BATCH_FILLING,
  BATCH_FREE,
  BATCH_MAX,
  BATCH_SENT,
  Batch,
  DONE_AT,
  TABLE_CLOSED,
  TABLE_FREE,
  TABLE_MAX,
  TABLE_OPEN,
  TABLE_SENT,
  TAG_BATCH,
  TAG_TABLE,
  batch_at,
  dump,
  dump_data_entry,
  dump_send,
  dump_walk,
  segment_at,
  table_buffer,
  table_state,
} from './dump-state';
import { EV_DUMP_PROGRESS, WORK_COMMAND, WORK_CRC, WORK_SCAN } from './layout';
import { core, disk_at } from './memory';
import { ORDER_END, ORDER_LATER, is_work_area, walk_begin, walk_next } from './order';
import { image_blocks, image_lba, table_room } from './spare';

/** Chunks looked at in one cycle: what the CPU can scan and checksum in it. */
const CHUNKS_PER_CYCLE: u32 = 4;
const BLOCKS_PER_CHUNK: u32 = CHUNK_BYTES / SECTOR_BYTES;
/** A table block goes out after so long even if it is not full, so that a dump that is cut is of use up to there. */
const TABLE_US: u64 = 250000;
const TRIES_MAX: u32 = 4;
const NONE: u32 = 0xffffffff;

/** Starts the image over, on another disk or the first time. */
export function dump_restart(pastErrors: bool): void {
  const d = dump();
  d.past_errors = pastErrors ? 1 : 0;
  d.failed = d.no_room = d.closing = d.moving = 0;
  d.walk = d.next_block = d.pending_chunk = d.table = d.tables_written = 0;
  d.zero = d.stored = d.lost = 0;
  d.stored_bytes = 0;
  for (let i: u32 = 0; i < BATCH_MAX; i++) batch_at(i).state = BATCH_FREE;
  for (let i: u32 = 0; i < TABLE_MAX; i++) table_state(i).state = TABLE_FREE;
  memory.fill(DONE_AT, 0, 0x2000);
  walk_begin(dump_walk(), <u32>DONE_AT);
}

/** All chunks are dumped and listed. */
export function dump_drained(): bool {
  const d = dump();
  if (!d.walk && !d.closing) return false;
  for (let i: u32 = 0; i < BATCH_MAX; i++) if (batch_at(i).state != BATCH_FREE) return false;
  for (let i: u32 = 0; i < TABLE_MAX; i++) if (table_state(i).state != TABLE_FREE) return false;
  return true;
}

/** A cycle's worth of chunks. */
export function dump_fill(): void {
  const d = dump();
  let scanned: u32 = 0;
  let summed: u32 = 0;
  for (let n: u32 = 0; n < CHUNKS_PER_CYCLE && !d.walk && !d.closing; n++) {
    const table = open_table();
    if (table == NONE) break;
    const chunk = next_chunk();
    if (chunk == ORDER_LATER) break;
    if (chunk == ORDER_END) {
      d.walk = 1;
      break;
    }
    const at = <usize>chunk * CHUNK_BYTES;
    const work = is_work_area(chunk); // was zero when memory was frozen; what is there now is the dump's own
    if (!work) scanned += CHUNK_BYTES;
    if (work || is_zero(at, CHUNK_BYTES)) {
      table_append(table_buffer(table), chunk, CODEC_ZERO, 0, 0, zero_crc());
      d.zero++;
      continue;
    }
    const batch = filling_batch(table);
    if (batch == NONE) {
      d.pending_chunk = chunk + 1;
      break;
    }
    if (<u64>d.next_block + BLOCKS_PER_CHUNK > image_blocks(disk_at(d.disk))) {
      d.no_room = 1;
      break;
    }
    summed += CHUNK_BYTES;
    table_append(table_buffer(table), chunk, CODEC_RAW, CHUNK_BYTES, d.next_block, crc32c(0, at, CHUNK_BYTES));
    gather(batch_at(batch), <u32>at);
    d.next_block += BLOCKS_PER_CHUNK;
  }
  if (scanned) timer_work(WORK_SCAN, scanned);
  if (summed) timer_work(WORK_CRC, summed);
  close_when_due();
}

function next_chunk(): u32 {
  const d = dump();
  if (!d.pending_chunk) return walk_next(dump_walk());
  const chunk = d.pending_chunk - 1;
  d.pending_chunk = 0;
  return chunk;
}

/** CRC32C of a chunk of zeros. */
function zero_crc(): u32 {
  return 0x72c0c4a4;
}

/** The table block that is being filled, or a new one; NONE while all are on their way. */
function open_table(): u32 {
  const d = dump();
  let free = NONE;
  for (let i: u32 = 0; i < TABLE_MAX; i++) {
    const state = table_state(i);
    if (state.state == TABLE_OPEN) {
      if (entries_left(table_buffer(i))) return i;
      close_table(i);
      return NONE;
    }
    if (state.state == TABLE_FREE) free = i;
  }
  if (free == NONE || d.table >= table_room()) {
    if (d.table >= table_room()) d.no_room = 1;
    return NONE;
  }
  const state = table_state(free);
  state.state = TABLE_OPEN;
  state.number = d.table++;
  state.pending = 0;
  state.tries = 0;
  d.table_close_at = d.now + TABLE_US;
  table_begin(table_buffer(free), state.number, core().system, core().epoch);
  return free;
}

/** The batch that is being filled for this table block, or a new one; NONE while all are in flight. */
function filling_batch(table: u32): u32 {
  const d = dump();
  let free = NONE;
  for (let i: u32 = 0; i < BATCH_MAX; i++) {
    if (batch_at(i).state == BATCH_FILLING) return i;
    if (batch_at(i).state == BATCH_FREE) free = i;
  }
  if (free == NONE) return free;
  const batch = batch_at(free);
  batch.state = BATCH_FILLING;
  batch.chunks = 0;
  batch.block = d.next_block;
  batch.table = table;
  batch.entry = table_count(table_buffer(table));
  batch.tries = 0;
  table_state(table).pending++;
  return free;
}

function gather(batch: Batch, address: u32): void {
  const segment = segment_at(batch, batch.chunks++);
  store<u32>(segment, address);
  store<u32>(segment + 4, CHUNK_BYTES);
  if (batch.chunks == BATCH_CHUNKS) send_batch(batch);
}

function send_batch(batch: Batch): void {
  const d = dump();
  const i = <u32>((changetype<usize>(batch) - changetype<usize>(batch_at(0))) / 0x100);
  batch.state = BATCH_SENT;
  batch.sent_at = d.now;
  const blocks = batch.chunks * BLOCKS_PER_CHUNK;
  const bytes = batch.chunks * CHUNK_BYTES;
  const entry = dump_data_entry();
  cdb_write16(entry, image_lba() + batch.block, blocks, true, segment_at(batch, 0), bytes, batch.chunks);
  dump_send(entry, TAG_BATCH | i, d.disk, d.path);
}

/** Closes a table block that is full, old, or the last; sends one whose chunks are all on the medium. */
function close_when_due(): void {
  const d = dump();
  const last = d.walk != 0 || d.closing != 0;
  for (let i: u32 = 0; i < TABLE_MAX; i++) {
    const state = table_state(i);
    if (state.state == TABLE_OPEN && (last || d.now >= d.table_close_at)) {
      if (table_count(table_buffer(i))) close_table(i);
      else if (last) state.state = TABLE_FREE;
    }
    if (state.state == TABLE_CLOSED && !state.pending && !d.moving) send_table(i);
  }
}

function close_table(table: u32): void {
  for (let i: u32 = 0; i < BATCH_MAX; i++) {
    const batch = batch_at(i);
    if (batch.state != BATCH_FILLING || batch.table != table) continue;
    if (batch.chunks) send_batch(batch);
    else {
      batch.state = BATCH_FREE;
      table_state(table).pending--;
    }
  }
  table_state(table).state = TABLE_CLOSED;
}

function send_table(i: u32): void {
  const d = dump();
  const state = table_state(i);
  const buf = table_buffer(i);
  table_seal(buf);
  state.state = TABLE_SENT;
  const entry = dump_data_entry();
  cdb_write16(entry, <u64>DATA_LBA + state.number * TABLE_BLOCKS, TABLE_BLOCKS, true, buf, TABLE_BYTES);
  dump_send(entry, TAG_TABLE | i, d.disk, d.path);
}

export function dump_batch_done(i: u32, outcome: u32): void {
  const d = dump();
  const batch = batch_at(i);
  if (batch.state != BATCH_SENT) return;
  if (outcome == OUTCOME_GOOD) {
    d.slowest_us = max<u64>(d.slowest_us, d.now - batch.sent_at);
    d.stored += batch.chunks;
    d.stored_bytes += <u64>batch.chunks * CHUNK_BYTES;
    return settle(batch);
  }
  if (again(outcome) && batch.tries < TRIES_MAX) {
    batch.tries++;
    batch.state = BATCH_AGAIN;
    return;
  }
  if (!d.past_errors) {
    d.failed = 1;
    return settle(batch);
  }
  lose(batch);
}

/** Nothing but time or another path is needed. */
function again(outcome: u32): bool {
  return outcome == OUTCOME_ATTENTION || outcome == OUTCOME_BUSY || (outcome == OUTCOME_PATH && dump().moving != 0);
}

function settle(batch: Batch): void {
  batch.state = BATCH_FREE;
  table_state(batch.table).pending--;
}

/** The last attempt goes past errors: these chunks are listed as lost, which is never read as zero. */
function lose(batch: Batch): void {
  const d = dump();
  const entries = table_buffer(batch.table) + TABLE_ENTRIES_AT;
  // Zero chunks stand between those of the batch: the image block tells which are ours.
  let left = batch.chunks;
  for (let n = batch.entry; left && n < table_count(table_buffer(batch.table)); n++) {
    const entry = entries + n * TABLE_ENTRY_BYTES;
    if (load<u32>(entry + 4) >> 24 != CODEC_RAW) continue;
    store<u32>(entry + 4, CODEC_LOST << 24);
    store<u32>(entry + 8, 0);
    store<u32>(entry + 12, 0);
    left--;
  }
  d.lost += batch.chunks;
  settle(batch);
}

export function dump_table_done(i: u32, outcome: u32): void {
  const d = dump();
  const state = table_state(i);
  if (state.state != TABLE_SENT) return;
  if (outcome == OUTCOME_GOOD) {
    state.state = TABLE_FREE;
    d.tables_written++;
    trace_event(EV_DUMP_PROGRESS, d.disk, d.zero + d.stored + d.lost, 0);
    return;
  }
  if (again(outcome) && state.tries < TRIES_MAX) {
    state.tries++;
    state.state = TABLE_CLOSED; // goes out again
    return;
  }
  if (!d.past_errors) d.failed = 1;
  else d.lost += table_count(table_buffer(i)); // chunks that nobody will find
  state.state = TABLE_FREE;
}

/** Sends again what came back for no fault of the disk. */
export function dump_resend(): void {
  for (let i: u32 = 0; i < BATCH_MAX; i++) {
    if (batch_at(i).state == BATCH_AGAIN) send_batch(batch_at(i));
  }
}

/** Rings the doorbell once for all that this cycle sent. */
export function dump_flush(): void {
  const d = dump();
  if (d.sq_tail == d.sq_rung) return;
  timer_work(WORK_COMMAND, d.sq_tail - d.sq_rung);
  d.sq_rung = d.sq_tail;
  hba_doorbell(d.sq_tail);
}
