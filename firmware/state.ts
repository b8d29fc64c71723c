/** What the board is doing, told to whoever listens. */
import { EV_STATE } from './layout';
import { core } from './memory';
import { trace } from './trace';

export function set_state(state: u32): void {
  const c = core();
  if (c.state == state) return;
  c.state = state;
  c.beat_due = 0; // the partner hears of it in this cycle
  c.mail_due = 0;
  trace(EV_STATE, state);
}

/** The partner is alive in this boot epoch: what was known of an earlier life of it is void. */
export function partner_lives(epoch: u32): void {
  const c = core();
  if (epoch == c.partner_epoch) return;
  c.partner_epoch = epoch;
  c.partner_state = 0;
  c.partner_mail_state = 0;
  c.partner_mail_alive = 0;
  c.take_hint = 0;
  c.take_hint_at = 0;
  c.take_dropped = 0;
  c.take_none = 0;
}

/** The partner's state as last heard, over the interconnect while that carries, else from the mailbox disk; 0: no word. */
export function partner_state(): u32 {
  const c = core();
  const fresh = c.now - c.heard_at < <u64>c.heartbeat_ms * 10000;
  if (c.partner_state && (fresh || !c.partner_mail_alive)) return c.partner_state;
  return c.partner_mail_alive ? c.partner_mail_state : 0;
}

/** The loop has something to do at `us` of board time, and not before. */
export function wake_at(us: u64): void {
  const c = core();
  if (us < c.wake_at) c.wake_at = us;
}
