/** What came in order and has not been taken yet: a ring of payloads, each with its length and channel before it. */
import { COUNT_TAKEN, FRAME_COST, LINK_NOTHING } from './layout';
import { INBOX_BYTES, ITEM_BYTES, Link, count, inbox_of, quota, taken_of, untold } from './state';

/** Takes what lies in a place of in_of; false when there is no room, which an honest sender never meets. */
export function deliver(link: Link, place: usize): bool {
  const bytes = ITEM_BYTES + load<u16>(place);
  if (bytes > INBOX_BYTES - (link.inbox_tail - link.inbox_head)) return false;
  ring_put(link, place, bytes);
  return true;
}

function ring_put(link: Link, from: usize, bytes: u32): void {
  const at = link.inbox_tail % INBOX_BYTES;
  const first = min<u32>(bytes, INBOX_BYTES - at);
  memory.copy(inbox_of(link) + at, from, first);
  memory.copy(inbox_of(link), from + first, bytes - first);
  link.inbox_tail += bytes;
  wrap(link);
}

function ring_get(link: Link, to: usize, bytes: u32): void {
  const at = link.inbox_head % INBOX_BYTES;
  const first = min<u32>(bytes, INBOX_BYTES - at);
  memory.copy(to, inbox_of(link) + at, first);
  memory.copy(to + first, inbox_of(link), bytes - first);
  link.inbox_head += bytes;
  wrap(link);
}

/** Both stay small: the room is no power of two. */
function wrap(link: Link): void {
  if (link.inbox_head < INBOX_BYTES) return;
  link.inbox_head -= INBOX_BYTES;
  link.inbox_tail -= INBOX_BYTES;
}

/** The next payload, FRAME_PAYLOAD_MAX at most, into `to`: channel << 16 | bytes. LINK_NOTHING without one. */
export function take(link: Link, to: usize): u32 {
  if (link.inbox_head == link.inbox_tail) return LINK_NOTHING;
  ring_get(link, to, ITEM_BYTES);
  const bytes = <u32>load<u16>(to);
  const channel = <u32>load<u8>(to + 2);
  ring_get(link, to, bytes);
  count(link, COUNT_TAKEN);
  store<u32>(taken_of(link, channel), load<u32>(taken_of(link, channel)) + bytes + FRAME_COST);
  if (untold(link, channel) >= quota(channel) >> 1) link.ack_now = 1;
  return (channel << 16) | bytes;
}
