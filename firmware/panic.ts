/**
 * The panic handler. Interrupts are masked for good; memory is frozen but for the handler's own work area, which was
 * zero. Then the same fixed cycle runs the dump, polled: announce it (message and mailbox slot), mark the disk, write
 * memory in order of importance, close the header before the limit, and end.
 *
 * A disk that fails is dropped and the dump starts again on the next; the last attempt goes past errors. A panic in
 * here only halts.
 */
import {
  ABORT_FENCED,
  ABORT_LIMIT,
  ABORT_MEDIUM,
  ABORT_NONE,
  ABORT_NO_ROOM,
  ATTRIBUTE_ABORTED,
  ATTRIBUTE_COMPLETED,
  ATTRIBUTE_DUMPING,
  CHUNK_BYTES,
  COPY_BLOCKS,
  COPY_BYTES,
  CQE_BYTES,
  CQE_TAG_AT,
  DATA_LBA,
  HEADER_ABORT_AT,
  HEADER_ATTRIBUTE_AT,
  HEADER_BUILD_AT,
  HEADER_BUILD_BYTES,
  HEADER_ENDED_US_AT,
  HEADER_FAILED_US_AT,
  HEADER_LIMIT_MS_AT,
  HEADER_LOST_AT,
  HEADER_ORDER_AT,
  HEADER_ORDER_COUNT_AT,
  HEADER_REASON_AT,
  HEADER_RECORD_AT,
  HEADER_STARTED_US_AT,
  HEADER_STORED_AT,
  HEADER_STORED_BYTES_AT,
  HEADER_TABLE_COUNT_AT,
  HEADER_UTC_AT,
  HEADER_WRITTEN_US_AT,
  HEADER_ZERO_AT,
  MAIL_BYTES,
  ORDER_BYTES,
  PANIC_ASSERT,
  PANIC_TRAP,
  SQE_BYTES,
  SQE_PORT_AT,
  SQE_TAG_AT,
  SQE_TARGET_AT,
  SQE_TIMEOUT_MS_AT,
} from '../asm/layout';
import { fold_in } from '../asm/bytes/fold';
import { writer_begin, writer_done, writer_drained, writer_offer, writer_step } from '../asm/dump/writer';
import { Writer, fold_area, writer_at } from '../asm/dump/writer-state';
import { header_begin, header_lba, header_seal } from '../asm/dump/header';
import {
  PR_PREEMPT,
  PR_REGISTER_AND_IGNORE,
  PR_RESERVE,
  PR_WRITE_EXCLUSIVE,
  cdb_reserve_out,
  cdb_write16,
} from '../asm/initiator/cdb';
import {
  OUTCOME_ATTENTION,
  OUTCOME_BUSY,
  OUTCOME_CONFLICT,
  OUTCOME_GOOD,
  OUTCOME_PATH,
  outcome_of,
} from '../asm/initiator/outcome';
import {
  hba_configure,
  hba_doorbell,
  hba_poll,
  hba_reset,
  interconnect_receive,
  irq_mask,
  nvram_read,
  port_configure,
  reset_halt,
  reset_reboot,
  timer_utc,
  timer_work,
  trace_event,
  watchdog_feed,
} from './board';
import {
  BOARD_PANIC,
  EV_DUMP_BEGIN,
  EV_DUMP_END,
  EV_DUMP_ERROR,
  EV_DUMP_NONE,
  EV_DUMP_PROGRESS,
  EV_FROZEN,
  EV_HALT,
  EV_LENT,
  EV_PANIC,
  EV_PATH,
  MESSAGE_ROOM,
  MSG_DUMP_ENDED,
  MSG_ELAPSED_US_AT,
  MSG_KIND_AT,
  MSG_LEND,
  MSG_LENT,
  MSG_LIMIT_MS_AT,
  MSG_PANIC,
  MSG_REASON_AT,
  MSG_WWN_AT,
  NV_INDEX,
  NV_PARTNER,
  NV_SYSTEM,
  RECORD_ADDRESS_AT,
  RECORD_AT,
  RECORD_BUILD_AT,
  RECORD_EPOCH_AT,
  RECORD_LINE_AT,
  RECORD_MAGIC,
  RECORD_MAGIC_AT,
  RECORD_MEMORY_AT,
  RECORD_PC_AT,
  RECORD_PHASE_AT,
  RECORD_REASON_AT,
  RECORD_SYSTEM_AT,
  RECORD_TIME_AT,
  RECORD_UTC_AT,
  WORK_COMMAND,
  WORK_CRC,
  WORK_SCAN,
} from './layout';
import {
  DUMP_CQ,
  DUMP_DONE,
  DUMP_DONE_BYTES,
  DUMP_ENTRY,
  DUMP_HEADER,
  DUMP_LIST,
  DUMP_MAIL,
  DUMP_MESSAGE_IN,
  DUMP_MESSAGE_OUT,
  DUMP_RING,
  DUMP_SQ,
  DUMP_WRITER,
  TAG_CONTROL,
  dump,
  dump_walk,
} from './dump-state';
import { mail_build, mail_lba } from './mailbox';
import { NO_DISK, core, disk_at } from './memory';
import { message_begin, message_good, message_send } from './message';
import { now_us } from './now';
import {
  ORDER_END,
  ORDER_LATER,
  is_work_area,
  region_chunks,
  region_first,
  walk_begin,
  walk_next,
} from './order';
import { header_point, image_blocks, image_lba, spare_pick, table_room } from './spare';

