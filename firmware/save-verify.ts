/**
 * Savecore reads back what it has written, before the file gets its name: each chunk by the checksum that the panic
 * handler made of it, zeros as zeros, the head by a checksum of its own.
 */
import { crc32c } from '../asm/bytes/crc32c';
import { is_zero } from '../asm/bytes/zero';
import {
  ELF_END,
  ELF_ZEROS,
  elf_head_bytes,
  elf_next,
  elf_piece_chunk,
  elf_piece_offset,
  elf_rewind,
} from '../asm/dump/elf';
import { CHUNK_BYTES, SECTOR_BYTES } from '../asm/layout';
import { timer_work } from './board';
import { SAVE_BACK, WORK_CRC, WORK_SCAN } from './layout';
import { core } from './memory';
import { head_piece, next_step } from './save-file';
import { is_exact } from './save-image';
import {
  BLOCKS_PER_CHUNK,
  ELF,
  HEAD,
  Job,
  SAVE_VERIFY,
  VERIFY_ZERO,
  job_at,
  job_buffer,
  job_chunk,
  save,
} from './save-state';
import { give_up, read } from './savecore';
import { wake_at } from './state';

export function verify_begin(): void {
  const s = save();
  elf_rewind(ELF);
  s.ended = s.pending = s.head_at = s.back_sum = s.reading = 0;
  s.next_at = 0;
  core().save_step = SAVE_VERIFY;
  verify();
}

/** The next read, when the share of the disk's time allows it. */
export function verify(): void {
  const c = core();
  const s = save();
  if (s.reading) return;
  if (c.now < s.next_at) return wake_at(s.next_at);
  const job = job_at(0);
  if (!s.ended) gather(job);
  s.reading = 1;
  job.began = <u32>c.now;
  if (job.chunks && !s.head_at) {
    const blocks = job.chunks * BLOCKS_PER_CHUNK;
    return read(SAVE_VERIFY, s.root, s.file_lba + job.file_block, blocks, job_buffer(0));
  }
  const left = elf_head_bytes(ELF) - s.head_at;
  if (!left) return whole();
  const blocks = min<u32>(head_piece(), left) / SECTOR_BYTES;
  read(SAVE_VERIFY, s.root, s.file_lba + s.head_at / SECTOR_BYTES, blocks, HEAD);
}

/** Pieces that lie in a row in the file. */
function gather(job: Job): void {
  const s = save();
  job.chunks = 0;
  while (job.chunks < s.job_chunks) {
    const piece: u32 = s.pending ? s.pending : <u32>elf_next(ELF);
    s.pending = 0;
    if (piece == ELF_END) {
      s.ended = 1;
      return;
    }
    const file = <u32>(elf_piece_offset(ELF) / SECTOR_BYTES);
    if (!job.chunks) job.file_block = file;
    else if (file != job.file_block + job.chunks * BLOCKS_PER_CHUNK) {
      s.pending = piece;
      return;
    }
    const mark: u32 = piece == ELF_ZEROS ? VERIFY_ZERO : 0;
    store<u32>(job_chunk(job, job.chunks++), elf_piece_chunk(ELF) | mark);
  }
}

export function verify_done(): void {
  const c = core();
  const s = save();
  const job = job_at(0);
  s.reading = 0;
  if (job.chunks && !s.head_at) {
    for (let n: u32 = 0; n < job.chunks; n++) {
      const data = job_buffer(0) + <usize>n * CHUNK_BYTES;
      if (!is_good(load<u32>(job_chunk(job, n)), data)) return differs();
    }
    job.chunks = 0;
  } else {
    const bytes = min<u32>(head_piece(), elf_head_bytes(ELF) - s.head_at);
    timer_work(WORK_CRC, bytes);
    s.back_sum = crc32c(s.back_sum, HEAD, bytes);
    s.head_at += bytes;
  }
  if (c.save_share && c.save_share < 100) {
    const took = <u32>c.now - job.began;
    s.next_at = c.now + (<u64>took * (100 - c.save_share)) / c.save_share;
  }
  verify();
}

function is_good(entry: u32, data: usize): bool {
  if (!(entry & VERIFY_ZERO)) return is_exact(entry, data);
  timer_work(WORK_SCAN, CHUNK_BYTES);
  return is_zero(data, CHUNK_BYTES);
}

function whole(): void {
  const s = save();
  if (s.back_sum != s.head_sum) return differs();
  s.step++;
  next_step();
}

function differs(): void {
  give_up('what was read back is not what was written', SAVE_BACK);
}
