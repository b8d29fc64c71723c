/**
 * The first CPU's side of a dump by two: it walks the order ahead of the writer, posts what the second CPU may look at,
 * and offers to the writer strictly in order. What is not done when its turn comes it does itself, and while the second
 * CPU still has it, whatever else waits. How many are posted depends on what the writer took, never on who was faster:
 * the same dump comes of it each time.
 */
import { writer_offer } from '../asm/dump/writer';
import { stage_table } from '../asm/dump/writer-state';
import { CODEC_LZ4 } from '../asm/layout';
import { writer } from './dump-control';
import {
  JOB_OUTPUTS,
  Job,
  Jobs,
  ahead,
  job_at,
  job_change,
  job_found,
  job_output,
  job_put,
  job_state,
  job_work,
  jobs,
  jobs_fit,
} from './dump-jobs';
import { offer_one, poison_of } from './dump-offer';
import { DUMP_WRITER, dump, dump_walk } from './dump-state';
import { JOBS_MAX, JOB_CLAIMED, JOB_DONE, JOB_FREE, JOB_OWN, JOB_POSTED } from './layout';
import { ORDER_END, ORDER_LATER, is_work_area, walk_next } from './order';

/** Looks at a job of the second CPU before the first one sleeps: longer than any job takes. */
const LOOKS: u32 = 100000;
/**
 * Of the host's time: a second CPU that is silent for so long is dead. Nothing but the speed of the dump depends on it,
 * because the first one then does the same.
 */
const SILENCE_NS: i64 = 500000000;
const TIMED_OUT: i32 = 2;

/** An image begins: what is left of the last one is of no use. */
export function ahead_begin(): void {
  assert(jobs_fit());
  const a = ahead();
  const j = jobs();
  for (; a.taken != a.posted; a.taken++) {
    const job = job_at(a.taken);
    if (job_change(job, JOB_POSTED, JOB_FREE)) continue;
    if (job_state(job) == JOB_CLAIMED) wait(job);
    job_put(job, JOB_FREE);
  }
  j.compress = writer().codec == CODEC_LZ4 ? 1 : 0;
  j.sum = writer().cipher ? 0 : 1;
  a.depth = j.compress ? JOB_OUTPUTS : JOBS_MAX;
  a.ended = 0;
}

/** At most so many chunks, as long as the writer takes them. */
export function ahead_offer(chunks: u32): void {
  const a = ahead();
  a.stopped = 0;
  for (let n: u32 = 0; n < chunks; n++) {
    fill();
    if (a.taken == a.posted) {
      if (a.ended) dump().walked = 1;
      return;
    }
    const job = job_at(a.taken);
    if (!offer(job)) return;
    job_put(job, JOB_FREE);
    a.taken++;
  }
}

function fill(): void {
  const a = ahead();
  while (!a.stopped && !a.ended && a.posted - a.taken < a.depth) {
    const chunk = walk_next(dump_walk());
    if (chunk == ORDER_LATER) a.stopped = 1;
    else if (chunk == ORDER_END) a.ended = 1;
    else post(chunk);
  }
}

function post(chunk: u32): void {
  const a = ahead();
  const job = job_at(a.posted);
  job.chunk = chunk;
  job.at = job_output(a.posted);
  const isOwn = a.alone || is_work_area(chunk) || poison_of(chunk);
  job_put(job, isOwn ? JOB_OWN : JOB_POSTED);
  const j = changetype<usize>(jobs());
  atomic.store<u32>(j, ++a.posted, offsetof<Jobs>('posted'));
  if (!atomic.load<u32>(j, offsetof<Jobs>('awake'))) atomic.notify(j + offsetof<Jobs>('posted'), 1);
}

/** False when it must be offered again. */
function offer(job: Job): bool {
  finish(job);
  if (job_state(job) == JOB_OWN) return offer_one(job.chunk);
  const w = writer();
  w.found = job_found(job);
  const done = writer_offer(DUMP_WRITER, job.chunk, false, 0);
  w.found = 0;
  return done;
}

/** Until it is DONE, or OWN. */
function finish(job: Job): void {
  for (;;) {
    const state = job_state(job);
    if (state == JOB_DONE || state == JOB_OWN) return;
    if (!work(job) && !help()) wait(job);
  }
}

function work(job: Job): bool {
  if (!job_change(job, JOB_POSTED, JOB_CLAIMED)) return false;
  job_work(job, stage_table(writer()));
  job_put(job, JOB_DONE);
  return true;
}

/** Does the next job that nobody has; false without one. */
function help(): bool {
  const a = ahead();
  if (<i32>(a.helped - a.taken) < 0) a.helped = a.taken;
  while (a.helped != a.posted) if (work(job_at(a.helped++))) return true;
  return false;
}

/** For a job that the second CPU has. If it does not come back, this CPU does without the other from here on. */
function wait(job: Job): void {
  for (let n: u32 = 0; n < LOOKS; n++) if (job_state(job) != JOB_CLAIMED) return;
  const j = changetype<usize>(jobs());
  atomic.store<u32>(j, 1, offsetof<Jobs>('waiting'));
  const at = changetype<usize>(job) + offsetof<Job>('state');
  const timedOut = atomic.wait<i32>(at, JOB_CLAIMED, SILENCE_NS) == TIMED_OUT;
  atomic.store<u32>(j, 0, offsetof<Jobs>('waiting'));
  if (timedOut && job_change(job, JOB_CLAIMED, JOB_OWN)) go_alone();
}

/** What comes of a job that was taken away from it is void, and where it writes this nobody reads any more. */
function go_alone(): void {
  const a = ahead();
  a.alone = 1;
  for (let n = a.taken; n != a.posted; n++) {
    const job = job_at(n);
    if (!job_change(job, JOB_POSTED, JOB_OWN)) job_change(job, JOB_CLAIMED, JOB_OWN);
  }
}
