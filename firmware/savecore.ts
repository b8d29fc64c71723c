/**
 * Savecore: makes the core file of a dump that this board has taken, in the root file system of the board that failed,
 * a bounded piece at a time while serving goes on. Read the header, the chunk table, the root volume; plan the file;
 * copy chunk by chunk, each checked; write the head last; then mark the dump as saved.
 */
import { cdb_read16, cdb_synchronize_cache, cdb_write16 } from '../asm/initiator/cdb';
import { OUTCOME_GOOD } from '../asm/initiator/outcome';
import {
  ATTRIBUTE_ABORTED,
  ATTRIBUTE_COMPLETED,
  ATTRIBUTE_INACTIVE,
  COPY_BLOCKS,
  COREDUMP_LBA,
  DATA_LBA,
  ROLE_ROOT,
  SAVED_DONE,
  SECTOR_BYTES,
  TAIL_BLOCKS,
} from '../asm/layout';
import { EXFAT_BITMAP_BYTES, EXFAT_DIR_BYTES, EXFAT_OK } from '../asm/volume/exfat/codes';
import { exfat_bitmap, exfat_bitmap_lba, exfat_mount, exfat_root_lba } from '../asm/volume/exfat/mount';
import { NO_COMMAND, command_new, command_send, entry_of } from './command';
import { dropped } from './dropped';
import {
  BOARD_NORMAL,
  BOARD_TAKEN,
  DISK_MAX,
  EV_SAVE_END,
  SAVE_AT,
  SAVE_BUSY,
  SAVE_DISK,
  SAVE_OFTEN,
  SAVE_VOLUME,
} from './layout';
import { log_begin, log_end, log_number, log_text } from './log';
import { Disk, HELD_ME, NO_DISK, command_at, core, disk_at } from './memory';
import { copy, job_done } from './save-copy';
import { head, next_step, root_done } from './save-file';
import { mark } from './save-header';
import { header_done, next_table, note_done, table_done } from './save-image';
import { repair, repair_done } from './save-repair';
import {
  BITMAP,
  BLOCKS_PER_CHUNK,
  BOOT,
  HEADERS,
  JOB_CHUNKS,
  KIND_SAVE,
  ROOT,
  SAVE_BITMAP,
  SAVE_BOOT,
  SAVE_COPY,
  SAVE_DIRECTORY,
  SAVE_FLUSH,
  SAVE_HEAD,
  SAVE_HEADER,
  SAVE_IDLE,
  SAVE_MARK,
  SAVE_NOTED,
  SAVE_NOTES,
  SAVE_PIECE,
  SAVE_PIECE_BACK,
  SAVE_PIECE_WRITE,
  SAVE_REFUSED,
  SAVE_REPAIR,
  SAVE_ROOT,
  SAVE_STEP,
  SAVE_SYNC,
  SAVE_TABLE,
  SAVE_TRIED,
  SAVE_VERIFY,
  VOLUME,
  save,
} from './save-state';
import { put, sealed_back, sealed_back_begin, sealed_step, sealed_written } from './save-sealed';
import { verify, verify_begin, verify_done } from './save-verify';
import { trace } from './trace';

export function saving(): bool {
  return core().save_step != SAVE_IDLE;
}

/** What is due in this cycle. */
export function savecore(): void {
  const c = core();
  switch (c.save_step) {
    case SAVE_IDLE:
      if (c.state == BOARD_TAKEN || c.state == BOARD_NORMAL) pick();
      return;
    case SAVE_COPY:
      return copy();
    case SAVE_VERIFY:
      return verify();
    case SAVE_PIECE:
    case SAVE_PIECE_BACK:
      return sealed_step();
  }
}

/** A disk that we hold with a dump nobody has saved. */
function pick(): void {
  const c = core();
  if (c.save_looked == c.held_changes) return;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    const disk = disk_at(d);
    if (!disk.present || disk.held != <u8>HELD_ME || disk.header_saved) continue;
    if (disk.attribute != ATTRIBUTE_COMPLETED && disk.attribute != ATTRIBUTE_ABORTED) continue;
    if (dropped(disk)) continue;
    const root = root_of(disk.header_system);
    if (root == NO_DISK) continue;
    c.save_disk = d;
    memory.fill(SAVE_AT, 0, 0x1000);
    save().root = root;
    save().began_at = c.now;
    save().job_chunks = chunks_at_once(disk, disk_at(root));
    return read(SAVE_HEADER, d, COREDUMP_LBA, 2 * COPY_BLOCKS, HEADERS);
  }
  c.save_looked = c.held_changes;
}

