/**
 * The arbiter: who preempts the other's registration on the mailbox disk has won, so that two racing boards cannot split
 * the disks. Without the arbiter there is no takeover.
 *
 * [SPC-4] 5.13.11.2 preempting, 6.15.2 READ KEYS
 */
import {
  PR_PREEMPT_AND_ABORT,
  PR_READ_KEYS,
  PR_WRITE_EXCLUSIVE_REGISTRANTS,
  cdb_read16,
  cdb_reserve_in,
  cdb_reserve_out,
  cdb_write16,
} from '../asm/initiator/cdb';
import { keys_contain, keys_find_system } from '../asm/initiator/keys';
import { OUTCOME_CONFLICT, OUTCOME_GOOD, OUTCOME_MEDIUM, OUTCOME_PATH } from '../asm/initiator/outcome';
import { MAIL_BYTES, MAIL_STATE_AT, MAIL_WWN_AT } from '../asm/layout';
import { BOOT_DONE } from './boot';
import { NO_COMMAND, command_new, command_send, entry_of } from './command';
import { fence } from './fence';
import {
  BOARD_NORMAL,
  BOARD_PANIC,
  BOARD_TAKEN,
  BOARD_TAKING,
  BOARD_WAITING,
  DISK_MAX,
  EV_ARBITRATED,
  EV_TAKEOVER_CANCELLED,
} from './layout';
import { log } from './log';
import { mail_build, mail_good, mail_lba } from './mailbox';
import { HELD_ME, core, disk_at, scratch } from './memory';
import { partner_lives, set_state } from './state';
import { begin_disks } from './take-disk';
import {
  ANNOUNCE,
  ARBITRATE,
  KEYS,
  LIST_AT,
  OUT_AT,
  RETRY_US,
  SEEN_MESSAGE,
  SLOT,
  TAKE_ARBITER,
  TAKE_DONE,
  TAKE_NONE,
  TAKE_RETRY,
  VERDICT,
} from './take-state';
import { TRIES_MAX } from './takeover';
import { trace } from './trace';

const KEYS_BYTES: u32 = 512;

export function arbiter(): void {
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

export function arbiter_done(kind: u32, outcome: u32): void {
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
