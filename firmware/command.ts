/**
 * Commands to disks: a slot for each that is outstanding, the submission ring, and what becomes of completions before
 * anybody sees them: a unit attention is noted and the command sent again, a busy disk is asked later, a dead path is
 * left for the other one.
 */
import { CQE_BYTES, CQE_TAG_AT, SQE_BYTES, SQE_PORT_AT, SQE_TAG_AT, SQE_TARGET_AT } from '../asm/layout';
import {
  OUTCOME_ABORTED,
  OUTCOME_ATTENTION,
  OUTCOME_BUSY,
  OUTCOME_GOOD,
  OUTCOME_LOST,
  OUTCOME_PATH,
  outcome_of,
  sense_code,
} from '../asm/initiator/outcome';
import { PR_PREEMPT_AND_ABORT, PR_WRITE_EXCLUSIVE, cdb_reserve_out } from '../asm/initiator/cdb';
import { hba_doorbell, hba_poll, timer_work } from './board';
import { COMMAND_MAX, CQ_AT, EV_PATH, EV_UNIT_ATTENTION, SQ_AT, WORK_COMMAND } from './layout';
import { log_disk } from './log';
import { Command, HELD_ME, command_at, core, disk_at, scratch } from './memory';
import { command_done } from './dispatch';
import { KIND_PROBE } from './path';
import { seal_now } from './seal';
import { trace } from './trace';

/** How often a command is sent again before its owner hears of the trouble. */
const TRIES_MAX: u32 = 4;
/** A command that got no answer may have been aborted by the partner's preemption. */
const LOST_TRIES_MAX: u32 = 2;
const BUSY_US: u64 = 10000;
export const NO_COMMAND: u32 = 0xffffffff;
/** Kinds below this one belong to this file. */
export const KIND_PATH: u32 = 1;

/** Where the entry of slot `i` is built. */
// @ts-ignore: decorator
@inline
export function entry_of(i: u32): usize {
  return changetype<usize>(command_at(i));
}

/** A free slot, or NO_COMMAND. `kind` says who goes on with it. */
export function command_new(kind: u32, disk: u32, arg: u32 = 0, arg2: u32 = 0): u32 {
  const c = core();
  for (let n: u32 = 0; n < COMMAND_MAX; n++) {
    const i = (c.command_next + n) & (COMMAND_MAX - 1);
    const command = command_at(i);
    if (command.busy) continue;
    c.command_next = (i + 1) & (COMMAND_MAX - 1);
    command.kind = kind;
    command.disk = disk;
    command.arg = arg;
    command.arg2 = arg2;
    command.tries = 0;
    command.generation++;
    return i;
  }
  return NO_COMMAND;
}

/** Free slots are plenty: more than `margin`. */
export function command_room(margin: u32): bool {
  return core().in_flight + margin < COMMAND_MAX;
}

/** Sends the entry of slot `i` on the path in use. */
export function command_send(i: u32): void {
  command_send_on(i, disk_at(command_at(i).disk).path);
}

/** Sends it on a given path: discovery and registration ask both. */
export function command_send_on(i: u32, path: u32): void {
  const c = core();
  const command = command_at(i);
  const entry = entry_of(i);
  if (!command.busy) c.in_flight++;
  if (command.busy == 2) c.waiting--;
  if (disk_at(command.disk).failing_over && command.kind != KIND_PATH) {
    // Its reservation is on its way to the path in use: nothing goes out before it.
    store<u8>(entry + SQE_PORT_AT, disk_at(command.disk).path);
    command.busy = 2;
    command.resend_at = c.now;
    c.waiting++;
    return;
  }
  command.busy = 1;
  store<u32>(entry + SQE_TAG_AT, (command.generation << 16) | i);
  store<u16>(entry + SQE_TARGET_AT, <u16>command.disk);
  store<u8>(entry + SQE_PORT_AT, <u8>path);
  memory.copy(<usize>SQ_AT + (c.sq_tail & (COMMAND_MAX - 1)) * SQE_BYTES, entry, SQE_BYTES);
  c.sq_tail++;
}

/** Rings the doorbell once for all that this cycle sent. */
export function commands_flush(): void {
  const c = core();
  if (c.sq_rung == c.sq_tail) return;
  timer_work(WORK_COMMAND, c.sq_tail - c.sq_rung);
  c.sq_rung = c.sq_tail;
  hba_doorbell(c.sq_tail);
}