/** Steps of the handler. */
const STEP_MAIL: u32 = 1; // our mailbox slot says that we dump, and where
const STEP_MARK: u32 = 2; // the header says dumping
const STEP_RUN: u32 = 3;
const STEP_PROGRESS: u32 = 4; // a header with the progress is being written, the dump goes on
const STEP_CLOSE: u32 = 5; // nothing more is sent; what is in flight comes back
const STEP_END: u32 = 6; // the closing header
const STEP_LEND: u32 = 7; // the partner has the disk: asked for it
const STEP_REGISTER: u32 = 8;
const STEP_RESERVE: u32 = 9;
const STEP_MOVE: u32 = 10; // our reservation goes to the other path
const STEP_OVER: u32 = 11;

const CONTROL_TRIES: u32 = 4;
/** A command of the partner may abort ours, and then no answer ever comes. */
const CONTROL_MS: u32 = 400;
/** Chunks looked at in one cycle: what the CPU can scan and checksum in it. */
const CHUNKS_PER_CYCLE: u32 = 4;
/** Attempts on different disks; the last goes past errors. */
const ATTEMPTS: u32 = 2;
const LEND_US: u64 = 2000000;
const PROGRESS_US: u64 = 1000000;
/** Time kept for closing: this at most and a quarter of the limit at most, or three times the slowest write so far. */
const CLOSE_US: u64 = 400000;

function writer(): Writer {
  return writer_at(DUMP_WRITER);
}

export function panicking(): bool {
  return load<u32>(RECORD_AT + RECORD_MAGIC_AT) == RECORD_MAGIC;
}

/** Entry: the board calls it with PANIC_*, the code offset if it knows it, and the address of a memory error. */
export function panic_enter(reason: u32, pc: u32, address: u32): void {
  irq_mask(0xffffffff);
  hba_reset();
  port_configure(0, 0); // no request is put into RAM any more
  if (panicking()) {
    trace_event(EV_HALT, 0, 2, 0);
    return reset_halt();
  }
  const c = core();
  const at = <usize>RECORD_AT;
  const asserted = reason == PANIC_TRAP && load<u32>(at + RECORD_LINE_AT) != 0;
  const why: u32 = asserted ? PANIC_ASSERT : reason;
  store<u32>(at + RECORD_REASON_AT, why);
  store<u64>(at + RECORD_TIME_AT, now_us());
  store<u32>(at + RECORD_PC_AT, pc);
  store<u32>(at + RECORD_ADDRESS_AT, address);
  store<u32>(at + RECORD_EPOCH_AT, c.epoch);
  store<u32>(at + RECORD_SYSTEM_AT, nvram_read(NV_SYSTEM));
  store<u32>(at + RECORD_UTC_AT, timer_utc());
  store<u32>(at + RECORD_PHASE_AT, c.phase);
  store<u64>(at + RECORD_MEMORY_AT, <u64>c.pages * CHUNK_BYTES);
  // A panic before boot has read its NVRAM: the partner must know the message for ours all the same.
  if (!c.system) {
    c.system = nvram_read(NV_SYSTEM);
    c.partner = nvram_read(NV_PARTNER);
    c.index = nvram_read(NV_INDEX);
    c.mailbox = NO_DISK;
    c.coredump = NO_DISK;
  }
  store<u32>(at + RECORD_MAGIC_AT, RECORD_MAGIC);
  trace_event(EV_PANIC, why, c.phase, 0);
  trace_event(EV_FROZEN, 0, 0, 0);
  begin();
}

