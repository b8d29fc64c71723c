/**
 * The takeover of a failed partner's disks. First the arbiter: who preempts the other's registration on the mailbox
 * disk has won, so two racing boards cannot split the disks. Then all disks at once: read the coredump header; one that
 * says dumping in the partner's current epoch is left, every other is preempted, and what counts is the reservation
 * read afterwards. Service resumes as each data disk is held. The disk left is polled, and taken when the dump is
 * completed or aborted or its limit has passed, whichever is first.
 *
 * [SPC-4] 5.13.11.2 preempting, 6.16 PERSISTENT RESERVE OUT
 */
import {
  ABORT_LIMIT,
  ABORT_MEDIUM,
  ATTRIBUTE_ABORTED,
  ATTRIBUTE_COMPLETED,
  ATTRIBUTE_DUMPING,
  COPY_BLOCKS,
  COPY_BYTES,
  COREDUMP_LBA,
  HEADER_ABORT_AT,
  HEADER_ATTRIBUTE_AT,
  HEADER_ENDED_US_AT,
  HEADER_FAILED_US_AT,
  HEADER_LIMIT_MS_AT,
  HEADER_WRITTEN_US_AT,
  MAIL_BYTES,
  MAIL_STATE_AT,
  MAIL_WWN_AT,
  ROLE_DATA,
  ROLE_FREE,
  ROLE_MAILBOX,
} from '../asm/layout';
import {
  header_lba,
  header_newest,
  header_next_sequence,
  header_seal,
  header_victim,
} from '../asm/dump/header';
import {
  PR_PREEMPT_AND_ABORT,
  PR_READ_KEYS,
  PR_READ_RESERVATION,
  PR_REGISTER_AND_IGNORE,
  PR_RELEASE,
  PR_RESERVE,
  PR_WRITE_EXCLUSIVE,
  PR_WRITE_EXCLUSIVE_REGISTRANTS,
  cdb_read16,
  cdb_reserve_in,
  cdb_reserve_out,
  cdb_write16,
} from '../asm/initiator/cdb';
import { keys_contain, keys_find_system, reservation_key } from '../asm/initiator/keys';
import { OUTCOME_CONFLICT, OUTCOME_GOOD, OUTCOME_MEDIUM, OUTCOME_PATH } from '../asm/initiator/outcome';
import { NO_COMMAND, command_new, command_send, entry_of } from './command';
import { BOOT_DONE } from './boot';
import { disk_of, read_header } from './discover';
import { fence } from './fence';
import {
  BOARD_BOOTING,
  BOARD_FENCED,
  BOARD_NORMAL,
  BOARD_PANIC,
  BOARD_TAKEN,
  BOARD_TAKING,
  BOARD_WAITING,
  DISK_MAX,
  EV_ARBITRATED,
  EV_ATTRIBUTE,
  EV_LENT,
  EV_LOST,
  EV_POLICY_WAIT,
  EV_SERVICE,
  EV_TAKEN,
  EV_TAKEOVER_BEGIN,
  EV_TAKEOVER_CANCELLED,
  EV_TAKEOVER_END,
  EV_TAKE_FAILED,
  MSG_LENT,
  REASON_ABORTED,
  REASON_COMPLETED,
  REASON_INACTIVE,
  REASON_LIMIT,
} from './layout';
import { giveback_abandon } from './giveback';
import { holder_busy } from './holder';
import { log, log_begin, log_disk, log_end, log_number, log_text } from './log';
import { mail_build, mail_good, mail_lba } from './mailbox';
import { Disk, HELD_ME, HELD_PARTNER, NO_DISK, command_at, core, disk_at, scratch } from './memory';
import { message_say } from './message';
import { serve_begin } from './serve';
import { partner_lives, set_state, wake_at } from './state';
import { trace } from './trace';

