/**
 * Savecore: makes the core file of a dump that this board has taken, in the root file system of the board that failed,
 * a bounded piece at a time while serving goes on. Read the header, the chunk table, the root volume; plan the file;
 * copy chunk by chunk, each checked; write the head last; then mark the dump as saved.
 */
import {
  ATTRIBUTE_ABORTED,
  ATTRIBUTE_COMPLETED,
  CHUNK_BYTES,
  CODEC_RAW,
  COPY_BLOCKS,
  COPY_BYTES,
  COREDUMP_LBA,
  DATA_LBA,
  HEADER_ABORT_AT,
  HEADER_ATTRIBUTE_AT,
  HEADER_CHUNK_TOTAL_AT,
  HEADER_EPOCH_AT,
  HEADER_IMAGE_BLOCKS_AT,
  HEADER_IMAGE_LBA_AT,
  HEADER_SAVED_AT,
  HEADER_SYSTEM_AT,
  HEADER_TABLE_LBA_AT,
  HEADER_TABLE_ROOM_AT,
  HEADER_UTC_AT,
  MISSING_CORRUPT,
  MISSING_UNREACHED,
  MISSING_UNREADABLE,
  NOTE_LOG,
  NOTE_PANIC,
  NOTE_TRACE,
  ROLE_ROOT,
  SECTOR_BYTES,
  TABLE_BLOCKS,
  TABLE_BYTES,
  TAIL_BLOCKS,
} from '../asm/layout';
import { crc32c } from '../asm/bytes/crc32c';
import {
  ELF_END,
  ELF_ZEROS,
  elf_begin,
  elf_file_bytes,
  elf_head,
  elf_head_bytes,
  elf_miss,
  elf_next,
  elf_note,
  elf_piece_chunk,
  elf_piece_offset,
  elf_plan,
  elf_task,
} from '../asm/dump/elf';
import {
  header_image_sound,
  header_lba,
  header_newest,
  header_next_sequence,
  header_seal,
  header_victim,
} from '../asm/dump/header';
import {
  table_chunk,
  table_count,
  table_crc,
  table_enter,
  table_offset_blocks,
  table_valid,
} from '../asm/dump/table';
import { cdb_read16, cdb_synchronize_cache, cdb_write16 } from '../asm/initiator/cdb';
import { OUTCOME_GOOD } from '../asm/initiator/outcome';
import {
  STEP_BITMAP,
  STEP_CLEAN,
  STEP_DATA,
  STEP_DIRECTORY,
  STEP_DIRTY,
  exfat_add,
  exfat_step_blocks,
  exfat_step_boot,
  exfat_step_kind,
  exfat_step_lba,
  exfat_step_offset,
  exfat_steps,
} from '../asm/volume/exfat/add';
import {
  EXFAT_BITMAP_BYTES,
  EXFAT_BOOT_BLOCKS,
  EXFAT_DIR_BYTES,
  EXFAT_EXISTS,
  EXFAT_OK,
} from '../asm/volume/exfat/codes';
import {
  exfat_bitmap,
  exfat_bitmap_lba,
  exfat_cluster_bytes,
  exfat_directory_lba,
  exfat_mount,
  exfat_root,
  exfat_root_lba,
} from '../asm/volume/exfat/mount';
import { timer_work } from './board';
import { NO_COMMAND, command_new, command_send, entry_of } from './command';
import { core_name } from './core-name';
import { dropped } from './dropped';
import {
  BOARD_NORMAL,
  BOARD_TAKEN,
  DISK_MAX,
  EV_SAVE_BEGIN,
  EV_SAVE_END,
  LOG_AT,
  LOG_BYTES,
  RECORD_AT,
  RECORD_BYTES,
  RECORD_PC_AT,
  RECORD_REASON_AT,
  SAVE_AT,
  SAVE_BUSY,
  SAVE_DISK,
  SAVE_DUMP,
  SAVE_ROOM,
  SAVE_VOLUME,
  TRACE_AT,
  TRACE_BYTES,
  WORK_CRC,
} from './layout';
import { log, log_begin, log_end, log_number, log_text } from './log';
import { HELD_ME, NO_DISK, command_at, core, disk_at } from './memory';
import { wake_at } from './state';
import { trace } from './trace';

