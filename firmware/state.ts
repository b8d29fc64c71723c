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

/** The loop has something to do at `us` of board time, and not before. */
export function wake_at(us: u64): void {
  const c = core();
  if (us < c.wake_at) c.wake_at = us;
}
