/**
 * Taking one disk: read the coredump header, leave it to the dump or preempt its holder, and judge by the reservation
 * read afterwards. All disks go this way at once.
 *
 * [SPC-4] 5.13.11.2 preempting, 6.16 PERSISTENT RESERVE OUT
 */
import { abort_header } from './abort-header';
import {
  PR_PREEMPT_AND_ABORT,
  PR_READ_RESERVATION,
  PR_REGISTER_AND_IGNORE,
  PR_RESERVE,
  PR_WRITE_EXCLUSIVE,
  cdb_read16,
  cdb_reserve_in,
  cdb_reserve_out,
} from '../asm/initiator/cdb';
import { reservation_key } from '../asm/initiator/keys';
import { OUTCOME_CONFLICT, OUTCOME_GOOD, OUTCOME_PATH } from '../asm/initiator/outcome';
import {
  ABORT_LIMIT,
  ABORT_MEDIUM,
  ATTRIBUTE_ABORTED,
  ATTRIBUTE_COMPLETED,
  ATTRIBUTE_DUMPING,
  COPY_BLOCKS,
  COPY_BYTES,
  COREDUMP_LBA,
  HEADER_FAILED_US_AT,
  HEADER_LIMIT_MS_AT,
  HEADER_WRITTEN_US_AT,
  ROLE_DATA,
  ROLE_FREE,
  ROLE_MAILBOX,
} from '../asm/layout';
import { NO_COMMAND, command_new, command_send, entry_of } from './command';
import { read_header } from './discover';
import {
  DISK_MAX,
  EV_ATTRIBUTE,
  EV_TAKEN,
  EV_TAKE_FAILED,
  REASON_ABORTED,
  REASON_COMPLETED,
  REASON_INACTIVE,
  REASON_LIMIT,
} from './layout';
import { log_disk } from './log';
import { Disk, HELD_ME, NO_DISK, core, disk_at, scratch } from './memory';
import { serve_begin } from './serve';
import {
  CLOSE,
  D_BACK,
  D_BUSY,
  D_FAILED,
  D_LEFT,
  D_NONE,
  D_TAKEN,
  HEADER,
  HOLDER,
  LIST_AT,
  OUT_AT,
  POLL_US,
  PREEMPT,
  REGISTER,
  RETRY_US,
  TAKE_DISKS,
} from './take-state';
import { TRIES_MAX } from './takeover';
import { trace } from './trace';

/** So long is the disk that a panic message names left alone although its header does not say dumping yet. */
const HINT_US: u64 = 2000000;

export function begin_disks(): void {
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
export function look(d: u32): void {
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

export function fail(d: u32, cause: u32): void {
  trace(EV_TAKE_FAILED, d, cause);
  if (!disk_at(d).tries) log_disk(d, 'could not be taken; trying again');
  disk_at(d).tries++;
  later(d);
}

/** Leave it to the dump, or take it. */
export function decide(d: u32, disk: Disk, outcome: u32): void {
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
    // Both are late, never early: the earlier is the better.
    if (c.take_hint == disk.wwn) c.take_limit_at = min<u64>(c.take_limit_at, c.take_hint_limit);
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
export function dump_pending(): bool {
  const c = core();
  if (c.take_disk != NO_DISK) return disk_at(c.take_disk).take != D_TAKEN;
  for (let d: u32 = 0; d < DISK_MAX; d++) if (disk_at(d).take == D_BUSY) return true; // not all headers are read
  return false;
}

export function ask_holder(d: u32, kind: u32): void {
  const i = command_new(kind, d);
  if (i == NO_COMMAND) return later(d);
  disk_at(d).take = D_BUSY;
  cdb_reserve_in(entry_of(i), PR_READ_RESERVATION, scratch(d) + OUT_AT, 24);
  command_send(i);
}

export function preempt(d: u32, disk: Disk): void {
  const i = command_new(PREEMPT, d);
  if (i == NO_COMMAND) return later(d);
  const holder = reservation_key(scratch(d) + OUT_AT);
  const action = holder ? PR_PREEMPT_AND_ABORT : PR_RESERVE;
  disk.holder = holder;
  disk.reserved_path = disk.path;
  cdb_reserve_out(entry_of(i), action, PR_WRITE_EXCLUSIVE, scratch(d) + LIST_AT, core().key, holder);
  command_send(i);
}

/** A repeated PREEMPT conflicts, a lost answer says nothing: the reservation as it is now decides. */
export function verify(d: u32, disk: Disk): void {
  const c = core();
  disk.holder = reservation_key(scratch(d) + OUT_AT);
  if (disk.holder == c.key && disk.reserved_path != disk.path) return preempt(d, disk); // held by our other nexus
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
  const cause = disk.take_reason == REASON_LIMIT ? ABORT_LIMIT : ABORT_MEDIUM;
  if (!abort_header(CLOSE, d, scratch(d), cause)) taken(d, disk);
}

export function taken(d: u32, disk: Disk): void {
  disk.take = D_TAKEN;
  disk.held = <u8>HELD_ME;
  core().held_changes++;
  disk.tries = 0;
  trace(EV_TAKEN, d, disk.take_reason);
  log_disk(d, disk.take_reason == REASON_INACTIVE ? 'taken' : 'taken: the dump there is over');
  if (disk.role == <u8>ROLE_DATA) serve_begin(disk.volume);
}
