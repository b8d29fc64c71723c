/** State, buffers and steps of savecore, in its area of the memory map. */
import { CHUNK_BYTES, SECTOR_BYTES } from '../asm/layout';
import { SAVE_AT } from './layout';

export const KIND_SAVE: u32 = 0x6000;

// The area of savecore; its parts.
export const ELF: usize = SAVE_AT + 0x400;

export const VOLUME: usize = SAVE_AT + 0x600;
export const NAME: usize = SAVE_AT + 0x800;
export const HEADERS: usize = SAVE_AT + 0x1000;
export const TABLE: usize = SAVE_AT + 0x3000;
export const BOOT: usize = SAVE_AT + 0x4000;
export const DIRECTORY: usize = SAVE_AT + 0x8000;
export const BITMAP: usize = SAVE_AT + 0x10000;
export const ROOT: usize = SAVE_AT + 0x18000;
export const MAP: usize = SAVE_AT + 0x20000; // a byte a chunk
export const OFFSETS: usize = SAVE_AT + 0x30000; // u32 a chunk: block in the image
export const SUMS: usize = SAVE_AT + 0x70000; // u32 a chunk: CRC32C
export const NOTES: usize = SAVE_AT + 0xb0000; // the chunks of the panic record, the log and the trace
export const HEAD: usize = SAVE_AT + 0xe0000;
const BUFFERS: usize = SAVE_AT + 0x100000;

/** u16 a chunk: bytes of it in the image, where it is compressed. */
export const SIZES: usize = SAVE_AT + 0x200000;
/** Compressed chunks of a job, as they lie in the image. */
const STAGES: usize = SAVE_AT + 0x220000;
/** u16 a chunk: its pages that could not be read in RAM. */
export const POISON: usize = SAVE_AT + 0x320000;

/** Jobs: one reads while the other writes; each up to so many chunks that lie in a row in image and file. */
export const JOBS: u32 = 2;
export const JOB_CHUNKS: u32 = 8;
const JOB_BYTES: usize = 64;
const JOBS_AT: usize = SAVE_AT + 0x300;
export const BLOCKS_PER_CHUNK: u32 = CHUNK_BYTES / SECTOR_BYTES;
export const SAVE_IDLE: u32 = 0;
export const SAVE_HEADER: u32 = 1;
export const SAVE_TABLE: u32 = 2;
export const SAVE_NOTES: u32 = 3;
export const SAVE_BOOT: u32 = 4;
export const SAVE_ROOT: u32 = 5;
export const SAVE_DIRECTORY: u32 = 6;
export const SAVE_BITMAP: u32 = 7;
export const SAVE_STEP: u32 = 8; // the writes of exFAT, in order
export const SAVE_COPY: u32 = 9;
export const SAVE_HEAD: u32 = 10;
export const SAVE_SYNC: u32 = 11;
export const SAVE_MARK: u32 = 12;
export const SAVE_TRIED: u32 = 13; // the header says that there is one more try
export const SAVE_NOTED: u32 = 14; // and which clusters it takes
export const SAVE_REPAIR: u32 = 15; // what an earlier try left is taken back
export const SAVE_FLUSH: u32 = 16;
export const SAVE_VERIFY: u32 = 17; // the file is read back
export const SAVE_REFUSED: u32 = 18;
export const SAVE_PIECE: u32 = 19; // of an encrypted dump: read from the dump disk
export const SAVE_PIECE_WRITE: u32 = 20;
export const SAVE_PIECE_BACK: u32 = 21;
/** Core files of one second. */
export const NAMES_MAX: u32 = 100;
/** Mark of a chunk that is zero, in the list of a job that reads back. */
export const VERIFY_ZERO: u32 = 0x80000000;
export const JOB_FREE: u32 = 0;
export const JOB_READING: u32 = 1;
export const JOB_WRITING: u32 = 2;


@unmanaged
class Save {
  root: u32;
  chunks: u32;
  table_at: u32;
  table_gap: u32;
  table_room: u32;
  note: u32;
  notes_good: u32; // bit a note whose chunk was read well
  step: u32;
  waiting: u32; // a command of the straight part is out
  pending: u32; // a piece found but not put into a job: ELF_*
  ended: u32; // no more pieces
  replan: u32; // more chunks are missing than the plan could take out
  head_at: u32;
  reading: u32; // a read of what was written is out
  present: u32;
  table_lba: u64;
  image_lba: u64;
  image_blocks: u64;
  file_lba: u64;
  bytes: u64;
  next_at: u64; // us, the share of the disk's time
  began_at: u64;
  utc: u64; // of the failure
  image_used: u64; // blocks of the image that the table lists
  at: u64; // byte of the container file
  piece_at: u64; // us
  table_end: u32; // blocks of the table up to the last good one
  sealed: u32; // the dump is encrypted
  epoch: u32;
  system: u32;
  job_chunks: u32; // of a job: what both disks can move at once
  sequence: u32; // of the header that is being written
  old_cluster: u32; // what an earlier try chose
  old_clusters: u32;
  was_clean: u32; // the volume, before the first try
  removes: u32;
  head_sum: u32; // CRC32C of the head as written
  back_sum: u32; // and as read back
}


@unmanaged
export class Job {
  state: u32;
  chunks: u32;
  zeros: u32;
  first: u32; // chunk; the others follow in file order
  file_block: u32;
  began: u32; // us, low half
  blocks: u32; // in the image
  packed: u32; // some of its chunks are compressed: they lie in the stage first
  list: u64; // JOB_CHUNKS of u32 from here on
}

export function save(): Save {
  return changetype<Save>(SAVE_AT as usize);
}

export function job_at(i: u32): Job {
  return changetype<Job>(JOBS_AT + <usize>i * JOB_BYTES);
}

export function job_buffer(i: u32): usize {
  return BUFFERS + <usize>i * JOB_CHUNKS * CHUNK_BYTES;
}

export function job_stage(i: u32): usize {
  return STAGES + <usize>i * JOB_CHUNKS * CHUNK_BYTES;
}

export function job_chunk(job: Job, n: u32): usize {
  return changetype<usize>(job) + offsetof<Job>('list') + n * 4;
}
