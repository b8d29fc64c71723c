/**
 * Choosing the coredump disk, before any panic and again when the spares change: one that this board holds, with room;
 * a disk that holds all before one that holds what is in use or a part, a disk dedicated to dumps before a spare, then
 * the best fit in size, then the least preparation. It is then prepared:
 * the coredump header points into the data region, and a label that says formatted is rewritten, so that nobody uses
 * the disk for file service.
 */
import {
  ATTRIBUTE_ABORTED,
  ATTRIBUTE_COMPLETED,
  CHUNK_BYTES,
  COPY_BLOCKS,
  COPY_BYTES,
  DATA_LBA,
  HEADER_CHUNK_BYTES_AT,
  HEADER_CHUNK_TOTAL_AT,
  HEADER_EPOCH_AT,
  HEADER_IMAGE_BLOCKS_AT,
  HEADER_IMAGE_LBA_AT,
  HEADER_MEMORY_BYTES_AT,
  HEADER_SYSTEM_AT,
  HEADER_TABLE_LBA_AT,
  HEADER_TABLE_ROOM_AT,
  LABEL_FORMATTED,
  LABEL_LBA,
  LABEL_NOT_FORMATTED,
  LABEL_STATE_AT,
  ROLE_DUMP,
  ROLE_SPARE,
  SAVED_DONE,
  SECTOR_BYTES,
  TABLE_BLOCKS,
  TABLE_ENTRIES,
  TAIL_BLOCKS,
} from '../asm/layout';
import { header_begin, header_lba, header_seal } from '../asm/dump/header';
import { cdb_read16, cdb_write16 } from '../asm/initiator/cdb';
import { OUTCOME_GOOD } from '../asm/initiator/outcome';
import { label_lba, label_newest, label_next_sequence, label_seal, label_victim } from '../asm/volume/label';
import { cache_count, cache_first_line } from './cache';
import { NO_COMMAND, command_new, command_send, entry_of } from './command';
import { dropped } from './dropped';
import { takes_chunks } from './dump-size';
import { BOARD_WAITING, DISK_MAX, EV_ELECTED, EV_NO_SPARE } from './layout';
import { log, log_disk } from './log';
import { Disk, HELD_ME, NO_DISK, cache_at, command_at, core, disk_at, scratch } from './memory';
import { seal_now } from './seal';
import { trace } from './trace';

const BLOCKS_PER_CHUNK: u32 = CHUNK_BYTES / SECTOR_BYTES;
/** The estimate of what is in use is made so often. */
const SPARSE_US: u64 = 1000000;

export const KIND_SPARE: u32 = 0x8000;
const LABEL_READ: u32 = KIND_SPARE;
const LABEL_WRITE: u32 = KIND_SPARE + 1;
const HEADER_WRITE: u32 = KIND_SPARE + 2;
/** Table blocks beyond what the chunks need: a block is closed early every so often, to be of use if the dump is cut. */
const TABLE_SPARE: u32 = 1024;

export function chunk_count(): u32 {
  return memory.size(); // a chunk is a wasm page
}

export function table_room(): u32 {
  return (chunk_count() + TABLE_ENTRIES - 1) / TABLE_ENTRIES + TABLE_SPARE;
}

export function image_lba(): u64 {
  return <u64>DATA_LBA + table_room() * TABLE_BLOCKS;
}

/** Blocks for the image on a disk of this size. */
export function image_blocks(disk: Disk): u64 {
  const end = disk.blocks - TAIL_BLOCKS;
  return end > image_lba() ? end - image_lba() : 0;
}

/** An older core that nobody has saved yet: the first crash is the interesting one. */
function holds_core(disk: Disk): bool {
  const ended = disk.attribute == ATTRIBUTE_COMPLETED || disk.attribute == ATTRIBUTE_ABORTED;
  return ended && disk.header_saved != SAVED_DONE && !dropped(disk);
}

