/**
 * The takeover of a failed partner's disks. First the arbiter: who preempts the other's registration on the mailbox
 * disk has won, so two racing boards cannot split the disks. Then all disks at once: read the coredump header; one that
 * says dumping in the partner's current epoch is left, every other is preempted, and what counts is the reservation
 * read afterwards. Service resumes as each data disk is held. The disk left is polled, and taken when the dump is
 * completed or aborted or its limit has passed, whichever is first.
 *
 * [SPC-4] 5.13.11.2 preempting, 6.16 PERSISTENT RESERVE OUT
 */
import { OUTCOME_GOOD } from '../asm/initiator/outcome';
import { ROLE_DATA } from '../asm/layout';
import { arbiter, arbiter_done } from './arbiter';
import { BOOT_DONE } from './boot';
import { giveback_abandon } from './giveback';
import {
  BOARD_BOOTING,
  BOARD_FENCED,
  BOARD_TAKEN,
  DISK_MAX,
  EV_LOST,
  EV_POLICY_WAIT,
  EV_SERVICE,
  EV_TAKEOVER_BEGIN,
  EV_TAKEOVER_END,
} from './layout';
import { log, log_begin, log_end, log_number, log_text } from './log';
import { NO_DISK, command_at, core, disk_at } from './memory';
import { set_state, wake_at } from './state';
import { ask_holder, decide, dump_pending, fail, look, preempt, taken, verify } from './take-disk';
import { lend_step, lent } from './take-lend';
import { stop_step } from './take-stop';
import {
  CLOSE,
  D_BACK,
  D_BUSY,
  D_FAILED,
  D_LEFT,
  D_NONE,
  HEADER,
  HOLDER,
  LEND,
  PREEMPT,
  REGISTER,
  SEEN_MAILBOX,
  SEEN_MESSAGE,
  SLOT,
  TAKE_ARBITER,
  TAKE_DISKS,
  TAKE_DONE,
  TAKE_RETRY,
  VERIFY,
} from './take-state';
import { trace } from './trace';

export const TRIES_MAX: u32 = 4;

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

/** The partner's dump has ended, it says: look at once. */
export function takeover_dump_ended(): void {
  core().take_poll_at = 0;
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
  stop_step();
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