export const KIND_TAKE: u32 = 0x5000;
// The arbiter.
const ANNOUNCE: u32 = KIND_TAKE; // our slot says that we are taking over
const KEYS: u32 = KIND_TAKE + 1;
const ARBITRATE: u32 = KIND_TAKE + 2;
const VERDICT: u32 = KIND_TAKE + 3;
const SLOT: u32 = KIND_TAKE + 4; // the partner's last word
// A disk.
const HEADER: u32 = KIND_TAKE + 5;
const HOLDER: u32 = KIND_TAKE + 6;
const PREEMPT: u32 = KIND_TAKE + 7;
const VERIFY: u32 = KIND_TAKE + 8;
const REGISTER: u32 = KIND_TAKE + 9;
const CLOSE: u32 = KIND_TAKE + 10; // the attribute leaves dumping
const LEND: u32 = KIND_TAKE + 11;

/** Steps of the takeover. */
export const TAKE_NONE: u32 = 0;
const TAKE_ARBITER: u32 = 1;
const TAKE_DISKS: u32 = 2;
export const TAKE_DONE: u32 = 3;
const TAKE_RETRY: u32 = 4; // the mailbox disk does not answer

/** Where a disk is in it. */
const D_NONE: u32 = 0;
const D_BUSY: u32 = 1;
const D_LEFT: u32 = 2; // to the dump
const D_BACK: u32 = 3; // decided, held back by the sequential policy
const D_TAKEN: u32 = 4;
const D_FAILED: u32 = 5;

const OUT_AT: usize = 0x3000;
const LIST_AT: usize = 0x3f00;
const KEYS_BYTES: u32 = 512;
const TRIES_MAX: u32 = 4;
const POLL_US: u64 = 100000;
const RETRY_US: u64 = 1000000;
/** So long is the disk that a panic message names left alone although its header does not say dumping yet. */
const HINT_US: u64 = 2000000;

/** How the partner's failure was seen, EV_LOST. */
export const SEEN_MESSAGE: u32 = 1;
export const SEEN_SILENCE: u32 = 2;
export const SEEN_MAILBOX: u32 = 3;

/** `seen` is SEEN_*. */
export function takeover_begin(seen: u32): void {
  const c = core();
  if (c.take_step == TAKE_ARBITER || c.take_step == TAKE_DISKS || c.take_step == TAKE_RETRY) return;
  if (c.state == BOARD_FENCED || c.state == BOARD_BOOTING || c.take_fenced == c.partner_epoch + 1) return;
  c.take_epoch = c.partner_epoch;
  c.take_seen = seen;
  c.take_at = c.now;
  c.take_disk = NO_DISK;
  c.take_served = 0;
  c.take_tries = 0;
  c.take_released = 0;
  giveback_abandon();
  trace(EV_LOST, seen);
  trace(EV_TAKEOVER_BEGIN, c.take_epoch);
  log_begin();
  log_text('takeover: partner failed, epoch ');
  log_number(c.take_epoch);
  log_text(
    seen == SEEN_MESSAGE
      ? ', says its panic message'
      : seen == SEEN_MAILBOX
        ? ', says its mailbox slot'
        : ', no sign of life',
  );
  log_end();
  arbiter();
}

function arbiter(): void {
  const c = core();
  c.take_step = TAKE_ARBITER;
  set_state(BOARD_TAKING);
  const i = command_new(ANNOUNCE, c.mailbox);
  if (i == NO_COMMAND) return retry();
  const buf = scratch(c.mailbox) + OUT_AT;
  mail_build(buf, BOARD_TAKING, ++c.beat, 0);
  cdb_write16(entry_of(i), mail_lba(c.index), 1, true, buf, MAIL_BYTES);
  command_send(i);
}

function ask_keys(kind: u32): void {
  const c = core();
  const i = command_new(kind, c.mailbox);
  if (i == NO_COMMAND) return retry();
  cdb_reserve_in(entry_of(i), PR_READ_KEYS, scratch(c.mailbox) + OUT_AT, KEYS_BYTES);
  command_send(i);
}

/** Without the arbiter there is no takeover: the partner might be taking ours. */
function retry(): void {
  const c = core();
  c.take_step = TAKE_RETRY;
  c.take_retry_at = c.now + RETRY_US;
  log('takeover: the mailbox disk does not answer; trying again');
}