export const KIND_SAVE: u32 = 0x6000;

// The area of savecore; its parts.
const ELF: usize = SAVE_AT + 0x400;
const VOLUME: usize = SAVE_AT + 0x600;
const NAME: usize = SAVE_AT + 0x800;
const HEADERS: usize = SAVE_AT + 0x1000;
const TABLE: usize = SAVE_AT + 0x3000;
const BOOT: usize = SAVE_AT + 0x4000;
const DIRECTORY: usize = SAVE_AT + 0x8000;
const BITMAP: usize = SAVE_AT + 0x10000;
const ROOT: usize = SAVE_AT + 0x18000;
const MAP: usize = SAVE_AT + 0x20000; // a byte a chunk
const OFFSETS: usize = SAVE_AT + 0x30000; // u32 a chunk: block in the image
const SUMS: usize = SAVE_AT + 0x70000; // u32 a chunk: CRC32C
const NOTES: usize = SAVE_AT + 0xb0000; // the chunks of the panic record, the log and the trace
const HEAD: usize = SAVE_AT + 0xe0000;
const HEAD_PIECE: u32 = 0x20000;
const BUFFERS: usize = SAVE_AT + 0x100000;
/** Jobs: one reads while the other writes; each up to so many chunks that lie in a row in image and file. */
const JOBS: u32 = 2;
const JOB_CHUNKS: u32 = 8;
const JOB_BYTES: usize = 64;
const JOBS_AT: usize = SAVE_AT + 0x300;
/** Table blocks may be missing in the middle when a dump was cut: as many as can have been in flight. */
const TABLE_GAP: u32 = 16;
const NOTE_CHUNKS: u32 = 3;
const NAMES_MAX: u32 = 100;
const BLOCKS_PER_CHUNK: u32 = CHUNK_BYTES / SECTOR_BYTES;

const SAVE_IDLE: u32 = 0;
const SAVE_HEADER: u32 = 1;
const SAVE_TABLE: u32 = 2;
const SAVE_NOTES: u32 = 3;
const SAVE_BOOT: u32 = 4;
const SAVE_ROOT: u32 = 5;
const SAVE_DIRECTORY: u32 = 6;
const SAVE_BITMAP: u32 = 7;
const SAVE_STEP: u32 = 8; // the writes of exFAT, in order
const SAVE_COPY: u32 = 9;
const SAVE_HEAD: u32 = 10;
const SAVE_SYNC: u32 = 11;
const SAVE_MARK: u32 = 12;

const JOB_FREE: u32 = 0;
const JOB_READING: u32 = 1;
const JOB_WRITING: u32 = 2;


@unmanaged
class Save {
  root: u32;
  chunks: u32;
  table_at: u32;
  table_gap: u32;
  table_room: u32;
  note: u32;
  step: u32;
  waiting: u32; // a command of the straight part is out
  pending: u32; // a piece found but not put into a job: ELF_*
  ended: u32; // no more pieces
  head_at: u32;
  present: u32;
  table_lba: u64;
  image_lba: u64;
  image_blocks: u64;
  file_lba: u64;
  bytes: u64;
  next_at: u64; // us, the share of the disk's time
  began_at: u64;
  epoch: u32;
  system: u32;
}


@unmanaged
class Job {
  state: u32;
  chunks: u32;
  zeros: u32;
  first: u32; // chunk; the others follow in file order
  file_block: u32;
  began: u32; // us, low half
  list: u64; // JOB_CHUNKS of u32 from here on
}

