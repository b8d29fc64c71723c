/**
 * The panic handler's own commands, one at a time: its mailbox slot, the headers, the reservation's move to another
 * path; and what follows from each answer.
 */
import { label_newest } from '../asm/volume/label';
import { seal } from './seal';
import { header_begin, header_lba, header_seal } from '../asm/dump/header';
import { Writer, writer_at } from '../asm/dump/writer-state';
import {
  PR_PREEMPT_AND_ABORT,
  PR_RESERVE,
  PR_WRITE_EXCLUSIVE,
  cdb_read16,
  cdb_reserve_out,
  cdb_write16,
} from '../asm/initiator/cdb';
import {
  OUTCOME_ATTENTION,
  OUTCOME_BUSY,
  OUTCOME_CONFLICT,
  OUTCOME_GOOD,
  OUTCOME_LOST,
  OUTCOME_MEDIUM,
  OUTCOME_PATH,
} from '../asm/initiator/outcome';
import {
  ABORT_NONE,
  ATTRIBUTE_DUMPING,
  COPY_BLOCKS,
  COPY_BYTES,
  HEADER_ABORT_AT,
  HEADER_ATTRIBUTE_AT,
  HEADER_BUILD_AT,
  HEADER_BUILD_BYTES,
  HEADER_CODEC_AT,
  HEADER_ENDED_US_AT,
  HEADER_FAILED_US_AT,
  HEADER_LIMIT_MS_AT,
  HEADER_LOST_AT,
  HEADER_ORDER_AT,
  HEADER_ORDER_COUNT_AT,
  HEADER_POISONED_AT,
  HEADER_POISONED_PAGES_AT,
  HEADER_REASON_AT,
  HEADER_RECORD_AT,
  HEADER_STARTED_US_AT,
  HEADER_STORED_AT,
  HEADER_STORED_BYTES_AT,
  HEADER_TABLE_COUNT_AT,
  HEADER_UTC_AT,
  HEADER_WRITTEN_US_AT,
  HEADER_ZERO_AT,
  LABEL_LBA,
  LABEL_OWNER_AT,
  LABEL_ROLE_AT,
  MAIL_BYTES,
  ORDER_BYTES,
  ROLE_DUMP,
  ROLE_SPARE,
  SQE_BYTES,
  SQE_PORT_AT,
  SQE_TAG_AT,
  SQE_TARGET_AT,
  SQE_TIMEOUT_MS_AT,
} from '../asm/layout';
import { nvram_read, trace_event } from './board';
import { ATTEMPTS, ask_for, next_disk } from './dump-disk';
import { dump_key_header } from './dump-key';
import { write_blocks } from './dump-size';
import { close_us, marked, restart } from './dump-run';
import {
  DUMP_ENTRY,
  DUMP_HEADER,
  DUMP_LABEL,
  DUMP_LIST,
  DUMP_MAIL,
  DUMP_MESSAGE_OUT,
  DUMP_RING,
  DUMP_SQ,
  DUMP_WRITER,
  TAG_CONTROL,
  dump,
} from './dump-state';
import {
  STEP_CLOSE,
  STEP_END,
  STEP_LABEL,
  STEP_MAIL,
  STEP_MARK,
  STEP_MOVE,
  STEP_PROGRESS,
  STEP_REGISTER,
  STEP_RESERVE,
  STEP_RUN,
} from './dump-step';
import {
  BOARD_PANIC,
  EV_DUMP_END,
  EV_DUMP_NONE,
  EV_LENT,
  EV_PATH,
  MSG_ELAPSED_US_AT,
  MSG_LIMIT_MS_AT,
  MSG_PANIC,
  MSG_REASON_AT,
  NV_INDEX,
  NV_SYSTEM,
  RECORD_AT,
  RECORD_BUILD_AT,
  RECORD_UTC_AT,
} from './layout';
import { mail_build, mail_lba } from './mailbox';
import { NO_DISK, core, disk_at } from './memory';
import { message_begin, message_send } from './message';
import { now_us } from './now';
import { region_chunks, region_first } from './order';
import { over } from './panic';
import { secrets_list } from './secrets';
import { header_point, spare_pick } from './spare';

const CONTROL_TRIES: u32 = 4;
/** A disk that is busy is left alone for so long. */
const BUSY_US: u64 = 10000;

/** A command of the partner may abort ours, and then no answer ever comes. */
const CONTROL_MS: u32 = 400;
/** The mailbox disk is the first that a takeover preempts, and the dump need not wait for it longer than it takes. */
const MAIL_MS: u32 = 100;

export function writer(): Writer {
  return writer_at(DUMP_WRITER);
}

