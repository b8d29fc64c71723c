/**
 * Giveback. The board that took over hands the partner's disks back, root first, when the partner has been back and
 * waiting for the configured delay and its core is saved; one disk at a time: stop serving, let what is in flight
 * come back, release, tell. The board that waits claims each disk it is told of.
 */
import { ROLE_DATA, ROLE_ROOT } from '../asm/layout';
import {
  PR_READ_RESERVATION,
  PR_RELEASE,
  PR_RESERVE,
  PR_WRITE_EXCLUSIVE,
  cdb_reserve_in,
  cdb_reserve_out,
} from '../asm/initiator/cdb';
import { reservation_key } from '../asm/initiator/keys';
import { OUTCOME_GOOD } from '../asm/initiator/outcome';
import { NO_COMMAND, command_new, command_send, entry_of } from './command';
import { claim } from './claim';
import { disk_of } from './discover';
import { holder_busy } from './holder';
import {
  BOARD_NORMAL,
  BOARD_TAKEN,
  BOARD_WAITING,
  DISK_MAX,
  EV_GIVEBACK_BEGIN,
  EV_GIVEBACK_END,
  EV_GIVEN,
  EV_TAKEN,
  MSG_GIVEN,
  MSG_TAKEN,
  NV_NEVER,
  REASON_INACTIVE,
} from './layout';
import { log, log_disk } from './log';
import {
  Disk,
  HELD_ME,
  HELD_PARTNER,
  NO_DISK,
  command_at,
  core,
  disk_at,
  scratch,
  volume_at,
} from './memory';
import { message_say } from './message';
import { saving } from './savecore';
import { serve_begin, serve_end } from './serve';
import { partner_state, set_state, wake_at } from './state';
import { trace } from './trace';

export const KIND_GIVE: u32 = 0x7000;
const RELEASE: u32 = KIND_GIVE;
const LOOK: u32 = KIND_GIVE + 1;
const RETAKE: u32 = KIND_GIVE + 2;

export const GIVE_IDLE: u32 = 0;
const GIVE_WAIT: u32 = 1; // the partner is back; the delay runs
const GIVE_DRAIN: u32 = 2; // requests in flight come back
const GIVE_RELEASE: u32 = 3;
const GIVE_TELL: u32 = 4; // until the partner says that it has the disk
const GIVE_RETAKE: u32 = 5;
const TELL_US: u64 = 500000;
/** If the partner does not claim a disk in so many, it cannot: the disk is taken back. */
const TELLS_MAX: u32 = 6;

export function giveback(): void {
  const c = core();
  if (c.state != BOARD_TAKEN) return;
  switch (c.give_step) {
    case GIVE_IDLE:
      return begin();
    case GIVE_WAIT:
      if (partner_state() != BOARD_WAITING) {
        c.give_step = GIVE_IDLE;
        return;
      }
      wake_at(c.give_at);
      if (c.now < c.give_at || saving()) return;
      trace(EV_GIVEBACK_BEGIN);
      log('giveback begins');
      return next();
    case GIVE_DRAIN:
      return drain();
    case GIVE_TELL:
      return tell();
  }
}

function begin(): void {
  const c = core();
  if (partner_state() != BOARD_WAITING || c.giveback_ms == <u32>NV_NEVER) return;
  if (c.take_fenced == c.partner_epoch + 1) return; // what it last said in its former life
  c.give_step = GIVE_WAIT;
  c.give_at = c.now + <u64>c.giveback_ms * 1000;
  log('the partner is back and waits for giveback');
  wake_at(c.give_at);
}

function ours_to_give(disk: Disk): bool {
  return disk.present != 0 && disk.owner == core().partner && disk.held == <u8>HELD_ME && !disk.veto;
}

/** Root first, so that the partner can write its logs; then the others in order. */
function next(): void {
  const c = core();
  let pick = NO_DISK;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    if (!ours_to_give(disk_at(d))) continue;
    if (disk_at(d).role == <u8>ROLE_ROOT) {
      pick = d;
      break;
    }
    if (pick == NO_DISK) pick = d;
  }
  if (pick == NO_DISK) return end();
  c.give_disk = pick;
  c.give_step = GIVE_DRAIN;
  if (disk_at(pick).role == <u8>ROLE_DATA) serve_end(disk_at(pick).volume);
  drain();
}

function drain(): void {
  const c = core();
  const disk = disk_at(c.give_disk);
  const busy = disk.role == <u8>ROLE_DATA && volume_at(disk.volume).in_flight != 0;
  if (busy || holder_busy(c.give_disk)) return wake_at(c.now);
  const i = command_new(RELEASE, c.give_disk);
  if (i == NO_COMMAND) return;
  c.give_step = GIVE_RELEASE;
  cdb_reserve_out(entry_of(i), PR_RELEASE, PR_WRITE_EXCLUSIVE, scratch(c.give_disk) + 0x3f00, c.key, 0);
  command_send(i);
}