function arbiter_done(kind: u32, outcome: u32): void {
  const c = core();
  const data = scratch(c.mailbox) + OUT_AT;
  if (outcome == OUTCOME_PATH || outcome == OUTCOME_MEDIUM) return retry();
  switch (kind) {
    case ANNOUNCE:
      if (outcome == OUTCOME_CONFLICT) return lost();
      return ask_keys(KEYS);
    case KEYS:
    case VERDICT:
      if (outcome != OUTCOME_GOOD) return retry();
      if (!keys_contain(data, KEYS_BYTES, c.key)) return lost();
      return judge(keys_find_system(data, KEYS_BYTES, c.partner));
    case ARBITRATE:
      return ask_keys(VERDICT);
    default: // SLOT
      if (outcome == OUTCOME_GOOD) last_word(data);
      return begin_disks();
  }
}

/** `key`: the partner's registration on the mailbox disk, or 0. */
function judge(key: u64): void {
  const c = core();
  if (key) {
    if (c.take_epoch && <u32>key > c.take_epoch) return cancel(<u32>key);
    if (++c.take_tries > TRIES_MAX) return retry();
    const i = command_new(ARBITRATE, c.mailbox);
    if (i == NO_COMMAND) return retry();
    const list = scratch(c.mailbox) + LIST_AT;
    cdb_reserve_out(entry_of(i), PR_PREEMPT_AND_ABORT, PR_WRITE_EXCLUSIVE_REGISTRANTS, list, c.key, key);
    return command_send(i);
  }
  trace(EV_ARBITRATED, 1);
  if (c.take_seen == SEEN_MESSAGE) return begin_disks(); // it has told us all that its slot says
  const i = command_new(SLOT, c.mailbox);
  if (i == NO_COMMAND) return begin_disks();
  cdb_read16(entry_of(i), mail_lba(c.index ^ 1), 1, scratch(c.mailbox) + OUT_AT, MAIL_BYTES);
  command_send(i);
}

function lost(): void {
  trace(EV_ARBITRATED, 0);
  fence(core().mailbox);
}

/** The partner has booted anew in the meantime: it is alive, and knows nothing of a takeover. */
function cancel(epoch: u32): void {
  const c = core();
  trace(EV_TAKEOVER_CANCELLED);
  log('takeover cancelled: the partner has booted again');
  partner_lives(epoch);
  // What we hold of it from an earlier takeover stays with us until giveback.
  let holding = false;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    if (disk_at(d).present && disk_at(d).owner == c.partner && disk_at(d).held == <u8>HELD_ME) holding = true;
  }
  c.take_step = holding ? TAKE_DONE : TAKE_NONE;
  if (c.boot_step != BOOT_DONE) set_state(BOARD_WAITING);
  else set_state(holding ? BOARD_TAKEN : BOARD_NORMAL);
}

/** What the partner wrote before it was shut out: that it panicked, and where it dumps. */
function last_word(slot: usize): void {
  const c = core();
  if (!mail_good(slot, c.partner) || load<u32>(slot + MAIL_STATE_AT) != BOARD_PANIC) return;
  if (c.take_hint_at && c.take_hint == load<u64>(slot + MAIL_WWN_AT)) return;
  if (c.take_hint_at) c.take_dropped = c.take_hint; // it has moved its dump since
  c.take_hint = load<u64>(slot + MAIL_WWN_AT);
  c.take_hint_at = c.now;
  c.take_hint_limit = c.now + <u64>c.limit_ms * 1000;
}

function begin_disks(): void {
  const c = core();
  c.take_step = TAKE_DISKS;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    const disk = disk_at(d);
    disk.take = D_NONE;
    disk.tries = 0;
    if (!wanted(disk)) continue;
    look(d);
  }
}

/** Every disk of the pair that we do not hold, the mailbox disk aside. */
function wanted(disk: Disk): bool {
  if (!disk.present || disk.role == <u8>ROLE_FREE || disk.role == <u8>ROLE_MAILBOX) return false;
  return disk.held != <u8>HELD_ME;
}

/** Reads the coredump header: the attribute on the disk is the truth. */
function look(d: u32): void {
  const disk = disk_at(d);
  const i = command_new(HEADER, d);
  if (i == NO_COMMAND) return later(d);
  disk.take = D_BUSY;
  cdb_read16(entry_of(i), COREDUMP_LBA, 2 * COPY_BLOCKS, scratch(d), 2 * COPY_BYTES);
  command_send(i);
}