/** Tells the partner: now, and where the dump goes. Only a hint; the attribute on the disk is the truth. */
export function announce(): void {
  const d = dump();
  const buf = DUMP_MESSAGE_OUT;
  message_begin(buf, MSG_PANIC, ++d.sequence, d.disk == NO_DISK ? 0 : disk_at(d.disk).wwn);
  store<u32>(buf + MSG_REASON_AT, d.reason);
  store<u32>(buf + MSG_ELAPSED_US_AT, <u32>(now_us() - d.failed_at));
  store<u32>(buf + MSG_LIMIT_MS_AT, d.limit_ms);
  message_send(buf);
}

export function control_mail(): void {
  const c = core();
  const d = dump();
  mail_build(DUMP_MAIL, BOARD_PANIC, c.beat + ++d.beat, d.disk == NO_DISK ? 0 : disk_at(d.disk).wwn);
  cdb_write16(DUMP_ENTRY, mail_lba(nvram_read(NV_INDEX) & 1), 1, true, DUMP_MAIL, MAIL_BYTES);
  control(d.mailbox);
}

/** Sends the entry just built to `disk`, one such at a time. */
export function control(disk: u32): void {
  const d = dump();
  d.control_disk = disk;
  d.control_busy = 1;
  d.control_tries = 0;
  d.control_again_at = 0;
  d.control_at = now_us();
  send_control();
}

/** The entry goes into the ring that the writer's commands go into. */
function send_control(): void {
  const d = dump();
  const w = writer();
  store<u32>(DUMP_ENTRY + SQE_TAG_AT, TAG_CONTROL);
  store<u16>(DUMP_ENTRY + SQE_TARGET_AT, <u16>d.control_disk);
  store<u8>(DUMP_ENTRY + SQE_PORT_AT, <u8>d.path);
  store<u32>(DUMP_ENTRY + SQE_TIMEOUT_MS_AT, d.step == STEP_MAIL ? MAIL_MS : CONTROL_MS);
  memory.copy(DUMP_SQ + <usize>(w.sq_tail & (DUMP_RING - 1)) * SQE_BYTES, DUMP_ENTRY, SQE_BYTES);
  w.sq_tail++;
}

/** The header says dumping: from here on the partner leaves the disk to us. */
export function mark(): void {
  const d = dump();
  if (d.disk == NO_DISK) {
    trace_event(EV_DUMP_NONE, 0, 0, 0);
    return over();
  }
  if (d.sealed) {
    d.write_blocks = seal().write_blocks;
    return mark_now(seal().coredump_path, seal().header_copy, seal().header_sequence);
  }
  // Nothing vouches for this disk but a table in memory: its label must say that it is a spare of ours.
  d.step = STEP_LABEL;
  d.path = disk_at(d.disk).path;
  cdb_read16(DUMP_ENTRY, LABEL_LBA, 2 * COPY_BLOCKS, DUMP_LABEL, 2 * COPY_BYTES);
  control(d.disk);
}

function label_agrees(): bool {
  const newest = label_newest(DUMP_LABEL);
  if (newest < 0) return false;
  const label = DUMP_LABEL + <usize>newest * COPY_BYTES;
  const role = load<u32>(label + LABEL_ROLE_AT);
  return (
    (role == ROLE_SPARE || role == ROLE_DUMP) && load<u32>(label + LABEL_OWNER_AT) == nvram_read(NV_SYSTEM)
  );
}

function mark_now(path: u32, copy: u32, sequence: u32): void {
  const d = dump();
  d.sealed = 0; // it vouches for this disk alone
  if (d.now + close_us() >= d.limit_at) return over(); // no time is left to write anything
  d.attempt++;
  d.tried |= (<u64>1) << d.disk;
  d.path = path;
  d.header_copy = copy;
  d.header_sequence = sequence;
  d.started_at = now_us();
  restart(d.attempt >= ATTEMPTS || spare_pick(d.tried) == NO_DISK);
  d.step = STEP_MARK;
  control_header(ATTRIBUTE_DUMPING, ABORT_NONE);
}