function save(): Save {
  return changetype<Save>(SAVE_AT as usize);
}
function job_at(i: u32): Job {
  return changetype<Job>(JOBS_AT + <usize>i * JOB_BYTES);
}
function job_buffer(i: u32): usize {
  return BUFFERS + <usize>i * JOB_CHUNKS * CHUNK_BYTES;
}
function job_chunk(job: Job, n: u32): usize {
  return changetype<usize>(job) + offsetof<Job>('list') + n * 4;
}

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
    return read(SAVE_HEADER, d, COREDUMP_LBA, 2 * COPY_BLOCKS, HEADERS);
  }
  c.save_looked = c.held_changes;
}

function root_of(system: u32): u32 {
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    const disk = disk_at(d);
    if (disk.present && disk.role == <u8>ROLE_ROOT && disk.owner == system && disk.held == <u8>HELD_ME)
      return d;
  }
  return NO_DISK;
}

function read(step: u32, disk: u32, lba: u64, blocks: u32, data: usize): void {
  const i = command_new(KIND_SAVE | step, disk);
  if (i == NO_COMMAND) return give_up('no free command', SAVE_BUSY);
  core().save_step = step;
  cdb_read16(entry_of(i), lba, blocks, data, blocks * SECTOR_BYTES);
  command_send(i);
}

function write(step: u32, disk: u32, lba: u64, blocks: u32, data: usize): void {
  const i = command_new(KIND_SAVE | step, disk);
  if (i == NO_COMMAND) return give_up('no free command', SAVE_BUSY);
  core().save_step = step;
  cdb_write16(entry_of(i), lba, blocks, true, data, blocks * SECTOR_BYTES);
  command_send(i);
}

function give_up(why: string, cause: u32): void {
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
  if (step == SAVE_NOTES && outcome != OUTCOME_GOOD) return notes();
  if (outcome != OUTCOME_GOOD) return give_up('a disk failed', SAVE_DISK);
  switch (step) {
    case SAVE_HEADER:
      return header_done();
    case SAVE_TABLE:
      return table_done(true);
    case SAVE_NOTES:
      return notes();
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
      return plan();
    case SAVE_STEP:
      s.step++;
      return next_step();
    case SAVE_HEAD:
      return head();
    case SAVE_SYNC:
      return mark();
    case SAVE_MARK:
      return finish();
  }
}

function header_done(): void {
  const c = core();
  const s = save();
  const newest = header_newest(HEADERS);
  if (newest < 0) return give_up('no valid header', SAVE_DUMP);
  const header = HEADERS + <usize>newest * COPY_BYTES;
  if (!header_image_sound(header, disk_at(c.save_disk).blocks))
    return give_up('the header points outside the disk', SAVE_DUMP);
  s.chunks = load<u32>(header + HEADER_CHUNK_TOTAL_AT);
  s.system = load<u32>(header + HEADER_SYSTEM_AT);
  s.epoch = load<u32>(header + HEADER_EPOCH_AT);
  s.table_lba = load<u64>(header + HEADER_TABLE_LBA_AT);
  s.table_room = load<u32>(header + HEADER_TABLE_ROOM_AT);
  s.image_lba = load<u64>(header + HEADER_IMAGE_LBA_AT);
  s.image_blocks = load<u64>(header + HEADER_IMAGE_BLOCKS_AT);
  memory.fill(MAP, <u8>MISSING_UNREACHED, s.chunks);
  trace(EV_SAVE_BEGIN, c.save_disk, s.chunks);
  log_begin();
  log_text('savecore: from disk ');
  log_number(c.save_disk);
  log_text(' to the root file system on disk ');
  log_number(s.root);
  log_end();
  next_table();
}

function next_table(): void {
  const s = save();
  if (s.table_at == s.table_room || s.table_gap == TABLE_GAP) return notes();
  read(SAVE_TABLE, core().save_disk, s.table_lba + <u64>s.table_at * TABLE_BLOCKS, TABLE_BLOCKS, TABLE);
}

