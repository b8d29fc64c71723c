/**
 * Savecore of a dump that is encrypted: this board has no key to it, and keeps it as it is, in a container file: header,
 * chunk table and image as on the dump disk, without gaps. One piece after another, each read, written, and in the end
 * read back, within the share of the disk's time.
 *
 * [layout] CONTAINER_TABLE_LBA
 */
import { crc32c } from '../asm/bytes/crc32c';
import { header_newest, header_seal } from '../asm/dump/header';
import {
  CHUNK_BYTES,
  CONTAINER_TABLE_LBA,
  COPY_BYTES,
  HEADER_IMAGE_BLOCKS_AT,
  HEADER_IMAGE_LBA_AT,
  HEADER_SEQUENCE_AT,
  HEADER_TABLE_COUNT_AT,
  HEADER_TABLE_LBA_AT,
  HEADER_TABLE_ROOM_AT,
  SECTOR_BYTES,
  TABLE_BLOCKS,
  TABLE_BYTES,
} from '../asm/layout';
import { timer_work } from './board';
import { SAVE_BACK, WORK_CRC } from './layout';
import { core } from './memory';
import { next_step } from './save-file';
import {
  HEADERS,
  SAVE_FLUSH,
  SAVE_PIECE,
  SAVE_PIECE_BACK,
  SAVE_PIECE_WRITE,
  job_buffer,
  save,
} from './save-state';
import { give_up, read, sync, write } from './savecore';
import { wake_at } from './state';

export function sealed_bytes(): u64 {
  const s = save();
  return COPY_BYTES + <u64>s.table_end * TABLE_BYTES + s.image_used * SECTOR_BYTES;
}

export function sealed_begin(): void {
  const s = save();
  s.at = 0;
  s.head_sum = 0;
  s.next_at = 0;
  s.reading = 0;
  core().save_step = SAVE_PIECE;
  sealed_step();
}

/** Bytes from `at` on that lie in one piece on the dump disk too, as many as both disks move at once. */
function piece(at: u64): u32 {
  const s = save();
  const table = <u64>COPY_BYTES + <u64>s.table_end * TABLE_BYTES;
  const end = at < <u64>COPY_BYTES ? <u64>COPY_BYTES : at < table ? table : sealed_bytes();
  return <u32>min<u64>(end - at, <u64>s.job_chunks * CHUNK_BYTES);
}

/** The next piece, when the share of the disk's time allows it. */
export function sealed_step(): void {
  const c = core();
  const s = save();
  if (s.reading) return;
  if (c.now < s.next_at) return wake_at(s.next_at);
  const back = c.save_step == SAVE_PIECE_BACK;
  if (s.at == sealed_bytes()) return back ? whole() : sync(SAVE_FLUSH);
  const bytes = piece(s.at);
  s.reading = 1;
  s.piece_at = c.now;
  const blocks = bytes / SECTOR_BYTES;
  if (back) return read(SAVE_PIECE_BACK, s.root, s.file_lba + s.at / SECTOR_BYTES, blocks, job_buffer(0));
  if (s.at < <u64>COPY_BYTES) {
    put_header(job_buffer(0));
    return put();
  }
  const table = <u64>COPY_BYTES + <u64>s.table_end * TABLE_BYTES;
  const from =
    s.at < table
      ? s.table_lba + (s.at - COPY_BYTES) / SECTOR_BYTES
      : s.image_lba + (s.at - table) / SECTOR_BYTES;
  read(SAVE_PIECE, c.save_disk, from, blocks, job_buffer(0));
}

/** The piece is read: it goes to the file as it is. */
export function put(): void {
  const s = save();
  const bytes = piece(s.at);
  timer_work(WORK_CRC, bytes);
  s.head_sum = crc32c(s.head_sum, job_buffer(0), bytes);
  write(SAVE_PIECE_WRITE, s.root, s.file_lba + s.at / SECTOR_BYTES, bytes / SECTOR_BYTES, job_buffer(0));
}

export function sealed_written(): void {
  core().save_step = SAVE_PIECE;
  advance();
}

export function sealed_back_begin(): void {
  const s = save();
  s.at = 0;
  s.back_sum = 0;
  s.reading = 0;
  core().save_step = SAVE_PIECE_BACK;
  sealed_step();
}

export function sealed_back(): void {
  const s = save();
  const bytes = piece(s.at);
  timer_work(WORK_CRC, bytes);
  s.back_sum = crc32c(s.back_sum, job_buffer(0), bytes);
  advance();
}

function advance(): void {
  const c = core();
  const s = save();
  s.at += piece(s.at);
  s.reading = 0;
  if (c.save_share && c.save_share < 100) {
    s.next_at = c.now + ((c.now - s.piece_at) * (100 - c.save_share)) / c.save_share;
  }
  sealed_step();
}

function whole(): void {
  const s = save();
  if (s.back_sum != s.head_sum) return give_up('what was read back is not what was written', SAVE_BACK);
  s.step++;
  next_step();
}

/** The header of the dump, but its pointers are those of the file. */
function put_header(buf: usize): void {
  const s = save();
  const newest = HEADERS + <usize>header_newest(HEADERS) * COPY_BYTES;
  memory.copy(buf, newest, COPY_BYTES);
  store<u64>(buf + HEADER_TABLE_LBA_AT, CONTAINER_TABLE_LBA);
  store<u32>(buf + HEADER_TABLE_ROOM_AT, s.table_end);
  store<u32>(buf + HEADER_TABLE_COUNT_AT, s.table_end);
  store<u64>(buf + HEADER_IMAGE_LBA_AT, <u64>CONTAINER_TABLE_LBA + <u64>s.table_end * TABLE_BLOCKS);
  store<u64>(buf + HEADER_IMAGE_BLOCKS_AT, s.image_used);
  header_seal(buf, load<u32>(newest + HEADER_SEQUENCE_AT));
}