/** What a command may move on both disks; a disk that does not say takes a whole job. */
function chunks_at_once(from: Disk, to: Disk): u32 {
  let most: u32 = JOB_CHUNKS;
  if (from.transfer_max) most = min<u32>(most, from.transfer_max / BLOCKS_PER_CHUNK);
  if (to.transfer_max) most = min<u32>(most, to.transfer_max / BLOCKS_PER_CHUNK);
  return max<u32>(most, 1);
}

function root_of(system: u32): u32 {
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    const disk = disk_at(d);
    if (disk.present && disk.role == <u8>ROLE_ROOT && disk.owner == system && disk.held == <u8>HELD_ME)
      return d;
  }
  return NO_DISK;
}

export function read(step: u32, disk: u32, lba: u64, blocks: u32, data: usize): void {
  const i = command_new(KIND_SAVE | step, disk);
  if (i == NO_COMMAND) return give_up('no free command', SAVE_BUSY);
  core().save_step = step;
  cdb_read16(entry_of(i), lba, blocks, data, blocks * SECTOR_BYTES);
  command_send(i);
}

export function write(step: u32, disk: u32, lba: u64, blocks: u32, data: usize): void {
  const i = command_new(KIND_SAVE | step, disk);
  if (i == NO_COMMAND) return give_up('no free command', SAVE_BUSY);
  core().save_step = step;
  cdb_write16(entry_of(i), lba, blocks, true, data, blocks * SECTOR_BYTES);
  command_send(i);
}

export function give_up(why: string, cause: u32): void {
  const c = core();
  c.save_step = SAVE_IDLE;
  if (c.save_disk != NO_DISK) disk_at(c.save_disk).header_saved = 2; // not again in this life
  trace(EV_SAVE_END, 0, cause);
  log_begin();
  log_text('savecore: given up: ');
  log_text(why);
  log_end();
}

export function save_done(i: u32, outcome: u32): void {
  const c = core();
  const step = command_at(i).kind & 0xff;
  const s = save();
  if (step == SAVE_COPY) return job_done(command_at(i).arg, outcome);
  if (c.save_step != step) return;
  if (step == SAVE_TABLE && outcome != OUTCOME_GOOD) return table_done(false);
  if (step == SAVE_NOTES) return note_done(outcome == OUTCOME_GOOD);
  if (outcome != OUTCOME_GOOD) return give_up('a disk failed', SAVE_DISK);
  switch (step) {
    case SAVE_HEADER:
      return header_done();
    case SAVE_TABLE:
      return table_done(true);
    case SAVE_BOOT:
      if (exfat_mount(VOLUME, BOOT, DATA_LBA, disk_at(s.root).blocks - DATA_LBA - TAIL_BLOCKS) != EXFAT_OK) {
        return give_up('the root disk holds no exFAT volume', SAVE_VOLUME);
      }
      return read(SAVE_ROOT, s.root, exfat_root_lba(VOLUME), EXFAT_DIR_BYTES / SECTOR_BYTES, ROOT);
    case SAVE_ROOT:
      return root_done();
    case SAVE_DIRECTORY:
      return read(SAVE_BITMAP, s.root, exfat_bitmap_lba(VOLUME), EXFAT_BITMAP_BYTES / SECTOR_BYTES, BITMAP);
    case SAVE_BITMAP:
      exfat_bitmap(VOLUME, BITMAP);
      return repair();
    case SAVE_STEP:
      s.step++;
      return next_step();
    case SAVE_HEAD:
      return head();
    case SAVE_TRIED:
      return next_table();
    case SAVE_NOTED:
      return next_step();
    case SAVE_REPAIR:
      return repair_done();
    case SAVE_FLUSH:
      return s.sealed ? sealed_back_begin() : verify_begin();
    case SAVE_PIECE:
      return put();
    case SAVE_PIECE_WRITE:
      return sealed_written();
    case SAVE_PIECE_BACK:
      return sealed_back();
    case SAVE_VERIFY:
      return verify_done();
    case SAVE_SYNC:
      return mark();
    case SAVE_MARK:
      return finish();
    case SAVE_REFUSED:
      return give_up('every try failed: the dump stays where it is', SAVE_OFTEN);
  }
}

export function sync(step: u32): void {
  const i = command_new(KIND_SAVE | step, save().root);
  if (i == NO_COMMAND) return give_up('no free command', SAVE_BUSY);
  core().save_step = step;
  cdb_synchronize_cache(entry_of(i));
  command_send(i);
}

function finish(): void {
  const c = core();
  const s = save();
  disk_at(c.save_disk).header_saved = SAVED_DONE;
  disk_at(c.save_disk).attribute = ATTRIBUTE_INACTIVE;
  c.save_step = SAVE_IDLE;
  trace(EV_SAVE_END, 1, <u32>s.file_lba, <u32>s.bytes);
  log_begin();
  log_text('savecore: saved, bytes ');
  log_number(s.bytes);
  log_end();
}
