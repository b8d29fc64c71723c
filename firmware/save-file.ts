/**
 * Savecore plans the core file and writes all of it but the chunks: the steps of exFAT in order, and the file's head
 * last.
 */
import { crc32c } from '../asm/bytes/crc32c';
import {
  elf_begin,
  elf_file_bytes,
  elf_head,
  elf_head_bytes,
  elf_note,
  elf_plan,
  elf_poison,
  elf_task,
} from '../asm/dump/elf';
import { header_newest } from '../asm/dump/header';
import {
  CHUNK_BYTES,
  COPY_BYTES,
  HEADER_ABORT_AT,
  HEADER_ATTRIBUTE_AT,
  HEADER_SCRUB_AT,
  HEADER_SCRUB_COUNT_AT,
  MISSING_UNREACHED,
  NOTE_LOG,
  NOTE_PANIC,
  NOTE_SCRUBBED,
  NOTE_TRACE,
  SCRUB_BYTES,
  SECTOR_BYTES,
} from '../asm/layout';
import {
  STEP_BITMAP,
  STEP_CLEAN,
  STEP_DATA,
  STEP_DIRECTORY,
  STEP_DIRTY,
  exfat_add,
  exfat_file_cluster,
  exfat_file_clusters,
  exfat_step_blocks,
  exfat_step_boot,
  exfat_step_kind,
  exfat_step_lba,
  exfat_step_offset,
  exfat_steps,
} from '../asm/volume/exfat/add';
import { EXFAT_DIR_BYTES, EXFAT_EXISTS, EXFAT_OK } from '../asm/volume/exfat/codes';
import { exfat_cluster_bytes, exfat_directory_lba, exfat_root } from '../asm/volume/exfat/mount';
import { core_name } from './core-name';
import {
  LOG_BYTES,
  RECORD_AT,
  RECORD_BYTES,
  RECORD_PC_AT,
  RECORD_REASON_AT,
  SAVE_DUMP,
  SAVE_ROOM,
  SAVE_VOLUME,
  TRACE_BYTES,
} from './layout';
import { core } from './memory';
import { copy } from './save-copy';
import { note_run } from './save-header';
import { note_good } from './save-image';
import { sealed_begin, sealed_bytes } from './save-sealed';
import {
  BITMAP,
  BOOT,
  DIRECTORY,
  ELF,
  HEAD,
  HEADERS,
  MAP,
  NAME,
  NAMES_MAX,
  NOTES,
  POISON,
  ROOT,
  SAVE_COPY,
  SAVE_DIRECTORY,
  SAVE_FLUSH,
  SAVE_HEAD,
  SAVE_STEP,
  SAVE_SYNC,
  VOLUME,
  save,
} from './save-state';
import { give_up, read, sync, write } from './savecore';

/** Bytes of the head that go out at once. */
export function head_piece(): u32 {
  return save().job_chunks > 1 ? 2 * CHUNK_BYTES : CHUNK_BYTES;
}

const CORES = memory.data<u8>([0x63, 0x6f, 0x72, 0x65, 0x73]); // "cores"
const CORES_BYTES: u32 = 5;

export function root_done(): void {
  const s = save();
  if (exfat_root(VOLUME, ROOT, CORES, CORES_BYTES) != EXFAT_OK)
    return give_up('the root volume has no directory cores', SAVE_VOLUME);
  read(SAVE_DIRECTORY, s.root, exfat_directory_lba(VOLUME), EXFAT_DIR_BYTES / SECTOR_BYTES, DIRECTORY);
}

const TASK_NAME = memory.data<u8>([0x66, 0x69, 0x72, 0x6d, 0x77, 0x61, 0x72, 0x65]); // "firmware"
const SIGABRT: u32 = 6;

