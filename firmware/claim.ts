/**
 * Taking hold of a disk of our own, at boot and when it is given back: read who holds it, reserve it or preempt a
 * stale holder, read again. What counts is the reservation read last, never a status: the answer to a PREEMPT that
 * went through may have been lost.
 *
 * [SPC-4] 5.13.11 persistent reservations; the key is system id << 32 | boot epoch, so a stale one is recognised
 */
import { abort_header } from './abort-header';
import {
  ABORT_NONE,
  ATTRIBUTE_DUMPING,
  COPY_BLOCKS,
  COPY_BYTES,
  COREDUMP_LBA,
  ROLE_DATA,
  ROLE_DUMP,
  ROLE_SPARE,
} from '../asm/layout';
import {
  PR_PREEMPT_AND_ABORT,
  PR_READ_RESERVATION,
  PR_REGISTER_AND_IGNORE,
  PR_RELEASE,
  PR_RESERVE,
  PR_WRITE_EXCLUSIVE,
  cdb_read16,
  cdb_reserve_in,
  cdb_reserve_out,
} from '../asm/initiator/cdb';
import { reservation_key } from '../asm/initiator/keys';
import { OUTCOME_GOOD, OUTCOME_PATH } from '../asm/initiator/outcome';
import { NO_COMMAND, command_new, command_send, command_send_on, entry_of } from './command';
import { read_header } from './discover';
import { giveback_claimed } from './giveback';
import { EV_RESERVED, EV_RETURNED, EV_STALE } from './layout';
import { log_disk } from './log';
import { Disk, HELD_FOREIGN, HELD_ME, HELD_PARTNER, command_at, core, disk_at, scratch } from './memory';
import { serve_begin } from './serve';
import { trace } from './trace';

export const KIND_CLAIM: u32 = 0x2000;
const READ: u32 = KIND_CLAIM;
const OUT: u32 = KIND_CLAIM + 1;
const VERIFY: u32 = KIND_CLAIM + 2;
const DROP: u32 = KIND_CLAIM + 3;
const HEADER: u32 = KIND_CLAIM + 4;
const FREE: u32 = KIND_CLAIM + 5;
const CLOSE: u32 = KIND_CLAIM + 8; // a header that would say dumping for ever
const REGISTER: u32 = KIND_CLAIM + 6; // on the path in use
const REGISTER_OTHER: u32 = KIND_CLAIM + 7;
const TRIES_MAX: u32 = 3;
const LIST_AT: usize = 0x3f00; // in the disk's buffer

/**
 * Starts a claim. `boot_left` counts claims under way. A reservation of an earlier life may hang on our other path's
 * nexus, under the key that we have just registered there anew: it is released first.
 */
export function claim(d: u32): void {
  const disk = disk_at(d);
  disk.only_free = 0;
  if (disk.paths != 3) {
    if (send_read(d, READ)) core().boot_left++;
    return;
  }
  if (send_release(d, FREE, disk.path ^ 1)) core().boot_left++;
}

/** The same, but only if nobody holds the disk: what the partner holds or leaves to a dump is its own to give back. */
export function claim_if_free(d: u32): void {
  disk_at(d).only_free = 1;
  if (send_read(d, READ)) core().boot_left++;
}

function send_release(d: u32, kind: u32, path: u32): bool {
  const i = command_new(kind, d);
  if (i == NO_COMMAND) return false;
  cdb_reserve_out(entry_of(i), PR_RELEASE, PR_WRITE_EXCLUSIVE, scratch(d) + LIST_AT, core().key, 0);
  command_send_on(i, path);
  return true;
}

/** Gives up what the disk still holds for us from an earlier life: a disk of the partner, at boot. */
export function claim_drop(d: u32): void {
  const disk = disk_at(d);
  for (let path: u32 = 0; path < 2; path++) {
    if (!((<u32>disk.paths) & ((<u32>1) << path))) continue;
    if (send_release(d, DROP, path)) core().boot_left++;
  }
}

function send_read(d: u32, kind: u32): bool {
  const i = command_new(kind, d);
  if (i == NO_COMMAND) return false;
  cdb_reserve_in(entry_of(i), PR_READ_RESERVATION, scratch(d), 24);
  command_send(i);
  return true;
}

