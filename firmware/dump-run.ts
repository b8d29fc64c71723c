/**
 * The dump while it runs: chunks in order of importance to the writer, the limit watched, the header closed cleanly
 * before it.
 */
import { writer_begin, writer_drained, writer_oldest, writer_out, writer_step } from '../asm/dump/writer';
import {
  ABORT_LIMIT,
  ABORT_MEDIUM,
  ABORT_NONE,
  ABORT_NO_ROOM,
  ABORT_PARTNER,
  ATTRIBUTE_ABORTED,
  ATTRIBUTE_COMPLETED,
  ATTRIBUTE_DUMPING,
  DATA_LBA,
} from '../asm/layout';
import { timer_work, trace_event } from './board';
import { ahead_begin, ahead_offer } from './dump-ahead';
import { control_header, writer } from './dump-control';
import { drop_disk } from './dump-disk';
import {
  DUMP_CIPHER,
  DUMP_DONE,
  DUMP_DONE_BYTES,
  DUMP_MEND,
  DUMP_RING,
  DUMP_SQ,
  DUMP_STAGE,
  DUMP_WRITER,
  dump,
  dump_walk,
} from './dump-state';
import { KEY_GOOD } from './dump-key';
import { offer_one } from './dump-offer';
import { STEP_CLOSE, STEP_END, STEP_PROGRESS, STEP_RUN } from './dump-step';
import { EV_DUMP_BEGIN, EV_STOP, WORK_CIPHER, WORK_COMPRESS, WORK_COPY, WORK_CRC, WORK_SCAN } from './layout';
import { core, disk_at } from './memory';
import { ORDER_END, ORDER_LATER, walk_begin, walk_next } from './order';
import { over } from './panic';
import { image_blocks, image_lba, table_room } from './spare';

/** A disk that does not answer a write in so long has failed. */
const WRITE_TIMEOUT_MS: u32 = 4000;
/** Chunks looked at in one cycle: what the CPU can scan and checksum in it. */
const CHUNKS_PER_CYCLE: u32 = 4;
const PROGRESS_US: u64 = 1000000;
const STOP_HEARD: u32 = 2;

/** Time kept for closing as long as nothing is measured: this, and a quarter of the limit at most. */
const CLOSE_US: u64 = 400000;
/** What is measured may be so short that a single cycle more would be too long. */
const CLOSE_LEAST_US: u64 = 40000;

/** The image from its first chunk on, on this disk. */
export function restart(pastErrors: bool): void {
  const d = dump();
  const w = writer();
  w.sq = <u32>DUMP_SQ;
  w.sq_mask = DUMP_RING - 1;
  w.target = d.disk;
  w.port = d.path;
  w.system = core().system;
  w.epoch = core().epoch;
  w.table_lba = DATA_LBA;
  w.table_room = table_room();
  w.image_lba = image_lba();
  w.image_blocks = image_blocks(disk_at(d.disk));
  w.now = d.now;
  w.timeout_ms = WRITE_TIMEOUT_MS;
  w.codec = d.codec;
  w.stage = <u32>DUMP_STAGE;
  w.mend = <u32>DUMP_MEND;
  w.batch_blocks = d.write_blocks;
  w.cipher = d.cipher == KEY_GOOD ? <u32>DUMP_CIPHER : 0;
  w.attempt = d.attempt;
  writer_begin(DUMP_WRITER, pastErrors);
  d.walked = d.pending_chunk = d.tables_told = d.moving = d.end_again = 0;
  memory.fill(DUMP_DONE, 0, DUMP_DONE_BYTES);
  walk_begin(dump_walk(), <u32>DUMP_DONE);
  if (ASC_FEATURE_THREADS) ahead_begin();
}