function suits(disk: Disk): bool {
  if (!disk.present || disk.dead || disk.held != <u8>HELD_ME || disk.owner != core().system) return false;
  if (disk.role != <u8>ROLE_SPARE && disk.role != <u8>ROLE_DUMP) return false;
  if (!takes_chunks(disk)) return false;
  if (holds_core(disk) && !core().overwrite) return false;
  return fit(disk) != FIT_NONE;
}

/** How much of a dump a disk has room for. */
const FIT_NONE: u32 = 0;
const FIT_PART: u32 = 1; // what is most important, and it is cut there
const FIT_SPARSE: u32 = 2; // what is in use now
const FIT_WHOLE: u32 = 3; // the share of RAM that is configured
/** Lines of the cache that a part must hold beside all that comes before them. */
const PART_LINES: u32 = 16;

function fit(disk: Disk): u32 {
  const c = core();
  const blocks = image_blocks(disk);
  if (blocks >= (((<u64>chunk_count() * CHUNK_BYTES) / SECTOR_BYTES) * c.room_percent) / 100)
    return FIT_WHOLE;
  if (c.sparse_chunks && blocks >= <u64>c.sparse_chunks * BLOCKS_PER_CHUNK) return FIT_SPARSE;
  const least = cache_first_line() + PART_LINES;
  return blocks >= <u64>least * BLOCKS_PER_CHUNK ? FIT_PART : FIT_NONE;
}

/** Chunks that are not zero, about: all before the cache's lines, and the lines in use. Compressed, half of them. */
function estimate(): void {
  const c = core();
  if (c.now < c.sparse_at) return;
  c.sparse_at = c.now + SPARSE_US;
  let chunks = cache_first_line();
  for (let i: u32 = 0, lines = cache_count(); i < lines; i++) if (cache_at(i).used) chunks++;
  c.sparse_chunks = c.codec ? chunks / 2 : chunks;
}

/** True when `a` is to be preferred. */
function better(a: Disk, b: Disk): bool {
  if (holds_core(a) != holds_core(b)) return holds_core(b);
  if (fit(a) != fit(b)) return fit(a) > fit(b);
  if (a.role != b.role) return a.role == <u8>ROLE_DUMP;
  if (a.blocks != b.blocks) return a.blocks < b.blocks;
  return a.label_state == LABEL_NOT_FORMATTED && b.label_state != LABEL_NOT_FORMATTED;
}

/** The best disk but those in `tried` (bit a disk, DISK_MAX of 64), or NO_DISK. Reads memory only: the panic handler asks too. */
export function spare_pick(tried: u64): u32 {
  let best = NO_DISK;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    if ((tried >> d) & 1 || !suits(disk_at(d))) continue;
    if (best == NO_DISK || better(disk_at(d), disk_at(best))) best = d;
  }
  return best;
}

/** No sum of disks: the first look always counts as a change. */
export const NEVER_LOOKED: u32 = 0xffffffff;

/** Elects again when the spares held have changed. */
export function spare_elect(): void {
  const c = core();
  estimate();
  let seen: u32 = 0;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    if (!suits(disk_at(d))) continue;
    seen = seen * 31 + d + 1 + (holds_core(disk_at(d)) ? DISK_MAX : 0) + fit(disk_at(d)) * 2 * DISK_MAX;
  }
  if (seen == c.spares_seen) return;
  c.spares_seen = seen;
  const best = spare_pick(0);
  const before = c.coredump;
  const kept = c.spare_kept;
  c.coredump = best;
  c.spare_kept = best != NO_DISK && holds_core(disk_at(best)) ? 1 : 0;
  if (best != before || c.spare_kept != kept) seal_now();
  if (best == NO_DISK && c.state == BOARD_WAITING) {
    c.spares_seen = NEVER_LOOKED; // the partner has them yet
    return;
  }
  if (best == NO_DISK) {
    trace(EV_NO_SPARE);
    return log('no disk for a coredump: a panic will not be dumped');
  }
  if (c.spare_kept) {
    if (best == before) return;
    trace(EV_ELECTED, best, 1, fit(disk_at(best)));
    return log_disk(best, 'is the coredump disk; the older core there is not touched before a panic');
  }
  if (best != before || kept) prepare(best);
}