/** A block of another epoch, or torn, lists nothing. */
function table_done(readWell: bool): void {
  const s = save();
  if (readWell && table_valid(TABLE, s.table_at, s.system, s.epoch, s.chunks, s.image_blocks)) {
    s.table_gap = 0;
    table_enter(TABLE, MAP);
    for (let i: u32 = 0, count = table_count(TABLE); i < count; i++) {
      const chunk = <usize>table_chunk(TABLE, i) * 4;
      store<u32>(OFFSETS + chunk, table_offset_blocks(TABLE, i));
      store<u32>(SUMS + chunk, table_crc(TABLE, i));
    }
    timer_work(WORK_CRC, TABLE_BYTES);
  } else s.table_gap++;
  s.table_at++;
  next_table();
}

/** The chunks that the notes are made of come first. */
function notes(): void {
  const s = save();
  while (s.note < NOTE_CHUNKS) {
    const chunk = note_chunk(s.note);
    const data = NOTES + <usize>s.note * CHUNK_BYTES;
    s.note++;
    if (load<u8>(MAP + chunk) != CODEC_RAW) continue;
    return read(SAVE_NOTES, core().save_disk, image_block(chunk), BLOCKS_PER_CHUNK, data);
  }
  read(SAVE_BOOT, s.root, DATA_LBA, EXFAT_BOOT_BLOCKS, BOOT);
}

function note_chunk(n: u32): u32 {
  return (n == 0 ? RECORD_AT : n == 1 ? LOG_AT : TRACE_AT) / CHUNK_BYTES;
}

function image_block(chunk: u32): u64 {
  return save().image_lba + load<u32>(OFFSETS + <usize>chunk * 4);
}

const CORES = memory.data<u8>([0x63, 0x6f, 0x72, 0x65, 0x73]); // "cores"
const CORES_BYTES: u32 = 5;

function root_done(): void {
  const s = save();
  if (exfat_root(VOLUME, ROOT, CORES, CORES_BYTES) != EXFAT_OK)
    return give_up('the root volume has no directory cores', SAVE_VOLUME);
  read(SAVE_DIRECTORY, s.root, exfat_directory_lba(VOLUME), EXFAT_DIR_BYTES / SECTOR_BYTES, DIRECTORY);
}

const TASK_NAME = memory.data<u8>([0x66, 0x69, 0x72, 0x6d, 0x77, 0x61, 0x72, 0x65]); // "firmware"
const SIGABRT: u32 = 6;

function plan(): void {
  const c = core();
  const s = save();
  const header = HEADERS + <usize>header_newest(HEADERS) * COPY_BYTES;
  elf_begin(ELF, MAP, s.chunks, load<u32>(header + HEADER_ATTRIBUTE_AT), load<u32>(header + HEADER_ABORT_AT));
  const record = NOTES + (RECORD_AT % CHUNK_BYTES);
  const known = load<u8>(MAP + note_chunk(0)) == CODEC_RAW;
  elf_task(ELF, 1, SIGABRT, known ? load<u32>(record + RECORD_PC_AT) : 0, TASK_NAME, 8);
  if (known && load<u32>(record + RECORD_REASON_AT)) elf_note(ELF, NOTE_PANIC, record, RECORD_BYTES);
  if (load<u8>(MAP + note_chunk(1)) == CODEC_RAW) elf_note(ELF, NOTE_LOG, NOTES + CHUNK_BYTES, LOG_BYTES);
  if (load<u8>(MAP + note_chunk(2)) == CODEC_RAW)
    elf_note(ELF, NOTE_TRACE, NOTES + 2 * CHUNK_BYTES, TRACE_BYTES);
  elf_plan(ELF);
  s.bytes = elf_file_bytes(ELF);
  const utc = load<u64>(header + HEADER_UTC_AT);
  const cluster = exfat_cluster_bytes(VOLUME);
  const floor = <u32>((((<u64>c.floor_mib) << 20) + cluster - 1) / cluster);
  let added: u32 = EXFAT_EXISTS;
  // A file of that name is another crash in the same second, or the same one saved before: neither is overwritten.
  for (let again: u32 = 0; added == EXFAT_EXISTS && again < NAMES_MAX; again++) {
    const nameBytes = core_name(NAME, s.system, utc, again);
    added = exfat_add(VOLUME, BITMAP, DIRECTORY, NAME, nameBytes, s.bytes, utc, floor);
  }
  if (added != EXFAT_OK) return give_up('no room in the root file system', SAVE_ROOM);
  s.step = 0;
  next_step();
}