function begin(): void {
  const d = dump();
  const c = core();
  d.active = 1;
  fold_in(fold_area(DUMP_WRITER));
  d.reason = load<u32>(RECORD_AT + RECORD_REASON_AT);
  d.failed_at = load<u64>(RECORD_AT + RECORD_TIME_AT);
  d.limit_at = d.failed_at + <u64>c.limit_ms * 1000;
  hba_configure(<u32>DUMP_SQ, DUMP_RING, <u32>DUMP_CQ, DUMP_RING);
  d.disk = c.coredump != NO_DISK && disk_at(c.coredump).prepared ? c.coredump : NO_DISK;
  announce();
  if (c.mailbox == NO_DISK || !disk_at(c.mailbox).present) return mark();
  d.step = STEP_MAIL;
  d.path = disk_at(c.mailbox).path;
  control_mail();
}

/** Tells the partner: now, and where the dump goes. Only a hint; the attribute on the disk is the truth. */
function announce(): void {
  const d = dump();
  const buf = DUMP_MESSAGE_OUT;
  message_begin(buf, MSG_PANIC, ++d.sequence, d.disk == NO_DISK ? 0 : disk_at(d.disk).wwn);
  store<u32>(buf + MSG_REASON_AT, d.reason);
  store<u32>(buf + MSG_ELAPSED_US_AT, <u32>(now_us() - d.failed_at));
  store<u32>(buf + MSG_LIMIT_MS_AT, core().limit_ms);
  message_send(buf);
}

function control_mail(): void {
  const c = core();
  const d = dump();
  mail_build(DUMP_MAIL, BOARD_PANIC, c.beat + ++d.beat, d.disk == NO_DISK ? 0 : disk_at(d.disk).wwn);
  cdb_write16(DUMP_ENTRY, mail_lba(c.index), 1, true, DUMP_MAIL, MAIL_BYTES);
  control(c.mailbox);
}

/** Sends the entry just built to `disk`, one such at a time. */
function control(disk: u32): void {
  const d = dump();
  d.control_disk = disk;
  d.control_busy = 1;
  d.control_tries = 0;
  send_control();
}

/** The entry goes into the ring that the writer's commands go into. */
function send_control(): void {
  const d = dump();
  const w = writer();
  store<u32>(DUMP_ENTRY + SQE_TAG_AT, TAG_CONTROL);
  store<u16>(DUMP_ENTRY + SQE_TARGET_AT, <u16>d.control_disk);
  store<u8>(DUMP_ENTRY + SQE_PORT_AT, <u8>d.path);
  store<u32>(DUMP_ENTRY + SQE_TIMEOUT_MS_AT, CONTROL_MS);
  memory.copy(DUMP_SQ + <usize>(w.sq_tail & (DUMP_RING - 1)) * SQE_BYTES, DUMP_ENTRY, SQE_BYTES);
  w.sq_tail++;
}

/** The header says dumping: from here on the partner leaves the disk to us. */
function mark(): void {
  const d = dump();
  if (d.disk == NO_DISK) {
    trace_event(EV_DUMP_NONE, 0, 0, 0);
    return over();
  }
  const disk = disk_at(d.disk);
  d.attempt++;
  d.tried |= (<u64>1) << d.disk;
  d.path = disk.path;
  d.header_copy = disk.header_copy;
  d.header_sequence = disk.header_sequence;
  d.started_at = now_us();
  restart(d.attempt >= ATTEMPTS || spare_pick(d.tried) == NO_DISK);
  d.step = STEP_MARK;
  control_header(ATTRIBUTE_DUMPING, ABORT_NONE);
}

/** The image from its first chunk on, on this disk. */
function restart(pastErrors: bool): void {
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
  writer_begin(DUMP_WRITER, pastErrors);
  d.walked = d.pending_chunk = d.tables_told = d.moving = 0;
  memory.fill(DUMP_DONE, 0, DUMP_DONE_BYTES);
  walk_begin(dump_walk(), <u32>DUMP_DONE);
}

