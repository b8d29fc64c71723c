/** Savecore reads the dump: its header, its chunk table, and the chunks that the core's notes are made of. */
import { crc32c } from '../asm/bytes/crc32c';
import { lz4_expand } from '../asm/bytes/unlz4';
import { header_image_sound, header_newest } from '../asm/dump/header';
import {
  table_chunk,
  table_count,
  table_crc,
  table_enter,
  table_offset_blocks,
  table_stored_bytes,
  table_valid,
} from '../asm/dump/table';
import {
  CHUNK_BYTES,
  CHUNK_PAGES,
  CODEC_LZ4,
  CODEC_RAW,
  COPY_BYTES,
  DATA_LBA,
  HEADER_CHUNK_TOTAL_AT,
  HEADER_CIPHER_AT,
  HEADER_EPOCH_AT,
  HEADER_IMAGE_BLOCKS_AT,
  HEADER_IMAGE_LBA_AT,
  HEADER_SYSTEM_AT,
  HEADER_SAVE_CLEAN_AT,
  HEADER_SAVE_CLUSTERS_AT,
  HEADER_SAVE_CLUSTER_AT,
  HEADER_TABLE_LBA_AT,
  HEADER_TABLE_ROOM_AT,
  HEADER_UTC_AT,
  MISSING_UNREACHED,
  PAGE_BYTES,
  SECTOR_BYTES,
  TABLE_BLOCKS,
  TABLE_BYTES,
} from '../asm/layout';
import { EXFAT_BOOT_BLOCKS } from '../asm/volume/exfat/codes';
import { timer_work } from './board';
import {
  EV_SAVE_BEGIN,
  EV_SAVE_TRY,
  LOG_AT,
  LOG_BYTES,
  RECORD_AT,
  RECORD_BYTES,
  SAVE_DUMP,
  TRACE_AT,
  TRACE_BYTES,
  WORK_COPY,
  WORK_CRC,
} from './layout';
import { log_begin, log_end, log_number, log_text } from './log';
import { core, disk_at } from './memory';
import { SAVE_TRIES, note_try, refuse, saved_tries } from './save-header';
import {
  BLOCKS_PER_CHUNK,
  BOOT,
  HEADERS,
  MAP,
  NOTES,
  OFFSETS,
  POISON,
  SAVE_BOOT,
  SAVE_NOTES,
  SAVE_TABLE,
  SIZES,
  SUMS,
  TABLE,
  job_stage,
  save,
} from './save-state';
import { give_up, read } from './savecore';
import { trace } from './trace';

/** Table blocks may be missing in the middle when a dump was cut: as many as can have been in flight. */
const TABLE_GAP: u32 = 16;
const NOTE_CHUNKS: u32 = 3;

export function header_done(): void {
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
  s.utc = load<u64>(header + HEADER_UTC_AT);
  s.sealed = load<u32>(header + HEADER_CIPHER_AT);
  s.old_cluster = load<u32>(header + HEADER_SAVE_CLUSTER_AT);
  s.old_clusters = load<u32>(header + HEADER_SAVE_CLUSTERS_AT);
  s.was_clean = load<u32>(header + HEADER_SAVE_CLEAN_AT);
  memory.fill(MAP, <u8>MISSING_UNREACHED, s.chunks);
  memory.fill(POISON, 0, s.chunks * 2);
  if (saved_tries() >= SAVE_TRIES) return refuse();
  trace(EV_SAVE_BEGIN, c.save_disk, s.chunks);
  trace(EV_SAVE_TRY, c.save_disk, saved_tries() + 1);
  log_begin();
  log_text('savecore: from disk ');
  log_number(c.save_disk);
  log_text(' to the root file system on disk ');
  log_number(s.root);
  log_end();
  note_try();
}

export function next_table(): void {
  const s = save();
  if (s.table_at == s.table_room || s.table_gap == TABLE_GAP) return notes();
  read(SAVE_TABLE, core().save_disk, s.table_lba + <u64>s.table_at * TABLE_BLOCKS, TABLE_BLOCKS, TABLE);
}