function later(d: u32): void {
  const disk = disk_at(d);
  disk.take = D_FAILED;
  disk.retry_at = core().now + RETRY_US;
}

function fail(d: u32, cause: u32): void {
  trace(EV_TAKE_FAILED, d, cause);
  if (!disk_at(d).tries) log_disk(d, 'could not be taken; trying again');
  disk_at(d).tries++;
  later(d);
}

export function take_done(i: u32, outcome: u32): void {
  const kind = command_at(i).kind;
  const d = command_at(i).disk;
  const disk = disk_at(d);
  if (core().take_step != TAKE_ARBITER && kind <= SLOT) return;
  if (kind <= SLOT) return arbiter_done(kind, outcome);
  switch (kind) {
    case HEADER:
      return decide(d, disk, outcome);
    case HOLDER:
      if (outcome != OUTCOME_GOOD) return fail(d, outcome);
      return preempt(d, disk);
    case PREEMPT:
      return ask_holder(d, VERIFY);
    case VERIFY:
      if (outcome != OUTCOME_GOOD) return fail(d, outcome);
      return verify(d, disk);
    case REGISTER:
      return ask_holder(d, HOLDER);
    case CLOSE:
      return taken(d, disk);
    case LEND:
      return lent(d, disk);
  }
}

/** Leave it to the dump, or take it. */
function decide(d: u32, disk: Disk, outcome: u32): void {
  const c = core();
  if (outcome == OUTCOME_PATH) return fail(d, outcome);
  const newest = outcome == OUTCOME_GOOD ? read_header(disk, scratch(d)) : -1;
  const ours = newest >= 0 && disk.header_system == c.partner && current(disk.header_epoch);
  const dumping = ours && disk.attribute == ATTRIBUTE_DUMPING;
  const ended = ours && (disk.attribute == ATTRIBUTE_COMPLETED || disk.attribute == ATTRIBUTE_ABORTED);
  const named = c.take_hint != 0 && c.take_hint == disk.wwn && !ended;
  if (dumping && c.take_disk != d) {
    c.take_disk = d;
    c.take_limit_at = limit_of(scratch(d) + <usize>newest * COPY_BYTES);
  } else if (named && c.take_disk != d) {
    c.take_disk = d;
    c.take_limit_at = c.take_hint_limit;
  }
  const dropped = c.take_dropped == disk.wwn;
  const over = c.take_disk == d && c.now >= c.take_limit_at;
  const leave = !dropped && !over && (dumping || (named && (newest < 0 || c.now < c.take_hint_at + HINT_US)));
  if (disk.take != D_LEFT || !leave) trace(EV_ATTRIBUTE, d, disk.attribute, leave ? 1 : 0);
  if (leave) {
    disk.take = D_LEFT;
    c.take_poll_at = c.now + POLL_US;
    return;
  }
  disk.take_reason = REASON_INACTIVE;
  if (ended) disk.take_reason = disk.attribute == ATTRIBUTE_COMPLETED ? REASON_COMPLETED : REASON_ABORTED;
  else if (over) disk.take_reason = REASON_LIMIT;
  else if (dropped) disk.take_reason = REASON_ABORTED;
  if (c.policy && !c.take_released && c.take_disk != d && dump_pending()) {
    disk.take = D_BACK;
    return;
  }
  ask_holder(d, HOLDER);
}

/** A stale epoch never blocks a takeover. */
function current(epoch: u32): bool {
  return !core().take_epoch || epoch == core().take_epoch;
}

/** When the dump's time is over by its own header, on our clock: late by the age of that header, never early. */
function limit_of(header: usize): u64 {
  const elapsed = load<u64>(header + HEADER_WRITTEN_US_AT) - load<u64>(header + HEADER_FAILED_US_AT);
  const limit = <u64>load<u32>(header + HEADER_LIMIT_MS_AT) * 1000;
  return core().now + (limit > elapsed ? limit - elapsed : 0);
}