/** Builds the header as things stand and writes it over the older copy. */
function control_header(attribute: u32, cause: u32): void {
  const d = dump();
  const c = core();
  const w = writer();
  const buf = DUMP_HEADER;
  header_begin(buf);
  header_point(buf, disk_at(d.disk));
  store<u32>(buf + HEADER_ATTRIBUTE_AT, attribute);
  store<u32>(buf + HEADER_ABORT_AT, cause);
  store<u32>(buf + HEADER_REASON_AT, d.reason);
  store<u32>(buf + HEADER_TABLE_COUNT_AT, w.tables_written);
  store<u64>(buf + HEADER_STORED_BYTES_AT, w.stored_bytes);
  store<u32>(buf + HEADER_ZERO_AT, w.zero);
  store<u32>(buf + HEADER_STORED_AT, w.stored);
  store<u32>(buf + HEADER_LOST_AT, w.lost);
  store<u64>(buf + HEADER_FAILED_US_AT, d.failed_at);
  store<u64>(buf + HEADER_STARTED_US_AT, d.started_at);
  store<u64>(buf + HEADER_WRITTEN_US_AT, now_us());
  store<u64>(buf + HEADER_ENDED_US_AT, attribute == ATTRIBUTE_DUMPING ? 0 : now_us());
  store<u32>(buf + HEADER_LIMIT_MS_AT, c.limit_ms);
  store<u64>(buf + HEADER_UTC_AT, load<u32>(RECORD_AT + RECORD_UTC_AT));
  memory.copy(buf + HEADER_BUILD_AT, RECORD_AT + RECORD_BUILD_AT, HEADER_BUILD_BYTES);
  store<u32>(buf + HEADER_RECORD_AT, RECORD_AT);
  store<u32>(buf + HEADER_ORDER_COUNT_AT, 7);
  for (let region: u32 = 1; region <= 7; region++) {
    const place = buf + HEADER_ORDER_AT + (region - 1) * ORDER_BYTES;
    store<u32>(place, region_first(region));
    store<u32>(place + 4, region_chunks(region));
    store<u32>(place + 8, region);
  }
  header_seal(buf, ++d.header_sequence);
  d.header_copy ^= 1;
  d.cause = cause;
  d.attribute = attribute;
  cdb_write16(DUMP_ENTRY, header_lba(d.header_copy), COPY_BLOCKS, true, buf, COPY_BYTES);
  control(d.disk);
}

/** One cycle of the panic handler. Returns the cycles that may be skipped: none, it polls. */
export function panic_cycle(): u32 {
  const d = dump();
  if (d.step == STEP_OVER) return 1000;
  d.now = writer().now = now_us();
  reap();
  receive();
  if (d.step == STEP_RUN || d.step == STEP_PROGRESS) run();
  else if (d.step == STEP_CLOSE) close();
  else if (d.step == STEP_LEND) {
    watchdog_feed(core().watchdog_ms); // a bounded wait
    if (d.now > d.lend_until) ask_arbiter();
  }
  if (d.moving && !writer().in_flight && !d.control_busy) move_reservation();
  flush();
  return 0;
}

/** Rings the doorbell once for all that this cycle sent. */
function flush(): void {
  const d = dump();
  const w = writer();
  if (w.sq_tail == d.sq_rung) return;
  timer_work(WORK_COMMAND, w.sq_tail - d.sq_rung);
  d.sq_rung = w.sq_tail;
  hba_doorbell(w.sq_tail);
}

function run(): void {
  const d = dump();
  const w = writer();
  const margin = max<u64>(close_us(), w.slowest_us * 3);
  if (d.now + margin >= d.limit_at) return begin_close(ABORT_LIMIT);
  if (w.fenced) return over();
  if (w.failed) return drop_disk();
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
  const d = dump();
  const w = writer();
  for (let n: u32 = 0; n < CHUNKS_PER_CYCLE; n++) {
    const chunk = d.pending_chunk ? d.pending_chunk - 1 : walk_next(dump_walk());
    d.pending_chunk = 0;
    if (chunk == ORDER_LATER) break;
    if (chunk == ORDER_END) {
      d.walked = 1;
      break;
    }
    // The work area was zero when memory was frozen; what is in it now is the dump's own.
    if (!writer_offer(DUMP_WRITER, chunk, is_work_area(chunk))) {
      d.pending_chunk = chunk + 1;
      break;
    }
  }
  if (w.scanned) timer_work(WORK_SCAN, w.scanned);
  if (w.summed) timer_work(WORK_CRC, w.summed);
  w.scanned = w.summed = 0;
}

function close_us(): u64 {
  return min<u64>(CLOSE_US, (<u64>core().limit_ms * 1000) / 4);
}

