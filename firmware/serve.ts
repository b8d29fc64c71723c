/**
 * The volume service: clients' reads and writes of the volumes this board serves, through a cache in RAM. A write is
 * acknowledged when the disk has it on its medium, never before.
 *
 * [SBC-3] 5.8 to 5.15 READ, 5.29 to 5.33 WRITE · [SPC-4] 4.5.6 sense keys
 */
import {
  REQUEST_BYTES,
  REQUEST_CDB_AT,
  REQUEST_DATA_BYTES_AT,
  REQUEST_LUN_AT,
  REQUEST_TAG_AT,
  SECTOR_BYTES,
} from '../asm/layout';
import { load_be16, load_be32, load_be64 } from '../asm/bytes/endian';
import { cdb_read16, cdb_write16 } from '../asm/initiator/cdb';
import { OUTCOME_CONFLICT, OUTCOME_GOOD } from '../asm/initiator/outcome';
import { port_claim, port_fetch, port_poll, port_release, port_reply, timer_work } from './board';
import { cache_find, cache_forget, cache_place, page_mask } from './cache';
import { NO_COMMAND, command_new, command_room, command_send, entry_of } from './command';
import { fence } from './fence';
import {
  BOARD_FENCED,
  CACHE_LINE_BYTES,
  EV_SERVE,
  EV_UNSERVE,
  REQUESTS_AT,
  REQUEST_MAX,
  VOLUME_MAX,
  WORK_COPY,
} from './layout';
import { HELD_ME, cache_at, cache_line, command_at, core, disk_at, volume_at } from './memory';
import { trace } from './trace';

export const KIND_SERVE: u32 = 0x4000;
const READ: u32 = KIND_SERVE;
const WRITE: u32 = KIND_SERVE + 1;
/** Requests taken in one cycle. */
const REQUESTS_PER_CYCLE: u32 = 16;
/** Slots kept for heartbeats and the takeover. */
const SLOT_MARGIN: u32 = 128;

const GOOD: u32 = 0x00;
const CHECK_CONDITION: u32 = 0x02;
/** Sense key << 16 | ASC << 8 | ASCQ, [SPC-4] annex F */
const NOT_SERVED: u32 = 0x020400; // LOGICAL UNIT NOT READY, CAUSE NOT REPORTABLE
const READ_ERROR: u32 = 0x031100; // UNRECOVERED READ ERROR
const WRITE_ERROR: u32 = 0x030c00; // WRITE ERROR
const BAD_OPCODE: u32 = 0x052000; // INVALID COMMAND OPERATION CODE
const BAD_RANGE: u32 = 0x052100; // LOGICAL BLOCK ADDRESS OUT OF RANGE
const BAD_FIELD: u32 = 0x052400; // INVALID FIELD IN CDB

export function serve_begin(volume: u32): void {
  const v = volume_at(volume);
  if (v.serving) return;
  v.serving = 1;
  core().serving++;
  cache_forget(volume); // what we knew of it may be from before somebody else wrote
  port_claim(volume, 1);
  trace(EV_SERVE, volume, v.disk);
}

export function serve_end(volume: u32): void {
  const v = volume_at(volume);
  if (!v.serving) return;
  v.serving = 0;
  core().serving--;
  port_claim(volume, 0);
  trace(EV_UNSERVE, volume, v.disk);
}

export function serve_end_all(): void {
  for (let v: u32 = 0; v < VOLUME_MAX; v++) serve_end(v);
}

/** Takes requests from the ring, in order. One that must wait (its cache line is busy) keeps those behind it waiting. */
export function serve(): void {
  const c = core();
  const posted = port_poll();
  if (posted == c.request_head) return;
  for (let n: u32 = 0; n < REQUESTS_PER_CYCLE && c.request_head != posted; n++) {
    const request = <usize>REQUESTS_AT + (c.request_head & (REQUEST_MAX - 1)) * REQUEST_BYTES;
    if (!take(request)) {
      // A completion will free what it waits for, and wakes us.
      if (!c.in_flight) c.wake_at = c.now;
      port_release(c.request_head);
      return;
    }
    c.request_head++;
  }
  port_release(c.request_head);
  if (c.request_head != posted) c.wake_at = c.now;
}

/** False when it must be tried again later. */
function take(request: usize): bool {
  const tag = load<u32>(request + REQUEST_TAG_AT);
  const lun = load<u32>(request + REQUEST_LUN_AT);
  const cdb = request + REQUEST_CDB_AT;
  if (core().state == BOARD_FENCED || lun >= VOLUME_MAX || !volume_at(lun).serving)
    return refuse(tag, NOT_SERVED);
  const opcode = load<u8>(cdb);
  const long = opcode == 0x88 || opcode == 0x8a;
  if (!long && opcode != 0x28 && opcode != 0x2a) return refuse(tag, BAD_OPCODE);
  const lba = long ? load_be64(cdb + 2) : <u64>load_be32(cdb + 2);
  const blocks = long ? load_be32(cdb + 10) : load_be16(cdb + 7);
  const volume = volume_at(lun);
  if (lba >= volume.blocks || blocks > volume.blocks - lba) return refuse(tag, BAD_RANGE);
  if (!blocks) return reply_good(tag);
  const line = <u32>(lba / BLOCKS_PER_LINE);
  const first = <u32>(lba % BLOCKS_PER_LINE);
  if (first + blocks > BLOCKS_PER_LINE) return refuse(tag, BAD_FIELD); // the port announces 64 KiB, aligned, at most
  const isWrite = opcode == 0x8a || opcode == 0x2a;
  if (isWrite && load<u32>(request + REQUEST_DATA_BYTES_AT) != blocks * SECTOR_BYTES)
    return refuse(tag, BAD_FIELD);
  if (!command_room(SLOT_MARGIN)) return false;
  return isWrite ? write(tag, lun, line, first, blocks) : read(tag, lun, line, first, blocks);
}
const BLOCKS_PER_LINE: u32 = CACHE_LINE_BYTES / SECTOR_BYTES;