/** Takes what has completed; bounded by the ring. */
export function commands_reap(): void {
  const c = core();
  // An HBA that says of more than the ring has places for is out of its mind, but must not hold up the cycle.
  const posted = min<u32>(hba_poll() - c.cq_head, COMMAND_MAX) + c.cq_head;
  if (posted != c.cq_head) timer_work(WORK_COMMAND, posted - c.cq_head);
  while (c.cq_head != posted) {
    const cqe = <usize>CQ_AT + (c.cq_head & (COMMAND_MAX - 1)) * CQE_BYTES;
    c.cq_head++;
    const tag = load<u32>(cqe + CQE_TAG_AT);
    const i = tag & 0xffff;
    if (i >= <u32>COMMAND_MAX) continue;
    const command = command_at(i);
    if (command.busy != 1 || (command.generation & 0xffff) != tag >> 16) continue;
    completed(i, command, cqe);
  }
  if (c.waiting) resend();
}

function completed(i: u32, command: Command, cqe: usize): void {
  const outcome = outcome_of(cqe);
  command.sense = sense_code(cqe);
  if (outcome == OUTCOME_ATTENTION && command.tries < TRIES_MAX) {
    trace(EV_UNIT_ATTENTION, command.disk, command.sense);
    hold(command, core().now);
    return;
  }
  if (outcome == OUTCOME_BUSY && command.tries < TRIES_MAX) {
    hold(command, core().now + BUSY_US);
    return;
  }
  if (outcome == OUTCOME_LOST && command.tries < LOST_TRIES_MAX) {
    hold(command, core().now);
    return;
  }
  const dead = outcome == OUTCOME_PATH || outcome == OUTCOME_LOST;
  if (dead && !asks_one_path(command.kind) && leave_path(command, entry_of(i))) {
    hold(command, core().now);
    return;
  }
  if (dead) finish(i, command, OUTCOME_PATH);
  else
    finish(i, command, outcome == OUTCOME_ATTENTION || outcome == OUTCOME_BUSY ? OUTCOME_ABORTED : outcome);
}

/** What such a command finds out is about that path. */
function asks_one_path(kind: u32): bool {
  return kind == KIND_PATH || (kind & 0xff00) == KIND_PROBE;
}

function finish(i: u32, command: Command, outcome: u32): void {
  command.busy = 0;
  core().in_flight--;
  if (command.kind == KIND_PATH) path_done(command, outcome);
  else command_done(i, outcome);
}

function hold(command: Command, until: u64): void {
  command.busy = 2;
  command.tries++;
  command.resend_at = until;
  core().waiting++;
}

function resend(): void {
  const c = core();
  for (let i: u32 = 0; i < COMMAND_MAX && c.waiting; i++) {
    const command = command_at(i);
    if (command.busy != 2) continue;
    const disk = disk_at(command.disk);
    if (disk.failing_over && command.kind != KIND_PATH) continue;
    if (command.resend_at > c.now) {
      if (command.resend_at < c.wake_at) c.wake_at = command.resend_at;
      continue;
    }
    // Kinds that ask one path on purpose keep it; leave_path has moved all others.
    command_send_on(i, load<u8>(entry_of(i) + SQE_PORT_AT));
  }
}

/**
 * The path of this command is dead. True when the command will go out again on the other one. A disk held by us is
 * first taken over from ourselves: a reservation belongs to an I_T nexus, so PREEMPT with our own key as the key to
 * preempt moves it ([SPC-4] 5.13.11.2.4).
 */
function leave_path(command: Command, entry: usize): bool {
  const disk = disk_at(command.disk);
  const failed = load<u8>(entry + SQE_PORT_AT);
  const other = failed ^ 1;
  if (!disk.wwn) return false; // still being discovered: the caller asks each path
  if (!(disk.paths & (1 << other)) || command.tries >= TRIES_MAX) return false;
  store<u8>(entry + SQE_PORT_AT, other);
  if (disk.path == failed) {
    disk.path = other;
    disk.paths &= ~(<u8>(1 << failed));
    trace(EV_PATH, command.disk, other);
    seal_now();
    log_disk(command.disk, other ? 'uses path 1' : 'uses path 0');
    if (disk.held == <u8>HELD_ME) move_reservation(command.disk);
  }
  return true;
}

function move_reservation(number: u32): void {
  const i = command_new(KIND_PATH, number);
  if (i == NO_COMMAND) return; // every slot waits for a path: the writes will conflict, and the board is fenced
  const key = core().key;
  disk_at(number).failing_over = 1;
  cdb_reserve_out(entry_of(i), PR_PREEMPT_AND_ABORT, PR_WRITE_EXCLUSIVE, scratch(number) + 0x3f00, key, key);
  command_send(i);
}

function path_done(command: Command, outcome: u32): void {
  disk_at(command.disk).failing_over = 0;
  if (outcome != OUTCOME_GOOD) log_disk(command.disk, 'reservation did not move to the other path');
}