export function plan(): void {
  const s = save();
  if (s.sealed && !s.table_end) return give_up('no chunk of it was written', SAVE_DUMP);
  if (s.sealed) return plan_file(sealed_bytes());
  const header = HEADERS + <usize>header_newest(HEADERS) * COPY_BYTES;
  elf_begin(ELF, MAP, s.chunks, load<u32>(header + HEADER_ATTRIBUTE_AT), load<u32>(header + HEADER_ABORT_AT));
  elf_poison(ELF, POISON);
  const record = NOTES + (RECORD_AT % CHUNK_BYTES);
  const known = note_good(0);
  elf_task(ELF, 1, SIGABRT, known ? load<u32>(record + RECORD_PC_AT) : 0, TASK_NAME, 8);
  if (known && load<u32>(record + RECORD_REASON_AT)) elf_note(ELF, NOTE_PANIC, record, RECORD_BYTES);
  if (note_good(1)) elf_note(ELF, NOTE_LOG, NOTES + CHUNK_BYTES, LOG_BYTES);
  if (note_good(2)) elf_note(ELF, NOTE_TRACE, NOTES + 2 * CHUNK_BYTES, TRACE_BYTES);
  const scrubbed = load<u32>(header + HEADER_SCRUB_COUNT_AT);
  if (scrubbed) elf_note(ELF, NOTE_SCRUBBED, header + HEADER_SCRUB_AT, scrubbed * SCRUB_BYTES);
  elf_plan(ELF);
  plan_file(elf_file_bytes(ELF));
}

/** Finds room for the file, and notes where, before anything is written there. */
function plan_file(bytes: u64): void {
  const c = core();
  const s = save();
  s.bytes = bytes;
  const utc = s.utc;
  const cluster = exfat_cluster_bytes(VOLUME);
  const floor = <u32>((((<u64>c.floor_mib) << 20) + cluster - 1) / cluster);
  let added: u32 = EXFAT_EXISTS;
  // A file of that name is another crash in the same second, or the same one saved before: neither is overwritten.
  for (let again: u32 = 0; added == EXFAT_EXISTS && again < NAMES_MAX; again++) {
    const nameBytes = core_name(NAME, s.system, utc, again, s.sealed != 0);
    added = exfat_add(VOLUME, BITMAP, DIRECTORY, NAME, nameBytes, s.bytes, utc, floor);
  }
  if (added != EXFAT_OK) return give_up('no room in the root file system', SAVE_ROOM);
  s.step = 0;
  s.file_lba = exfat_step_lba(VOLUME, 1);
  note_run(exfat_file_cluster(VOLUME), exfat_file_clusters(VOLUME));
}

/**
 * Plans the file without the chunks that turned out to be missing. Nothing that makes it a file is written yet:
 * directory and bitmap are read again as they are on the disk.
 */
export function plan_anew(): void {
  const s = save();
  for (let chunk: u32 = 0; chunk < s.chunks; chunk++) {
    const state = load<u8>(MAP + chunk);
    if (state >= <u8>MISSING_UNREACHED) store<u8>(MAP + chunk, state & 0xbf); // without the mark of a taken-out slot
  }
  s.replan = s.ended = s.pending = 0;
  s.old_clusters = 0; // nothing of this try is in the bitmap yet
  read(SAVE_DIRECTORY, s.root, exfat_directory_lba(VOLUME), EXFAT_DIR_BYTES / SECTOR_BYTES, DIRECTORY);
}

export function next_step(): void {
  const s = save();
  if (s.step == exfat_steps(VOLUME)) return sync(SAVE_SYNC);
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
      if (s.sealed) return sealed_begin();
      core().save_step = SAVE_COPY;
      return copy();
  }
}

/** The head, in pieces; after it the file is whole, and is read back. */
export function head(): void {
  const s = save();
  const total = elf_head_bytes(ELF);
  if (s.head_at >= total) return sync(SAVE_FLUSH);
  const bytes = min<u32>(head_piece(), total - s.head_at);
  elf_head(ELF, HEAD, s.head_at, bytes);
  s.head_sum = crc32c(s.head_at ? s.head_sum : 0, HEAD, bytes);
  const lba = s.file_lba + s.head_at / SECTOR_BYTES;
  s.head_at += bytes;
  write(SAVE_HEAD, s.root, lba, bytes / SECTOR_BYTES, HEAD);
}