export function give_done(i: u32, outcome: u32): void {
  const c = core();
  if (command_at(i).kind == LOOK) {
    if (outcome != OUTCOME_GOOD || command_at(i).disk != c.give_disk || c.give_step != GIVE_TELL) return;
    const holder = reservation_key(scratch(c.give_disk));
    if (<u32>(holder >> 32) == c.partner) next();
    return;
  }
  if (command_at(i).kind == RETAKE) {
    if (c.give_step == GIVE_RETAKE) taken_back(outcome);
    return;
  }
  if (c.give_step != GIVE_RELEASE || command_at(i).disk != c.give_disk) return;
  const disk = disk_at(c.give_disk);
  disk.held = <u8>HELD_PARTNER;
  disk.take = 0;
  trace(EV_GIVEN, c.give_disk);
  c.give_step = GIVE_TELL;
  c.give_done = 0;
  c.give_sent_at = 0;
  tell();
}

/** Messages may be lost: said again until answered. */
function tell(): void {
  const c = core();
  if (c.now < c.give_sent_at + TELL_US) return wake_at(c.give_sent_at + TELL_US);
  if (c.give_done++ > TELLS_MAX) return take_back();
  c.give_sent_at = c.now;
  message_say(MSG_GIVEN, disk_at(c.give_disk).wwn);
  wake_at(c.now + TELL_US);
  if (c.give_done < 2) return;
  // No answer: the interconnect may be cut. The partner looks at the reservations by itself, and so do we.
  const i = command_new(LOOK, c.give_disk);
  if (i == NO_COMMAND) return;
  cdb_reserve_in(entry_of(i), PR_READ_RESERVATION, scratch(c.give_disk), 24);
  command_send(i);
}

/** The partner cannot reach the disk, or is gone again: serving it here is better than nobody's. */
function take_back(): void {
  const c = core();
  const i = command_new(RETAKE, c.give_disk);
  if (i == NO_COMMAND) return;
  c.give_step = GIVE_RETAKE;
  cdb_reserve_out(entry_of(i), PR_RESERVE, PR_WRITE_EXCLUSIVE, scratch(c.give_disk) + 0x3f00, c.key, 0);
  command_send(i);
}

function taken_back(outcome: u32): void {
  const c = core();
  const disk = disk_at(c.give_disk);
  disk.veto = 1;
  if (outcome == OUTCOME_GOOD) {
    disk.held = <u8>HELD_ME;
    trace(EV_TAKEN, c.give_disk, REASON_INACTIVE);
    log_disk(c.give_disk, 'the partner did not take it: back here');
    if (disk.role == <u8>ROLE_DATA) serve_begin(disk.volume);
  }
  next();
}

/** The partner has failed again. What was on its way to it counts as its own: the takeover looks at it anew. */
export function giveback_abandon(): void {
  const c = core();
  if (c.give_step == GIVE_RELEASE) disk_at(c.give_disk).held = <u8>HELD_PARTNER;
  if (c.give_step == GIVE_DRAIN && disk_at(c.give_disk).role == <u8>ROLE_DATA)
    serve_begin(disk_at(c.give_disk).volume);
  c.give_step = GIVE_IDLE;
}

/** The partner has the disk. */
export function giveback_taken(wwn: u64): void {
  const c = core();
  if (c.give_step != GIVE_TELL || disk_at(c.give_disk).wwn != wwn) return;
  next();
}

function end(): void {
  const c = core();
  c.give_step = GIVE_IDLE;
  let kept = false;
  for (let d: u32 = 0; d < DISK_MAX; d++) {
    if (disk_at(d).veto && disk_at(d).held == <u8>HELD_ME) kept = true;
    disk_at(d).veto = 0;
  }
  if (kept) {
    c.give_at = c.now + <u64>c.giveback_ms * 1000;
    return log('giveback: some disks stay here; trying again later');
  }
  c.take_step = 0;
  trace(EV_GIVEBACK_END);
  log('giveback done');
  set_state(BOARD_NORMAL);
}

/** The board that took over says that this disk is ours again. */
export function giveback_given(wwn: u64): void {
  const c = core();
  const d = disk_of(wwn);
  if (d == NO_DISK || disk_at(d).owner != c.system) return;
  if (c.state != BOARD_WAITING) {
    if (disk_at(d).held == <u8>HELD_ME) message_say(MSG_TAKEN, wwn);
    return;
  }
  if (c.boot_left) return; // said again in a moment
  log_disk(d, 'is given back');
  disk_at(d).held = <u8>HELD_PARTNER;
  claim(d);
}

/** Told when a claim has ended well. */
export function giveback_claimed(d: u32): void {
  if (core().state == BOARD_WAITING) message_say(MSG_TAKEN, disk_at(d).wwn);
}
