/** Board time since power-on, us. */
import { timer_now_hi, timer_now_lo } from './board';

export function now_us(): u64 {
  return ((<u64>timer_now_hi()) << 32) | timer_now_lo();
}
