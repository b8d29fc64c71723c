/**
 * The trace ring: the last events in RAM, so that they are in the dump, and out of the trace port as they happen.
 * A count of events ever written, then TRACE_EVENTS places of 24 bytes: time us u64, code, a, b, c.
 */
import { TRACE_AT } from './layout';
import { trace_event } from './board';
import { core } from './memory';

export const TRACE_EVENTS: u32 = 2048;
export const TRACE_EVENT_BYTES: u32 = 24;

export function trace(code: u32, a: u32 = 0, b: u32 = 0, c: u32 = 0): void {
  const count = load<u32>(TRACE_AT);
  const place = <usize>(TRACE_AT + 16 + (count & (TRACE_EVENTS - 1)) * TRACE_EVENT_BYTES);
  store<u64>(place, core().now);
  store<u32>(place + 8, code);
  store<u32>(place + 12, a);
  store<u32>(place + 16, b);
  store<u32>(place + 20, c);
  store<u32>(TRACE_AT, count + 1);
  trace_event(code, a, b, c);
}