/** The sequential policy waits for this; the parallel one never asks. */
function dump_pending(): bool {
  const c = core();
  if (c.take_disk != NO_DISK) return disk_at(c.take_disk).take != D_TAKEN;
  for (let d: u32 = 0; d < DISK_MAX; d++) if (disk_at(d).take == D_BUSY) return true; // not all headers are read
  return false;
}

function ask_holder(d: u32, kind: u32): void {
  const i = command_new(kind, d);
  if (i == NO_COMMAND) return later(d);
  disk_at(d).take = D_BUSY;
  cdb_reserve_in(entry_of(i), PR_READ_RESERVATION, scratch(d) + OUT_AT, 24);
  command_send(i);
}

function preempt(d: u32, disk: Disk): void {
  const i = command_new(PREEMPT, d);
  if (i == NO_COMMAND) return later(d);
  const holder = reservation_key(scratch(d) + OUT_AT);
  const action = holder ? PR_PREEMPT_AND_ABORT : PR_RESERVE;
  disk.holder = holder;
  cdb_reserve_out(entry_of(i), action, PR_WRITE_EXCLUSIVE, scratch(d) + LIST_AT, core().key, holder);
  command_send(i);
}

/** A repeated PREEMPT conflicts, a lost answer says nothing: the reservation as it is now decides. */
function verify(d: u32, disk: Disk): void {
  const c = core();
  disk.holder = reservation_key(scratch(d) + OUT_AT);
  if (disk.holder == c.key) {
    if (disk.take_reason == REASON_LIMIT || c.take_dropped == disk.wwn) return close_header(d, disk);
    return taken(d, disk);
  }
  if (++disk.tries > TRIES_MAX) return fail(d, OUTCOME_CONFLICT);
  // Our registration may be gone, preempted by a stale board at its boot: make it anew.
  const i = command_new(REGISTER, d);
  if (i == NO_COMMAND) return later(d);
  cdb_reserve_out(entry_of(i), PR_REGISTER_AND_IGNORE, 0, scratch(d) + LIST_AT, 0, c.key);
  command_send(i);
}

/** The disk was still dumping when it was taken: its attribute becomes aborted. */
function close_header(d: u32, disk: Disk): void {
  const copies = scratch(d);
  const newest = header_newest(copies);
  if (newest < 0) return taken(d, disk);
  const i = command_new(CLOSE, d);
  if (i == NO_COMMAND) return taken(d, disk);
  const sequence = header_next_sequence(copies);
  const victim = header_victim(copies);
  const buf = copies + <usize>victim * COPY_BYTES;
  memory.copy(buf, copies + <usize>newest * COPY_BYTES, COPY_BYTES);
  store<u32>(buf + HEADER_ATTRIBUTE_AT, ATTRIBUTE_ABORTED);
  store<u32>(buf + HEADER_ABORT_AT, disk.take_reason == REASON_LIMIT ? ABORT_LIMIT : ABORT_MEDIUM);
  store<u64>(buf + HEADER_ENDED_US_AT, load<u64>(buf + HEADER_WRITTEN_US_AT));
  header_seal(buf, sequence);
  cdb_write16(entry_of(i), header_lba(victim), COPY_BLOCKS, true, buf, COPY_BYTES);
  command_send(i);
  disk.attribute = ATTRIBUTE_ABORTED;
  disk.header_copy = victim;
  disk.header_sequence = sequence;
}

function taken(d: u32, disk: Disk): void {
  disk.take = D_TAKEN;
  disk.held = <u8>HELD_ME;
  core().held_changes++;
  disk.tries = 0;
  trace(EV_TAKEN, d, disk.take_reason);
  log_disk(d, disk.take_reason == REASON_INACTIVE ? 'taken' : 'taken: the dump there is over');
  if (disk.role == <u8>ROLE_DATA) serve_begin(disk.volume);
}

/** The partner's dump has ended, it says: look at once. */
export function takeover_dump_ended(): void {
  core().take_poll_at = 0;
}

/** The partner asks for one of its spares, to dump there. */
export function takeover_lend(wwn: u64): void {
  const c = core();
  c.take_lend = wwn;
  wake_at(c.now);
}