export function run(): void {
  const d = dump();
  const w = writer();
  if (d.now + closing_us() >= d.limit_at) return begin_close(ABORT_LIMIT);
  if (w.fenced) return over();
  if (w.failed) return drop_disk();
  if (d.stop) {
    trace_event(EV_STOP, d.disk, STOP_HEARD, 0);
    return begin_close(ABORT_PARTNER);
  }
  if (d.moving) return;
  writer_step(DUMP_WRITER);
  offer();
  if (w.no_room) return begin_close(ABORT_NO_ROOM);
  if (d.walked) return begin_close(ABORT_NONE);
  if (d.step == STEP_RUN && d.now >= d.progress_at && w.tables_written) {
    d.progress_at = d.now + PROGRESS_US;
    d.step = STEP_PROGRESS;
    control_header(ATTRIBUTE_DUMPING, ABORT_NONE);
  }
}

/** A cycle's worth of chunks, in order of importance. */
function offer(): void {
  const w = writer();
  const halves: u32 = dump().cpus > 1 ? 1 : 0;
  if (ASC_FEATURE_THREADS) {
    if (halves) ahead_offer(2 * CHUNKS_PER_CYCLE);
    else offer_next();
  } else offer_next();
  // Of what two CPUs share each does a half: a rule, because who has done what depends on the host.
  if (w.scanned) timer_work(WORK_SCAN, w.scanned >> halves);
  if (w.summed) timer_work(WORK_CRC, w.cipher ? w.summed : w.summed >> halves);
  if (w.packed) timer_work(WORK_COMPRESS, w.packed >> halves);
  if (w.sealed) timer_work(WORK_CIPHER, w.sealed);
  if (w.mended) timer_work(WORK_COPY, w.mended);
  w.scanned = w.summed = w.packed = w.sealed = w.mended = 0;
}

function offer_next(): void {
  const d = dump();
  for (let n: u32 = 0; n < CHUNKS_PER_CYCLE; n++) {
    const chunk = d.pending_chunk ? d.pending_chunk - 1 : walk_next(dump_walk());
    d.pending_chunk = 0;
    if (chunk == ORDER_LATER) break;
    if (chunk == ORDER_END) {
      d.walked = 1;
      break;
    }
    if (!offer_one(chunk)) {
      d.pending_chunk = chunk + 1;
      break;
    }
  }
}

export function close_us(): u64 {
  return min<u64>(CLOSE_US, (<u64>dump().limit_ms * 1000) / 4);
}

/**
 * How long it takes from now to a closed header, as the disk is now: what is in flight, and the batch being filled, come
 * back one after the other, or as late as the oldest is already; then a table block and the header, each as long as a
 * header took. Half as much again, for a disk that gets slower.
 */
function closing_us(): u64 {
  const d = dump();
  const each = writer().recent_us;
  if (!each) return close_us();
  const slow = max<u64>(each * (writer_out(DUMP_WRITER) + 1), writer_oldest(DUMP_WRITER));
  const needed = slow + 2 * d.control_us;
  return max<u64>(needed + needed / 2, min<u64>(CLOSE_LEAST_US, close_us()));
}

function begin_close(cause: u32): void {
  const d = dump();
  writer().closing = 1;
  d.close_cause = cause;
  if (d.step == STEP_RUN) d.step = STEP_CLOSE;
}

export function close(): void {
  const d = dump();
  const w = writer();
  if (w.fenced) return over();
  if (d.moving || d.control_busy) return;
  if (w.failed && !w.past_errors) return drop_disk();
  writer_step(DUMP_WRITER);
  if (!writer_drained(DUMP_WRITER)) {
    // With the limit upon us what is in flight is not waited for: the table does not list it.
    if (d.now + min<u64>(close_us() / 4, closing_us() / 2) < d.limit_at) return;
    d.close_cause = ABORT_LIMIT;
  }
  if (w.lost && d.close_cause == ABORT_NONE) d.close_cause = ABORT_MEDIUM;
  d.step = STEP_END;
  control_header(d.close_cause == ABORT_NONE ? ATTRIBUTE_COMPLETED : ATTRIBUTE_ABORTED, d.close_cause);
}

export function marked(): void {
  const d = dump();
  d.step = STEP_RUN;
  d.progress_at = d.now + PROGRESS_US;
  trace_event(EV_DUMP_BEGIN, d.disk, d.attempt, 0);
}
