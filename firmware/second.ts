/**
 * What the second CPU of a board runs: it has no devices and no stack of the first one's, and sees the same memory. It
 * sleeps until a panic, and then works off what the panic handler posts. It writes nothing but jobs, what comes of them,
 * and its own scratch, all in the panic handler's work area.
 */
import { crc32c_init } from '../asm/bytes/crc32c';
import { fold_in } from '../asm/bytes/fold';
import { Job, Jobs, job_at, job_change, job_output, job_work, jobs } from './dump-jobs';
import { SECOND_FOLD, SECOND_TABLE } from './dump-state';
import { JOBS_MAX, JOB_CLAIMED, JOB_DONE, JOB_POSTED } from './layout';

/** So often it looks again before it sleeps: to be woken takes longer than the first CPU takes between two jobs. */
const LOOKS: u32 = 200000;

/** Before the first CPU boots: RAM is zero, and tables that both use are written. */
export function second_begin(): void {
  fold_in(SECOND_FOLD);
  crc32c_init();
}

/** Never returns. */
export function second(): void {
  let next: u32 = 0;
  for (;;) {
    const posted = look(next);
    if (posted - next > JOBS_MAX) next = posted - JOBS_MAX; // the first CPU was faster
    if (next != posted) take(next++);
  }
}

/** Waits until there are other jobs than `before`; their count. */
function look(before: u32): u32 {
  const j = changetype<usize>(jobs());
  for (let n: u32 = 0; n < LOOKS; n++) {
    const posted = atomic.load<u32>(j, offsetof<Jobs>('posted'));
    if (posted != before) return posted;
  }
  atomic.store<u32>(j, 0, offsetof<Jobs>('awake'));
  atomic.wait<i32>(j + offsetof<Jobs>('posted'), before, -1);
  atomic.store<u32>(j, 1, offsetof<Jobs>('awake'));
  return atomic.load<u32>(j, offsetof<Jobs>('posted'));
}

function take(count: u32): void {
  const job = job_at(count);
  if (!job_change(job, JOB_POSTED, JOB_CLAIMED)) return;
  // What firmware left there when it went wrong must not make a second CPU fault.
  if (job.chunk >= <u32>memory.size() || job.at != job_output(count)) return;
  job_work(job, SECOND_TABLE);
  if (job_change(job, JOB_CLAIMED, JOB_DONE)) told(job);
}

function told(job: Job): void {
  if (atomic.load<u32>(changetype<usize>(jobs()), offsetof<Jobs>('waiting')))
    atomic.notify(changetype<usize>(job) + offsetof<Job>('state'), 1);
}
