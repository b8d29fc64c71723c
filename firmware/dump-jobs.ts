/**
 * What two CPUs share while a dump runs: a ring of chunks that are looked at before the writer wants them. A job is
 * pure: what comes of it depends on the bytes of the chunk alone, and these are frozen, so it does not matter which CPU
 * has done it. Whoever changes a job's state from POSTED to CLAIMED does it, and gives its result with the change to
 * DONE; if somebody else has changed the state meanwhile, the result is void.
 */
import { crc32c } from '../asm/bytes/crc32c';
import { LZ4_TABLE_BYTES, lz4_compress } from '../asm/bytes/lz4';
import { FOLD_BYTES } from '../asm/bytes/fold';
import { is_zero } from '../asm/bytes/zero';
import { PACK_ROOM } from '../asm/dump/pack';
import { CIPHER_AREA_BYTES, Found, STAGE_AREA_BYTES } from '../asm/dump/writer-state';
import { CHUNK_BYTES } from '../asm/layout';
import { DUMP_CIPHER, DUMP_PACKED, DUMP_STAGE, DUMP_WRITER, SECOND_FOLD, SECOND_TABLE } from './dump-state';
import { AHEAD_AT, JOBS_AT, JOBS_HEAD_BYTES, JOBS_MAX, JOB_BYTES, WORK_AT, WORK_BYTES } from './layout';

/** With compression, as many as there is room for what comes of them. */
export const JOB_OUTPUTS: u32 = 8;


@unmanaged
export class Jobs {
  posted: u32; // running count, and what the second CPU waits for
  awake: u32; // 0: the second CPU sleeps, or is about to; until a panic all is zero here
  waiting: u32; // 1: the first CPU waits for a job that the second one has
  compress: u32;
  sum: u32;
}

/** Of the first CPU: how far it is. */
@unmanaged
export class Ahead {
  posted: u32; // running counts: the same as in Jobs
  taken: u32; // running count: offered to the writer
  helped: u32; // jobs before this one are all claimed
  depth: u32; // jobs at most on their way
  stopped: u32; // no more are found in this cycle
  ended: u32; // all chunks have been posted
  alone: u32; // the second CPU does not answer: nothing more for it
}


@unmanaged
export class Job {
  state: u32; // JOB_*
  chunk: u32;
  zero: u32; // from here on as Found
  crc: u32;
  bytes: u32;
  at: u32;
}

// @ts-ignore: decorator
@inline
export function ahead(): Ahead {
  return changetype<Ahead>(<usize>AHEAD_AT);
}
// @ts-ignore: decorator
@inline
export function jobs(): Jobs {
  return changetype<Jobs>(<usize>JOBS_AT);
}
/** Of a running count. */
// @ts-ignore: decorator
@inline
export function job_at(count: u32): Job {
  return changetype<Job>(<usize>(JOBS_AT + JOBS_HEAD_BYTES + (count % JOBS_MAX) * JOB_BYTES));
}
export function job_found(job: Job): u32 {
  return <u32>(changetype<usize>(job) + offsetof<Job>('zero'));
}
export function job_output(count: u32): u32 {
  return <u32>DUMP_PACKED + (count % JOB_OUTPUTS) * CHUNK_BYTES;
}

/** What belongs to two CPUs lies beside what belongs to a dump by one. */
export function jobs_fit(): bool {
  return (
    DUMP_CIPHER + CIPHER_AREA_BYTES <= <usize>JOBS_AT &&
    JOBS_AT + JOBS_HEAD_BYTES + JOBS_MAX * JOB_BYTES <= <u32>DUMP_WRITER &&
    DUMP_STAGE + STAGE_AREA_BYTES <= SECOND_FOLD &&
    SECOND_FOLD + FOLD_BYTES <= SECOND_TABLE &&
    SECOND_TABLE + LZ4_TABLE_BYTES <= DUMP_PACKED &&
    DUMP_PACKED + JOB_OUTPUTS * CHUNK_BYTES <= <usize>(WORK_AT + WORK_BYTES)
  );
}

export function job_state(job: Job): u32 {
  return atomic.load<u32>(changetype<usize>(job), offsetof<Job>('state'));
}
export function job_put(job: Job, state: u32): void {
  atomic.store<u32>(changetype<usize>(job), state, offsetof<Job>('state'));
}
/** True when it was `from`, and is `to` now. Looks first: a look does not take the line from the other CPU. */
export function job_change(job: Job, from: u32, to: u32): bool {
  if (job_state(job) != from) return false;
  return atomic.cmpxchg<u32>(changetype<usize>(job), from, to, offsetof<Job>('state')) == from;
}

/** `table`: the caller's own, for the compression; its checksum has its own scratch already. */
export function job_work(job: Job, table: usize): void {
  const j = jobs();
  const found = changetype<Found>(<usize>job_found(job));
  const chunk = <usize>job.chunk * CHUNK_BYTES;
  found.zero = is_zero(chunk, CHUNK_BYTES) ? 1 : 0;
  if (found.zero) return;
  found.bytes = j.compress ? lz4_compress(chunk, CHUNK_BYTES, found.at, PACK_ROOM, table) : 0;
  found.crc = j.sum ? crc32c(0, chunk, CHUNK_BYTES) : 0;
}