/** A block of another epoch, or torn, lists nothing. */
export function table_done(readWell: bool): void {
  const s = save();
  if (readWell && table_valid(TABLE, s.table_at, s.system, s.epoch, s.chunks, s.image_blocks)) {
    s.table_gap = 0;
    s.table_end = s.table_at + 1;
    table_enter(TABLE, MAP, POISON);
    for (let i: u32 = 0, count = table_count(TABLE); i < count; i++) {
      const chunk = <usize>table_chunk(TABLE, i) * 4;
      if (table_stored_bytes(TABLE, i)) s.image_used = max<u64>(s.image_used, end_of(i));
      store<u32>(OFFSETS + chunk, table_offset_blocks(TABLE, i));
      store<u32>(SUMS + chunk, table_crc(TABLE, i));
      store<u16>(SIZES + chunk / 2, <u16>table_stored_bytes(TABLE, i));
    }
    timer_work(WORK_CRC, TABLE_BYTES);
  } else s.table_gap++;
  s.table_at++;
  next_table();
}

/** Block of the image behind the chunk of entry `i`. */
function end_of(i: u32): u64 {
  const blocks = (table_stored_bytes(TABLE, i) + SECTOR_BYTES - 1) / SECTOR_BYTES;
  return <u64>table_offset_blocks(TABLE, i) + blocks;
}

/** The chunks that the notes are made of come first. */
export function notes(): void {
  const s = save();
  for (; s.note < NOTE_CHUNKS; s.note++) {
    const chunk = note_chunk(s.note);
    if (is_stored(chunk))
      return read(SAVE_NOTES, core().save_disk, image_block(chunk), chunk_blocks(chunk), job_stage(0));
  }
  read(SAVE_BOOT, s.root, DATA_LBA, EXFAT_BOOT_BLOCKS, BOOT);
}

export function note_done(readWell: bool): void {
  const s = save();
  const chunk = note_chunk(s.note);
  const whole = !(load<u16>(POISON + <usize>chunk * 2) & note_pages(s.note));
  if (readWell && whole && unpack(chunk, job_stage(0), NOTES + <usize>s.note * CHUNK_BYTES))
    s.notes_good |= 1 << s.note;
  s.note++;
  notes();
}

/** Pages of its chunk that a note is made of, bit n for page n: one that lacks any of them is no note. */
function note_pages(n: u32): u32 {
  const at = (n == 0 ? RECORD_AT : n == 1 ? LOG_AT : TRACE_AT) % CHUNK_BYTES;
  const bytes = n == 0 ? RECORD_BYTES : n == 1 ? LOG_BYTES : TRACE_BYTES;
  const end = min<u32>((at + bytes + PAGE_BYTES - 1) / PAGE_BYTES, CHUNK_PAGES);
  return ((1 << end) - 1) & ~((1 << (at / PAGE_BYTES)) - 1);
}

export function note_good(n: u32): bool {
  return ((save().notes_good >> n) & 1) != 0;
}

/** The chunk as it was in memory, at `to`, out of what the image has of it at `from`. False when it is not. */
export function unpack(chunk: u32, from: usize, to: usize): bool {
  const raw = load<u8>(MAP + chunk) == <u8>CODEC_RAW;
  timer_work(WORK_COPY, CHUNK_BYTES);
  if (raw) memory.copy(to, from, CHUNK_BYTES);
  else if (lz4_expand(from, load<u16>(SIZES + <usize>chunk * 2), to, CHUNK_BYTES) != CHUNK_BYTES)
    return false;
  return is_exact(chunk, to);
}

export function is_exact(chunk: u32, data: usize): bool {
  timer_work(WORK_CRC, CHUNK_BYTES);
  return crc32c(0, data, CHUNK_BYTES) == load<u32>(SUMS + <usize>chunk * 4);
}

export function is_stored(chunk: u32): bool {
  const codec: u32 = load<u8>(MAP + chunk);
  return codec == CODEC_RAW || codec == CODEC_LZ4;
}

/** Blocks of a stored chunk in the image. */
export function chunk_blocks(chunk: u32): u32 {
  if (load<u8>(MAP + chunk) == <u8>CODEC_RAW) return BLOCKS_PER_CHUNK;
  return (<u32>load<u16>(SIZES + <usize>chunk * 2) + SECTOR_BYTES - 1) / SECTOR_BYTES;
}

export function note_chunk(n: u32): u32 {
  return (n == 0 ? RECORD_AT : n == 1 ? LOG_AT : TRACE_AT) / CHUNK_BYTES;
}

export function image_block(chunk: u32): u64 {
  return save().image_lba + load<u32>(OFFSETS + <usize>chunk * 4);
}