export function claim_done(i: u32, outcome: u32): void {
  const c = core();
  const kind = command_at(i).kind;
  const d = command_at(i).disk;
  const disk = disk_at(d);
  if (kind == DROP) {
    c.boot_left--;
    return;
  }
  if (kind == REGISTER && disk.paths == 3) return register(d, REGISTER_OTHER, disk.path ^ 1);
  if (kind == FREE || kind == REGISTER || kind == REGISTER_OTHER) {
    if (!send_read(d, READ)) c.boot_left--;
    return;
  }
  if (kind == OUT) {
    if (!send_read(d, VERIFY)) c.boot_left--;
    return;
  }
  if (kind == HEADER) {
    if (outcome == OUTCOME_GOOD) read_header(disk, scratch(d));
    // A dump of an earlier life of ours that nobody ended: both boards were off. What there is of it is kept.
    const unended = disk.attribute == ATTRIBUTE_DUMPING && disk.header_system == c.system;
    if (unended && abort_header(CLOSE, d, scratch(d), ABORT_NONE)) return;
    return held(d);
  }
  if (kind == CLOSE) return held(d);
  if (outcome != OUTCOME_GOOD) {
    c.boot_left--;
    if (outcome == OUTCOME_PATH) disk.dead = 1; // the board goes on without it
    log_disk(d, 'does not tell who holds it');
    return;
  }
  disk.holder = reservation_key(scratch(d));
  if (kind == VERIFY) {
    const here = disk.reserved_path == disk.path; // else our other nexus holds it
    if (disk.holder == c.key && here) return look(d, disk);
    if (++disk.tries >= TRIES_MAX) {
      c.boot_left--;
      disk.tries = 0;
      log_disk(d, 'could not be reserved');
      return;
    }
    // The partner's preemption of our earlier life may have taken our new registration with it: make it anew.
    return register(d, REGISTER, disk.path);
  }
  decide(d);
}

function register(d: u32, kind: u32, path: u32): void {
  const i = command_new(kind, d);
  if (i == NO_COMMAND) {
    core().boot_left--;
    return;
  }
  cdb_reserve_out(entry_of(i), PR_REGISTER_AND_IGNORE, 0, scratch(d) + LIST_AT, 0, core().key);
  command_send_on(i, path);
}

function decide(d: u32): void {
  const c = core();
  const disk = disk_at(d);
  const system = <u32>(disk.holder >> 32);
  const epoch = <u32>disk.holder;
  if (!disk.holder) return reserve(d, PR_RESERVE, 0);
  if (disk.only_free) {
    disk.held = <u8>HELD_PARTNER;
    c.boot_left--;
    return;
  }
  if (disk.holder == c.key) return reserve(d, disk.tries ? PR_PREEMPT_AND_ABORT : PR_RESERVE, disk.holder);
  const staleOwn = system == c.system;
  const stalePartner = system == c.partner && c.partner_epoch && epoch != c.partner_epoch;
  if (staleOwn || stalePartner) {
    trace(EV_STALE, d, system, epoch);
    log_disk(d, 'has a stale reservation: preempted');
    return reserve(d, PR_PREEMPT_AND_ABORT, disk.holder);
  }
  disk.held = system == c.partner ? <u8>HELD_PARTNER : <u8>HELD_FOREIGN;
  log_disk(d, system == c.partner ? 'is held by the partner' : 'is reserved by somebody else: left alone');
  c.boot_left--;
}

function reserve(d: u32, action: u32, victim: u64): void {
  const i = command_new(OUT, d);
  if (i == NO_COMMAND) {
    core().boot_left--;
    return;
  }
  const list = scratch(d) + LIST_AT;
  cdb_reserve_out(
    entry_of(i),
    action,
    PR_WRITE_EXCLUSIVE,
    list,
    core().key,
    action == PR_RESERVE ? 0 : victim,
  );
  disk_at(d).reserved_path = disk_at(d).path;
  command_send(i);
}

/** A disk that may hold a dump: its header may have changed while the partner had it. */
function look(d: u32, disk: Disk): void {
  if (disk.role != <u8>ROLE_SPARE && disk.role != <u8>ROLE_DUMP) return held(d);
  const i = command_new(HEADER, d);
  if (i == NO_COMMAND) return held(d);
  cdb_read16(entry_of(i), COREDUMP_LBA, 2 * COPY_BLOCKS, scratch(d), 2 * COPY_BYTES);
  command_send(i);
}

function held(d: u32): void {
  const c = core();
  const disk = disk_at(d);
  const returned = disk.held == <u8>HELD_PARTNER;
  disk.held = <u8>HELD_ME;
  c.held_changes++;
  disk.tries = 0;
  c.boot_left--;
  trace(returned ? EV_RETURNED : EV_RESERVED, d);
  if (returned) log_disk(d, 'is ours again');
  if (disk.role == <u8>ROLE_DATA) serve_begin(disk.volume);
  giveback_claimed(d);
}