function refuse(tag: u32, sense: u32): bool {
  port_reply(tag, CHECK_CONDITION, sense, 0, 0);
  return true;
}

function reply_good(tag: u32): bool {
  port_reply(tag, GOOD, 0, 0, 0);
  return true;
}

/** The line of the cache for this extent, found or made; NO_LINE while it, or all that could be, are busy. */
function line_for(lun: u32, line: u32): u32 {
  let entry = cache_find(lun, line);
  if (entry == NO_LINE) entry = cache_place(lun, line);
  return entry == NO_LINE || cache_at(entry).busy ? NO_LINE : entry;
}

function read(tag: u32, lun: u32, line: u32, first: u32, blocks: u32): bool {
  const entry = line_for(lun, line);
  if (entry == NO_LINE) return false;
  const e = cache_at(entry);
  if (e.heat < 15) e.heat++;
  const data = cache_line(entry) + first * SECTOR_BYTES;
  const wanted = page_mask(first, blocks, true);
  if ((e.valid & wanted) == wanted) {
    core().serve_served++;
    timer_work(WORK_COPY, blocks * SECTOR_BYTES);
    port_reply(tag, GOOD, 0, <u32>data, blocks * SECTOR_BYTES);
    return true;
  }
  const volume = volume_at(lun);
  const i = command_new(READ, volume.disk, tag, entry);
  if (i == NO_COMMAND) return false;
  // Whole pages come in, so that they count as known.
  const from = first & ~7;
  const to = min<u32>((first + blocks + 7) & ~7, BLOCKS_PER_LINE);
  const lba = volume.base + <u64>line * BLOCKS_PER_LINE + from;
  const bytes = (to - from) * SECTOR_BYTES;
  cdb_read16(entry_of(i), lba, to - from, cache_line(entry) + from * SECTOR_BYTES, bytes);
  begin(i, entry, first, blocks);
  return true;
}

function write(tag: u32, lun: u32, line: u32, first: u32, blocks: u32): bool {
  const entry = line_for(lun, line);
  if (entry == NO_LINE) return false;
  const e = cache_at(entry);
  const volume = volume_at(lun);
  const i = command_new(WRITE, volume.disk, tag, entry);
  if (i == NO_COMMAND) return false;
  if (e.heat < 15) e.heat++;
  const data = cache_line(entry) + first * SECTOR_BYTES;
  const bytes = blocks * SECTOR_BYTES;
  port_fetch(tag, <u32>data, bytes);
  cdb_write16(entry_of(i), volume.base + <u64>line * BLOCKS_PER_LINE + first, blocks, true, data, bytes);
  begin(i, entry, first, blocks);
  return true;
}
const NO_LINE: u32 = 0xffffffff;

function begin(i: u32, entry: u32, first: u32, blocks: u32): void {
  const e = cache_at(entry);
  e.busy = 1;
  e.first = first;
  e.blocks = blocks;
  volume_at(e.volume).in_flight++;
  command_send(i);
}

export function serve_done(i: u32, outcome: u32): void {
  const c = core();
  const command = command_at(i);
  const tag = command.arg;
  const entry = command.arg2;
  const e = cache_at(entry);
  const first = e.first;
  const blocks = e.blocks;
  const isWrite = command.kind == WRITE;
  const volume = volume_at(e.volume);
  e.busy = 0;
  volume.in_flight--;
  const pages = page_mask(first, blocks, !isWrite);
  if (outcome != OUTCOME_GOOD) {
    // What is on the disk is not known now.
    e.valid &= ~(<u16>page_mask(first, blocks, true));
    if (outcome == OUTCOME_CONFLICT && disk_at(command.disk).held == <u8>HELD_ME) return fence(command.disk);
    if (c.state != BOARD_FENCED) refuse(tag, isWrite ? WRITE_ERROR : READ_ERROR);
    return;
  }
  e.valid |= <u16>pages;
  // A reply after the volume went to the partner would be a second server's.
  if (!volume.serving) {
    refuse(tag, NOT_SERVED);
    return;
  }
  c.serve_served++;
  if (isWrite) reply_good(tag);
  else port_reply(tag, GOOD, 0, <u32>(cache_line(entry) + first * SECTOR_BYTES), blocks * SECTOR_BYTES);
}