function begin_close(cause: u32): void {
  const d = dump();
  writer().closing = 1;
  d.close_cause = cause;
  if (d.step == STEP_RUN) d.step = STEP_CLOSE;
}

function close(): void {
  const d = dump();
  const w = writer();
  if (w.fenced) return over();
  if (d.moving || d.control_busy) return;
  if (w.failed && !w.past_errors) return drop_disk();
  writer_step(DUMP_WRITER);
  if (!writer_drained(DUMP_WRITER)) {
    // With the limit upon us what is in flight is not waited for: the table does not list it.
    if (d.now + close_us() / 4 < d.limit_at) return;
    d.close_cause = ABORT_LIMIT;
  }
  if (w.lost && d.close_cause == ABORT_NONE) d.close_cause = ABORT_MEDIUM;
  d.step = STEP_END;
  control_header(d.close_cause == ABORT_NONE ? ATTRIBUTE_COMPLETED : ATTRIBUTE_ABORTED, d.close_cause);
}

function reap(): void {
  const d = dump();
  const posted = hba_poll();
  if (posted != d.cq_head) watchdog_feed(core().watchdog_ms); // progress, and nothing else, feeds it
  while (d.cq_head != posted) {
    const cqe = DUMP_CQ + <usize>(d.cq_head & (DUMP_RING - 1)) * CQE_BYTES;
    d.cq_head++;
    const tag = load<u32>(cqe + CQE_TAG_AT);
    const outcome = outcome_of(cqe);
    if (!writer_done(DUMP_WRITER, tag, outcome)) control_done(outcome);
  }
  const w = writer();
  if (w.path_dead && !d.path_tried && d.step != STEP_END) d.moving = 1;
  w.path_dead = 0;
  w.hold = d.moving;
  if (w.tables_written == d.tables_told) return;
  d.tables_told = w.tables_written;
  trace_event(EV_DUMP_PROGRESS, d.disk, w.zero + w.stored + w.lost, 0);
}

/** The reservation belongs to the nexus of the dead path: preempt ourselves from the other ([SPC-4] 5.13.11.2.4). */
function move_reservation(): void {
  const d = dump();
  d.path_tried = 1;
  d.path ^= 1;
  writer().port = d.path;
  d.step_before = d.step;
  d.step = STEP_MOVE;
  trace_event(EV_PATH, d.disk, d.path, 0);
  const key = core().key;
  cdb_reserve_out(DUMP_ENTRY, PR_PREEMPT, PR_WRITE_EXCLUSIVE, DUMP_LIST, key, key);
  control(d.disk);
}

function control_done(outcome: u32): void {
  const d = dump();
  d.control_busy = 0;
  const again = outcome == OUTCOME_ATTENTION || outcome == OUTCOME_BUSY;
  if (again && d.control_tries < CONTROL_TRIES) {
    d.control_tries++;
    d.control_busy = 1;
    return send_control();
  }
  switch (d.step) {
    case STEP_MAIL:
      // A conflict: the takeover has begun, our disks may be gone. Marking one now could cross the partner's preemption.
      if (outcome == OUTCOME_GOOD || d.disk == NO_DISK) return mark();
      if (!d.arbiter_asked) return ask_for(d.disk);
      // It has begun, and the partner does not answer. Nor can it take over without the arbiter if nobody is there.
      if (outcome == OUTCOME_CONFLICT) d.disk = NO_DISK;
      return mark();
    case STEP_MARK:
      if (outcome == OUTCOME_GOOD) return marked();
      if (outcome == OUTCOME_CONFLICT) return ask_for(d.disk);
      if (outcome == OUTCOME_PATH && !d.path_tried) return move_reservation();
      return next_disk();
    case STEP_PROGRESS:
      d.step = writer().closing ? STEP_CLOSE : STEP_RUN;
      if (outcome == OUTCOME_CONFLICT) writer().fenced = 1;
      return;
    case STEP_END:
      return ended(outcome);
    case STEP_REGISTER:
      cdb_reserve_out(DUMP_ENTRY, PR_RESERVE, PR_WRITE_EXCLUSIVE, DUMP_LIST, core().key, 0);
      d.step = STEP_RESERVE;
      return control(d.disk);
    case STEP_RESERVE:
      if (outcome != OUTCOME_GOOD) return next_disk();
      trace_event(EV_LENT, d.disk, 1, 0);
      d.attempt--;
      return mark();
    case STEP_MOVE:
      d.moving = writer().hold = 0;
      d.step = d.step_before;
      if (d.step == STEP_MARK) return control_header(ATTRIBUTE_DUMPING, ABORT_NONE);
  }
}

