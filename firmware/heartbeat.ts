/**
 * Signs of life: sent over the interconnect and written to the mailbox disk; listened for on both. Only silence on
 * both is a dead partner. A panic message, or a mailbox slot that says panic, is not silence but an announcement, and
 * starts the takeover at once.
 */
import { timer_work } from './board';
import { giveback_given, giveback_taken } from './giveback';
import {
  BOARD_BOOTING,
  BOARD_FENCED,
  BOARD_NORMAL,
  BOARD_PANIC,
  BOARD_TAKING,
  MSG_DUMP_ENDED,
  MSG_ELAPSED_US_AT,
  MSG_EPOCH_AT,
  MSG_GIVEN,
  MSG_HEARTBEAT,
  MSG_LEND,
  MSG_LIMIT_MS_AT,
  MSG_PANIC,
  MSG_STATE_AT,
  MSG_TAKEN,
  MSG_WWN_AT,
  WORK_COMMAND,
} from './layout';
import { INBOX, message_receive, message_say } from './message';
import { mail_round } from './mailbox';
import { NO_DISK, core } from './memory';
import { fence } from './fence';
import { partner_lives, wake_at } from './state';
import { takeover_lend } from './take-lend';
import { SEEN_MAILBOX, SEEN_MESSAGE, SEEN_SILENCE } from './take-state';
import { takeover_begin, takeover_dump_ended } from './takeover';

/** The mailbox disk is written at every fifth heartbeat. */
const MAIL_EVERY: u64 = 5;
/** Messages handled in one cycle. */
const MESSAGES_MAX: u32 = 8;

export function listen(): void {
  for (let n: u32 = 0; n < MESSAGES_MAX; n++) {
    const kind = message_receive();
    if (!kind) return;
    timer_work(WORK_COMMAND, 1);
    heard(kind);
  }
  wake_at(core().now); // there may be more
}

function heard(kind: u32): void {
  const c = core();
  const epoch = load<u32>(INBOX + MSG_EPOCH_AT);
  if (epoch < c.partner_epoch) return; // from an earlier life
  partner_lives(epoch);
  c.heard_at = c.now;
  const wwn = load<u64>(INBOX + MSG_WWN_AT);
  switch (kind) {
    case MSG_HEARTBEAT:
      c.partner_state = load<u32>(INBOX + MSG_STATE_AT);
      return;
    case MSG_PANIC:
      c.partner_state = BOARD_PANIC;
      if (c.take_hint && c.take_hint != wwn) c.take_dropped = c.take_hint;
      c.take_hint = wwn;
      c.take_hint_at = c.now;
      c.take_none = wwn == 0 ? 1 : 0;
      c.take_hint_limit = c.now + dump_time_left();
      return takeover_begin(SEEN_MESSAGE);
    case MSG_DUMP_ENDED:
      return takeover_dump_ended();
    case MSG_LEND:
      c.take_hint_limit = c.now + dump_time_left();
      return takeover_lend(wwn);
    case MSG_GIVEN:
      return giveback_given(wwn);
    case MSG_TAKEN:
      return giveback_taken(wwn);
  }
}

/** What is left of the dump's time by the message at hand, us. */
function dump_time_left(): u64 {
  const limit = <u64>load<u32>(INBOX + MSG_LIMIT_MS_AT) * 1000;
  const elapsed = <u64>load<u32>(INBOX + MSG_ELAPSED_US_AT);
  return limit > elapsed ? limit - elapsed : 0;
}

export function heartbeat(): void {
  const c = core();
  if (c.state == BOARD_FENCED) return;
  const period = <u64>c.heartbeat_ms * 1000;
  if (c.now >= c.beat_due) {
    c.beat_due = c.now + period;
    message_say(MSG_HEARTBEAT, 0);
  }
  if (c.now >= c.mail_due) {
    c.mail_due = c.now + period * MAIL_EVERY;
    mail_round();
  }
  wake_at(c.beat_due);
  lease();
  watch();
}

/** Is the partner still there? And may we still say that we are? */
function watch(): void {
  const c = core();
  if (c.state == BOARD_BOOTING || c.state == BOARD_TAKING) return;
  if (c.take_fenced == c.partner_epoch + 1) return; // that life is over, and dealt with
  const loss = <u64>c.heartbeat_loss_ms * 1000;
  const announced = c.partner_mail_alive && c.partner_mail_state == BOARD_PANIC;
  if (announced) {
    c.take_hint = c.partner_mail_wwn;
    c.take_hint_at = c.now;
    c.take_none = c.partner_mail_wwn == 0 ? 1 : 0;
    c.take_hint_limit = c.now + <u64>c.limit_ms * 1000;
    return takeover_begin(SEEN_MAILBOX);
  }
  if (c.now - c.heard_at > loss && c.now - c.mail_heard_at > loss) return takeover_begin(SEEN_SILENCE);
}

/**
 * The partner takes over when it has heard nothing for `loss`. Before that time is up we must not serve any more, not
 * even from the cache: so a board that can neither be heard nor write its slot fences itself at three quarters of it.
 */
function lease(): void {
  const c = core();
  if (!c.serving) return;
  const limit = <u64>c.heartbeat_loss_ms * 750;
  if (c.now - c.heard_at > limit && c.now - c.mail_ok_at > limit) fence(c.mailbox);
}