function next_step(): void {
  const s = save();
  if (s.step == exfat_steps(VOLUME)) return sync();
  const lba = exfat_step_lba(VOLUME, s.step);
  const blocks = exfat_step_blocks(VOLUME, s.step);
  const offset = <usize>exfat_step_offset(VOLUME, s.step);
  switch (exfat_step_kind(VOLUME, s.step)) {
    case STEP_DIRTY:
    case STEP_CLEAN:
      exfat_step_boot(VOLUME, s.step, BOOT);
      return write(SAVE_STEP, s.root, lba, 1, BOOT);
    case STEP_BITMAP:
      return write(SAVE_STEP, s.root, lba, blocks, BITMAP + offset);
    case STEP_DIRECTORY:
      return write(SAVE_STEP, s.root, lba, blocks, DIRECTORY + offset);
    case STEP_DATA:
      s.file_lba = lba;
      core().save_step = SAVE_COPY;
      return copy();
  }
}

/** Starts jobs as long as there are pieces, and a job is free. */
function copy(): void {
  const c = core();
  const s = save();
  if (c.now < s.next_at) return wake_at(s.next_at);
  let busy: u32 = 0;
  for (let i: u32 = 0; i < JOBS; i++) {
    if (job_at(i).state == JOB_FREE && !s.ended) start(i);
    if (job_at(i).state != JOB_FREE) busy++;
  }
  if (busy || !s.ended) return;
  s.head_at = 0;
  head();
}

/** Gathers pieces that lie in a row in the file and, if they are chunks, in the image. */
function start(i: u32): void {
  const s = save();
  const job = job_at(i);
  job.chunks = 0;
  let block: u64 = 0;
  while (job.chunks < JOB_CHUNKS) {
    const piece: u32 = s.pending ? s.pending : <u32>elf_next(ELF);
    s.pending = 0;
    if (piece == ELF_END) {
      s.ended = 1;
      break;
    }
    const chunk = elf_piece_chunk(ELF);
    const zeros: u32 = piece == ELF_ZEROS ? 1 : 0;
    const file = <u32>(elf_piece_offset(ELF) / SECTOR_BYTES);
    const at = zeros ? 0 : image_block(chunk);
    if (!job.chunks) {
      job.zeros = zeros;
      job.first = chunk;
      job.file_block = file;
      block = at;
    } else {
      const inFile = file == job.file_block + job.chunks * BLOCKS_PER_CHUNK;
      const inImage = zeros != 0 || at == block + job.chunks * BLOCKS_PER_CHUNK;
      if (zeros != job.zeros || !inFile || !inImage) {
        s.pending = piece;
        break;
      }
    }
    store<u32>(job_chunk(job, job.chunks), chunk);
    job.chunks++;
  }
  if (!job.chunks) return;
  job.began = <u32>core().now;
  const bytes = job.chunks * CHUNK_BYTES;
  if (job.zeros) {
    memory.fill(job_buffer(i), 0, bytes);
    return write_job(i, job);
  }
  const slot = command_new(KIND_SAVE | SAVE_COPY, core().save_disk, i);
  if (slot == NO_COMMAND) return give_up('no free command', SAVE_BUSY);
  job.state = JOB_READING;
  cdb_read16(entry_of(slot), block, job.chunks * BLOCKS_PER_CHUNK, job_buffer(i), bytes);
  command_send(slot);
}