/** Builds the header as things stand and writes it over the older copy. */
export function control_header(attribute: u32, cause: u32): void {
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
  store<u32>(buf + HEADER_POISONED_AT, w.poisoned);
  store<u32>(buf + HEADER_POISONED_PAGES_AT, w.poisoned_pages);
  store<u32>(buf + HEADER_CODEC_AT, d.codec);
  store<u64>(buf + HEADER_FAILED_US_AT, d.failed_at);
  store<u64>(buf + HEADER_STARTED_US_AT, d.started_at);
  store<u64>(buf + HEADER_WRITTEN_US_AT, now_us());
  store<u64>(buf + HEADER_ENDED_US_AT, attribute == ATTRIBUTE_DUMPING ? 0 : now_us());
  store<u32>(buf + HEADER_LIMIT_MS_AT, d.limit_ms);
  store<u64>(buf + HEADER_UTC_AT, load<u32>(RECORD_AT + RECORD_UTC_AT));
  memory.copy(buf + HEADER_BUILD_AT, RECORD_AT + RECORD_BUILD_AT, HEADER_BUILD_BYTES);
  store<u32>(buf + HEADER_RECORD_AT, RECORD_AT);
  secrets_list(buf);
  dump_key_header(buf);
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

/** The reservation belongs to the nexus of the dead path: preempt ourselves from the other ([SPC-4] 5.13.11.2.4). */
export function move_reservation(): void {
  const d = dump();
  d.path_tried = 1;
  d.path ^= 1;
  writer().port = d.path;
  d.step_before = d.step;
  d.step = STEP_MOVE;
  trace_event(EV_PATH, d.disk, d.path, 0);
  const key = core().key;
  cdb_reserve_out(DUMP_ENTRY, PR_PREEMPT_AND_ABORT, PR_WRITE_EXCLUSIVE, DUMP_LIST, key, key);
  control(d.disk);
}

/** Sends what a busy disk did not take, when its time has come. */
export function control_again(): void {
  const d = dump();
  if (!d.control_again_at || d.now < d.control_again_at) return;
  d.control_again_at = 0;
  send_control();
}

export function control_done(outcome: u32): void {
  const d = dump();
  d.control_busy = 0;
  const took = d.now - d.control_at;
  if (d.step != STEP_MAIL) d.control_us = max<u64>(took, d.control_us - d.control_us / 4);
  // A mailbox write without an answer is one that the partner's preemption aborted: the step below takes it so.
  const unanswered = outcome == OUTCOME_LOST && d.step != STEP_MAIL;
  const again = outcome == OUTCOME_ATTENTION || outcome == OUTCOME_BUSY || unanswered;
  if (again && d.control_tries < CONTROL_TRIES) {
    d.control_tries++;
    d.control_busy = 1;
    if (outcome != OUTCOME_BUSY) return send_control();
    d.control_again_at = d.now + BUSY_US;
    return;
  }
  switch (d.step) {
    case STEP_MAIL:
      // A conflict: the takeover has begun, our disks may be gone. Marking one now could cross the partner's preemption.
      if (outcome == OUTCOME_GOOD || d.disk == NO_DISK) return mark();
      if (!d.arbiter_asked) return ask_for(d.disk);
      // It has begun, and the partner does not answer. Nor can it take over without the arbiter if nobody is there.
      if (outcome == OUTCOME_CONFLICT) d.disk = NO_DISK;
      return mark();
    case STEP_LABEL: {
      const disk = disk_at(d.disk);
      if (outcome != OUTCOME_GOOD || !label_agrees()) return next_disk();
      d.write_blocks = write_blocks(disk);
      return mark_now(disk.path, disk.header_copy, disk.header_sequence);
    }
    case STEP_MARK:
      if (outcome == OUTCOME_GOOD) return marked();
      if (outcome == OUTCOME_CONFLICT) return ask_for(d.disk);
      if (outcome == OUTCOME_PATH && !d.path_tried) {
        undo_header();
        return move_reservation();
      }
      return next_disk();
    case STEP_PROGRESS:
      d.step = writer().closing ? STEP_CLOSE : STEP_RUN;
      if (outcome == OUTCOME_CONFLICT) writer().fenced = 1;
      if (outcome == OUTCOME_PATH || outcome == OUTCOME_LOST) undo_header();
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

/** The header has not arrived: the next one goes where this one should have, and not over the one that counts. */
function undo_header(): void {
  const d = dump();
  d.header_sequence--;
  d.header_copy ^= 1;
}

function ended(outcome: u32): void {
  const d = dump();
  if (outcome == OUTCOME_PATH && !d.path_tried) {
    undo_header();
    d.moving = 1;
    d.step = STEP_CLOSE;
    return;
  }
  // A copy that cannot be written: a dump that says nothing of its end is worse than one without a second copy.
  if (outcome == OUTCOME_MEDIUM && !d.end_again) {
    d.end_again = 1;
    return control_header(d.attribute, d.cause);
  }
  trace_event(EV_DUMP_END, d.disk, outcome == OUTCOME_GOOD ? d.attribute : ATTRIBUTE_DUMPING, d.cause);
  if (d.dropping) {
    d.dropping = 0;
    return next_disk();
  }
  over();
}