function marked(): void {
  const d = dump();
  d.step = STEP_RUN;
  d.progress_at = d.now + PROGRESS_US;
  trace_event(EV_DUMP_BEGIN, d.disk, d.attempt, 0);
}

/** The disk fails: its header says so if it still can, and the dump starts again on the next. */
function drop_disk(): void {
  const d = dump();
  if (writer().in_flight || d.control_busy) return;
  trace_event(EV_DUMP_ERROR, d.disk, 0, 0);
  d.step = STEP_END;
  d.dropping = 1;
  control_header(ATTRIBUTE_ABORTED, ABORT_MEDIUM);
}

function ended(outcome: u32): void {
  const d = dump();
  if (outcome == OUTCOME_PATH && !d.path_tried) {
    d.header_sequence--;
    d.header_copy ^= 1;
    d.moving = 1;
    d.step = STEP_CLOSE;
    return;
  }
  trace_event(EV_DUMP_END, d.disk, outcome == OUTCOME_GOOD ? d.attribute : ATTRIBUTE_DUMPING, d.cause);
  if (d.dropping) {
    d.dropping = 0;
    return next_disk();
  }
  over();
}

function next_disk(): void {
  const d = dump();
  if (d.disk != NO_DISK) d.tried |= (<u64>1) << d.disk;
  d.disk = d.attempt >= ATTEMPTS ? NO_DISK : spare_pick(d.tried);
  d.path_tried = 0;
  announce(); // the partner learns of the new disk, or that there is none
  if (d.disk == NO_DISK) return mark();
  // By now the partner may have taken it, or be about to: marking it unasked could cross its preemption.
  ask_for(d.disk);
}

/** No answer from the partner: the arbiter tells whether its takeover has begun. */
function ask_arbiter(): void {
  const d = dump();
  const c = core();
  if (c.mailbox == NO_DISK || !disk_at(c.mailbox).present || d.arbiter_asked) {
    d.disk = NO_DISK;
    return mark();
  }
  d.arbiter_asked = 1;
  d.step = STEP_MAIL;
  d.path = disk_at(c.mailbox).path;
  control_mail();
}

/** The partner has taken the disk. It held no service data there: ask to have it back for the dump. */
function ask_for(disk: u32): void {
  const d = dump();
  d.step = STEP_LEND;
  d.lend_until = d.now + LEND_US;
  message_begin(DUMP_MESSAGE_OUT, MSG_LEND, ++d.sequence, disk_at(disk).wwn);
  store<u32>(DUMP_MESSAGE_OUT + MSG_ELAPSED_US_AT, <u32>(d.now - d.failed_at));
  store<u32>(DUMP_MESSAGE_OUT + MSG_LIMIT_MS_AT, core().limit_ms);
  message_send(DUMP_MESSAGE_OUT);
}

function receive(): void {
  const d = dump();
  const bytes = interconnect_receive(<u32>DUMP_MESSAGE_IN, MESSAGE_ROOM);
  if (!bytes || !message_good(DUMP_MESSAGE_IN, bytes)) return;
  const lent = load<u32>(DUMP_MESSAGE_IN + MSG_KIND_AT) == MSG_LENT;
  if (!lent || d.step != STEP_LEND || load<u64>(DUMP_MESSAGE_IN + MSG_WWN_AT) != disk_at(d.disk).wwn) return;
  d.step = STEP_REGISTER;
  d.path = disk_at(d.disk).path;
  cdb_reserve_out(DUMP_ENTRY, PR_REGISTER_AND_IGNORE, 0, DUMP_LIST, 0, core().key);
  control(d.disk);
}

function over(): void {
  const d = dump();
  if (writer().fenced) trace_event(EV_DUMP_END, d.disk, ATTRIBUTE_ABORTED, ABORT_FENCED);
  d.step = STEP_OVER;
  message_begin(DUMP_MESSAGE_OUT, MSG_DUMP_ENDED, ++d.sequence, d.disk == NO_DISK ? 0 : disk_at(d.disk).wwn);
  message_send(DUMP_MESSAGE_OUT);
  trace_event(EV_HALT, core().reboot, 1, 0);
  if (core().reboot) reset_reboot();
  else reset_halt();
}
