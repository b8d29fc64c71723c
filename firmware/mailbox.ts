/**
 * The mailbox disk: each board writes its state and a beat into a slot of its own and reads the partner's. It tells a
 * dead partner from a cut interconnect; and as both boards are registrants of its Write Exclusive - Registrants Only
 * reservation, it is the arbiter: who preempts the other's registration there has won.
 */
import {
  DATA_LBA,
  MAIL_BEAT_AT,
  MAIL_BLOCKS,
  MAIL_BYTES,
  MAIL_CRC_AT,
  MAIL_EPOCH_AT,
  MAIL_MAGIC,
  MAIL_MAGIC_AT,
  MAIL_STATE_AT,
  MAIL_SYSTEM_AT,
  MAIL_WWN_AT,
  SQE_TIMEOUT_MS_AT,
} from '../asm/layout';
import { crc32c } from '../asm/bytes/crc32c';
import {
  PR_RESERVE,
  PR_WRITE_EXCLUSIVE_REGISTRANTS,
  cdb_read16,
  cdb_reserve_out,
  cdb_write16,
} from '../asm/initiator/cdb';
import { OUTCOME_CONFLICT, OUTCOME_GOOD } from '../asm/initiator/outcome';
import { NO_COMMAND, command_new, command_send, entry_of } from './command';
import { fence } from './fence';
import { partner_lives } from './state';
import { NO_DISK, command_at, core, scratch } from './memory';

export const KIND_MAIL: u32 = 0x3000;
const WRITE: u32 = KIND_MAIL;
const READ: u32 = KIND_MAIL + 1;
const RESERVE: u32 = KIND_MAIL + 2;
/** Places in the mailbox disk's buffer. */
const OUT_AT: usize = 0x1000;
const IN_AT: usize = 0x2000;
const LIST_AT: usize = 0x3f00;
/** A beat that is late is of no use. */
const MAIL_TIMEOUT_MS: u32 = 400;

/** Joins the pair's reservation of the mailbox disk. A conflict says that the partner made it already. */
export function mail_reserve(): void {
  const c = core();
  const i = command_new(RESERVE, c.mailbox);
  if (i == NO_COMMAND) return;
  const list = scratch(c.mailbox) + LIST_AT;
  cdb_reserve_out(entry_of(i), PR_RESERVE, PR_WRITE_EXCLUSIVE_REGISTRANTS, list, c.key, 0);
  c.boot_left++;
  command_send(i);
}

/** Builds this board's slot at `buf`; `wwn` names the coredump disk of a panicking board. */
export function mail_build(buf: usize, state: u32, beat: u32, wwn: u64): void {
  const c = core();
  memory.fill(buf, 0, MAIL_BYTES);
  store<u32>(buf + MAIL_MAGIC_AT, MAIL_MAGIC);
  store<u32>(buf + MAIL_SYSTEM_AT, c.system);
  store<u32>(buf + MAIL_EPOCH_AT, c.epoch);
  store<u32>(buf + MAIL_BEAT_AT, beat);
  store<u32>(buf + MAIL_STATE_AT, state);
  store<u64>(buf + MAIL_WWN_AT, wwn);
  store<u32>(buf + MAIL_CRC_AT, crc32c(0, buf, MAIL_BYTES));
}

export function mail_good(buf: usize, system: u32): bool {
  if (load<u32>(buf + MAIL_MAGIC_AT) != MAIL_MAGIC || load<u32>(buf + MAIL_SYSTEM_AT) != system) return false;
  const sum = load<u32>(buf + MAIL_CRC_AT);
  store<u32>(buf + MAIL_CRC_AT, 0);
  return sum == crc32c(0, buf, MAIL_BYTES);
}

export function mail_lba(index: u32): u64 {
  return <u64>DATA_LBA + index * MAIL_BLOCKS;
}

/** Writes our slot, then reads the partner's. One round at a time. */
export function mail_round(): void {
  const c = core();
  if (c.mail_busy || c.mailbox == NO_DISK) return;
  const i = command_new(WRITE, c.mailbox);
  if (i == NO_COMMAND) return;
  const buf = scratch(c.mailbox) + OUT_AT;
  mail_build(buf, c.state, ++c.beat, 0);
  cdb_write16(entry_of(i), mail_lba(c.index), 1, true, buf, MAIL_BYTES);
  store<u32>(entry_of(i) + SQE_TIMEOUT_MS_AT, MAIL_TIMEOUT_MS);
  c.mail_busy = 1;
  command_send(i);
}

/** Reads the partner's slot, without writing ours. */
export function mail_read(): void {
  const c = core();
  const i = command_new(READ, c.mailbox);
  if (i == NO_COMMAND) {
    c.mail_busy = 0;
    return;
  }
  cdb_read16(entry_of(i), mail_lba(c.index ^ 1), 1, scratch(c.mailbox) + IN_AT, MAIL_BYTES);
  command_send(i);
}

export function mail_done(i: u32, outcome: u32): void {
  const c = core();
  switch (command_at(i).kind) {
    case RESERVE:
      c.boot_left--;
      return;
    case WRITE:
      if (outcome == OUTCOME_GOOD) c.mail_ok_at = c.now;
      // Our registration is gone: the partner has preempted it and takes our disks.
      if (outcome == OUTCOME_CONFLICT) {
        c.mail_busy = 0;
        return fence(c.mailbox);
      }
      return mail_read();
    default:
      c.mail_busy = 0;
      if (outcome == OUTCOME_GOOD) hear(scratch(c.mailbox) + IN_AT);
  }
}

function hear(slot: usize): void {
  const c = core();
  if (!mail_good(slot, c.partner)) return;
  const beat = load<u32>(slot + MAIL_BEAT_AT);
  const epoch = load<u32>(slot + MAIL_EPOCH_AT);
  if (epoch < c.partner_epoch) {
    c.partner_mail_known = 1; // from an earlier life: it has written nothing in this one yet
    return;
  }
  const changed = !c.partner_mail_known || beat != c.partner_mail_beat || epoch != c.partner_epoch;
  const first = !c.partner_mail_known;
  c.partner_mail_known = 1;
  c.partner_mail_beat = beat;
  if (!changed) return;
  partner_lives(epoch);
  c.partner_mail_state = load<u32>(slot + MAIL_STATE_AT);
  c.partner_mail_wwn = load<u64>(slot + MAIL_WWN_AT);
  // What was there before we looked may be old: only a change is a sign of life.
  if (first) return;
  c.mail_heard_at = c.now;
  c.partner_mail_alive = 1;
}