function prepare(d: u32): void {
  const i = command_new(LABEL_READ, d);
  if (i == NO_COMMAND) {
    core().spares_seen = NEVER_LOOKED; // again, in a later cycle
    core().coredump = NO_DISK;
    return;
  }
  cdb_read16(entry_of(i), LABEL_LBA, 2 * COPY_BLOCKS, scratch(d), 2 * COPY_BYTES);
  command_send(i);
}

export function spare_done(i: u32, outcome: u32): void {
  const d = command_at(i).disk;
  const disk = disk_at(d);
  if (outcome != OUTCOME_GOOD) {
    disk.dead = 1; // the election goes on without it
    return log_disk(d, 'could not be prepared for a coredump');
  }
  switch (command_at(i).kind) {
    case LABEL_READ:
      return relabel(d, disk);
    case LABEL_WRITE:
      disk.label_state = LABEL_NOT_FORMATTED;
      return point(d, disk);
    default:
      disk.header_copy ^= 1;
      disk.header_sequence++;
      disk.prepared = 1;
      seal_now();
      trace(EV_ELECTED, d, 0, fit(disk));
      log_disk(
        d,
        fit(disk) == FIT_PART ? 'is the coredump disk, and holds a part only' : 'is the coredump disk',
      );
  }
}

function relabel(d: u32, disk: Disk): void {
  const copies = scratch(d);
  const newest = label_newest(copies);
  if (newest < 0 || load<u32>(copies + <usize>newest * COPY_BYTES + LABEL_STATE_AT) != LABEL_FORMATTED) {
    return point(d, disk);
  }
  const victim = label_victim(copies);
  const sequence = label_next_sequence(copies);
  const buf = copies + <usize>victim * COPY_BYTES;
  memory.copy(buf, copies + <usize>newest * COPY_BYTES, COPY_BYTES);
  store<u32>(buf + LABEL_STATE_AT, LABEL_NOT_FORMATTED);
  label_seal(buf, sequence);
  const i = command_new(LABEL_WRITE, d);
  if (i == NO_COMMAND) return;
  cdb_write16(entry_of(i), label_lba(victim), COPY_BLOCKS, true, buf, COPY_BYTES);
  command_send(i);
}

function point(d: u32, disk: Disk): void {
  const buf = scratch(d);
  header_begin(buf);
  header_point(buf, disk);
  header_seal(buf, disk.header_sequence + 1);
  const i = command_new(HEADER_WRITE, d);
  if (i == NO_COMMAND) return;
  cdb_write16(entry_of(i), header_lba(disk.header_copy ^ 1), COPY_BLOCKS, true, buf, COPY_BYTES);
  command_send(i);
}

/** The fields of a header that say whose memory it is and where the image goes. */
export function header_point(buf: usize, disk: Disk): void {
  const c = core();
  store<u32>(buf + HEADER_SYSTEM_AT, c.system);
  store<u32>(buf + HEADER_EPOCH_AT, c.epoch);
  store<u64>(buf + HEADER_MEMORY_BYTES_AT, <u64>chunk_count() * CHUNK_BYTES);
  store<u32>(buf + HEADER_CHUNK_BYTES_AT, CHUNK_BYTES);
  store<u32>(buf + HEADER_CHUNK_TOTAL_AT, chunk_count());
  store<u64>(buf + HEADER_TABLE_LBA_AT, DATA_LBA);
  store<u32>(buf + HEADER_TABLE_ROOM_AT, table_room());
  store<u64>(buf + HEADER_IMAGE_LBA_AT, image_lba());
  store<u64>(buf + HEADER_IMAGE_BLOCKS_AT, image_blocks(disk));
}
