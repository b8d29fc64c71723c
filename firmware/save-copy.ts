/**
 * Savecore copies the chunks: jobs of chunks that lie in a row in image and file, each chunk checked. What cannot be
 * read, or is not what was written, is missing in the core, with its reason; never zero.
 */
import { ELF_END, ELF_ZEROS, elf_miss, elf_next, elf_piece_chunk, elf_piece_offset } from '../asm/dump/elf';
import { cdb_read16, cdb_write16 } from '../asm/initiator/cdb';
import { OUTCOME_GOOD } from '../asm/initiator/outcome';
import { CHUNK_BYTES, CODEC_RAW, MISSING_CORRUPT, MISSING_UNREADABLE, SECTOR_BYTES } from '../asm/layout';
import { NO_COMMAND, command_new, command_send, entry_of } from './command';
import { SAVE_BUSY, SAVE_DISK } from './layout';
import { core } from './memory';
import { head, plan_anew } from './save-file';
import { chunk_blocks, image_block, is_exact, unpack } from './save-image';
import {
  BLOCKS_PER_CHUNK,
  ELF,
  JOBS,
  JOB_FREE,
  JOB_READING,
  JOB_WRITING,
  Job,
  KIND_SAVE,
  MAP,
  SAVE_COPY,
  job_at,
  job_buffer,
  job_chunk,
  job_stage,
  save,
} from './save-state';
import { give_up } from './savecore';
import { wake_at } from './state';

/** Starts jobs as long as there are pieces, and a job is free. */
export function copy(): void {
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
  if (s.replan) plan_anew();
  else head();
}

/** Gathers pieces that lie in a row in the file and, if they are chunks, in the image. */
function start(i: u32): void {
  const s = save();
  const job = job_at(i);
  job.chunks = 0;
  let block: u64 = 0;
  while (job.chunks < s.job_chunks) {
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
    const blocks = zeros ? 0 : chunk_blocks(chunk);
    if (!job.chunks) {
      job.blocks = job.packed = 0;
      job.zeros = zeros;
      job.first = chunk;
      job.file_block = file;
      block = at;
    } else {
      const inFile = file == job.file_block + job.chunks * BLOCKS_PER_CHUNK;
      const inImage = zeros != 0 || at == block + job.blocks;
      if (zeros != job.zeros || !inFile || !inImage) {
        s.pending = piece;
        break;
      }
    }
    store<u32>(job_chunk(job, job.chunks), chunk);
    job.chunks++;
    job.blocks += blocks;
    if (!zeros && load<u8>(MAP + chunk) != <u8>CODEC_RAW) job.packed = 1;
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
  const to = job.packed ? job_stage(i) : job_buffer(i);
  cdb_read16(entry_of(slot), block, job.blocks, to, job.blocks * SECTOR_BYTES);
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

export function job_done(i: u32, outcome: u32): void {
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
  let stage = job_stage(i);
  for (let n: u32 = 0; n < job.chunks; n++) {
    const chunk = load<u32>(job_chunk(job, n));
    const data = job_buffer(i) + <usize>n * CHUNK_BYTES;
    const exact = readWell && (job.packed ? unpack(chunk, stage, data) : is_exact(chunk, data));
    stage += chunk_blocks(chunk) * SECTOR_BYTES;
    if (!readWell) miss(chunk, data, MISSING_UNREADABLE);
    else if (!exact) miss(chunk, data, MISSING_CORRUPT);
  }
}

/** Takes the chunk out of the plan; when that holds no more such chunks, the file is planned and copied anew. */
function miss(chunk: u32, data: usize, reason: u32): void {
  memory.fill(data, 0, CHUNK_BYTES); // its place in the file belongs to no segment
  if (elf_miss(ELF, chunk, reason)) return;
  store<u8>(MAP + chunk, <u8>reason);
  save().replan = 1;
}