function lend_step(): void {
  const c = core();
  const d = disk_of(c.take_lend);
  if (d == NO_DISK || disk_at(d).role == <u8>ROLE_DATA) {
    c.take_lend = 0;
    return;
  }
  const disk = disk_at(d);
  if (disk.take == D_BUSY || holder_busy(d)) return;
  c.take_hint = c.take_lend;
  c.take_hint_at = c.now;
  c.take_lend = 0;
  if (disk.held != <u8>HELD_ME) return lent(d, disk); // it was left, or not come to yet
  const i = command_new(LEND, d);
  if (i == NO_COMMAND) return;
  disk.take = D_BUSY;
  cdb_reserve_out(entry_of(i), PR_RELEASE, PR_WRITE_EXCLUSIVE, scratch(d) + LIST_AT, c.key, 0);
  command_send(i);
}

function lent(d: u32, disk: Disk): void {
  const c = core();
  disk.held = <u8>HELD_PARTNER;
  disk.take = D_LEFT;
  c.take_disk = d;
  c.take_limit_at = c.take_hint_limit;
  c.take_poll_at = c.now + POLL_US;
  trace(EV_LENT, d);
  log_disk(d, 'lent to the partner for its dump');
  message_say(MSG_LENT, disk.wwn);
}

/** What is due in this cycle. */
export function takeover(): void {
  const c = core();
  if (c.take_step == TAKE_RETRY) {
    wake_at(c.take_retry_at);
    if (c.now >= c.take_retry_at) arbiter();
    return;
  }
  if (c.take_step != TAKE_DISKS && !(c.take_step == TAKE_DONE && c.take_lend)) return;
  if (c.take_lend) lend_step();
  poll();
  progress();
}

function poll(): void {
  const c = core();
  let left = false;
  const due = c.now >= c.take_poll_at || (c.take_disk != NO_DISK && c.now >= c.take_limit_at);
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    const disk = disk_at(d);
    if (disk.take == D_LEFT) {
      left = true;
      if (due) {
        look(d);
        disk.take = D_BUSY;
      }
    } else if (disk.take == D_FAILED) {
      wake_at(disk.retry_at);
      if (c.now >= disk.retry_at) look(d);
    }
  }
  if (!left) return;
  wake_at(c.take_poll_at);
  if (c.take_disk != NO_DISK && c.take_limit_at > c.now) wake_at(c.take_limit_at);
}

/** Held back disks go on; service and end are announced. */
function progress(): void {
  const c = core();
  const pending = c.policy != 0 && dump_pending();
  if (!pending) c.take_released = 1;
  let busy: u32 = 0;
  let dataLeft: u32 = 0;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    const disk = disk_at(d);
    if (disk.take == D_NONE) continue;
    if (disk.take == D_BACK && !pending) look(d); // a dump may have moved there meanwhile
    const open = disk.take == D_BUSY || disk.take == D_BACK || (disk.take == D_FAILED && disk.tries <= 3);
    if (open && disk.role == <u8>ROLE_DATA) dataLeft++;
    if (open || disk.take == D_LEFT) busy++;
    if (disk.take == D_BACK && c.take_disk != NO_DISK && disk.role == <u8>ROLE_DATA) trace_wait();
  }
  if (!dataLeft && !c.take_served) {
    c.take_served = 1;
    trace(EV_SERVICE);
    log('takeover: all volumes of the partner are served here');
  }
  if (busy || c.take_step != TAKE_DISKS) return;
  c.take_step = TAKE_DONE;
  c.take_fenced = c.take_epoch + 1;
  c.boot_step = BOOT_DONE; // a board that waited for giveback has its disks now
  c.take_hint = c.take_dropped = c.take_hint_at = 0;
  c.held_changes++; // the dump disk's header as it is now
  trace(EV_TAKEOVER_END);
  set_state(BOARD_TAKEN);
}

function trace_wait(): void {
  const c = core();
  if (c.take_waited == c.take_epoch + 1) return;
  c.take_waited = c.take_epoch + 1;
  trace(EV_POLICY_WAIT);
  log('takeover: waits for the dump (sequential policy)');
}