function write_job(i: u32, job: Job): void {
  const s = save();
  const slot = command_new(KIND_SAVE | SAVE_COPY, s.root, i);
  if (slot == NO_COMMAND) return give_up('no free command', SAVE_BUSY);
  job.state = JOB_WRITING;
  const blocks = job.chunks * BLOCKS_PER_CHUNK;
  cdb_write16(
    entry_of(slot),
    s.file_lba + job.file_block,
    blocks,
    true,
    job_buffer(i),
    blocks * SECTOR_BYTES,
  );
  command_send(slot);
}

function job_done(i: u32, outcome: u32): void {
  const c = core();
  const s = save();
  const job = job_at(i);
  if (c.save_step != SAVE_COPY) return;
  if (job.state == JOB_READING) {
    check(i, job, outcome == OUTCOME_GOOD);
    return write_job(i, job);
  }
  job.state = JOB_FREE;
  if (outcome != OUTCOME_GOOD) return give_up('the root disk failed', SAVE_DISK);
  if (c.save_share && c.save_share < 100) {
    const took = <u32>c.now - job.began;
    s.next_at = c.now + (<u64>took * (100 - c.save_share)) / c.save_share;
  }
}

/** What cannot be read, or is not what was written, is missing in the core, with its reason; never zero. */
function check(i: u32, job: Job, readWell: bool): void {
  timer_work(WORK_CRC, job.chunks * CHUNK_BYTES);
  for (let n: u32 = 0; n < job.chunks; n++) {
    const chunk = load<u32>(job_chunk(job, n));
    const data = job_buffer(i) + <usize>n * CHUNK_BYTES;
    if (!readWell) elf_miss(ELF, chunk, MISSING_UNREADABLE);
    else if (crc32c(0, data, CHUNK_BYTES) != load<u32>(SUMS + <usize>chunk * 4))
      elf_miss(ELF, chunk, MISSING_CORRUPT);
  }
}

/** The head, in pieces; after it the file is whole and its entry may be written. */
function head(): void {
  const s = save();
  const total = elf_head_bytes(ELF);
  if (s.head_at >= total) {
    s.step++;
    return next_step();
  }
  const bytes = min<u32>(HEAD_PIECE, total - s.head_at);
  elf_head(ELF, HEAD, s.head_at, bytes);
  const lba = s.file_lba + s.head_at / SECTOR_BYTES;
  s.head_at += bytes;
  write(SAVE_HEAD, s.root, lba, bytes / SECTOR_BYTES, HEAD);
}

function sync(): void {
  const i = command_new(KIND_SAVE | SAVE_SYNC, save().root);
  if (i == NO_COMMAND) return give_up('no free command', SAVE_BUSY);
  core().save_step = SAVE_SYNC;
  cdb_synchronize_cache(entry_of(i));
  command_send(i);
}

/** The dump is saved: the disk may be used again. */
function mark(): void {
  const c = core();
  const victim = header_victim(HEADERS);
  const newest = header_newest(HEADERS);
  const sequence = header_next_sequence(HEADERS);
  const buf = HEADERS + <usize>victim * COPY_BYTES;
  memory.copy(buf, HEADERS + <usize>newest * COPY_BYTES, COPY_BYTES);
  store<u32>(buf + HEADER_SAVED_AT, 1);
  header_seal(buf, sequence);
  disk_at(c.save_disk).header_copy = victim;
  disk_at(c.save_disk).header_sequence = sequence;
  write(SAVE_MARK, c.save_disk, header_lba(victim), COPY_BLOCKS, buf);
}

function finish(): void {
  const c = core();
  const s = save();
  disk_at(c.save_disk).header_saved = 1;
  c.save_step = SAVE_IDLE;
  trace(EV_SAVE_END, 1, <u32>s.file_lba, <u32>s.bytes);
  log_begin();
  log_text('savecore: saved, bytes ');
  log_number(s.bytes);
  log_end();
}
