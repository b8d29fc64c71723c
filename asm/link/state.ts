/** What an end of the link knows: one block of memory, LINK_BYTES at any address that is a multiple of 8. */
import {
  CHANNELS,
  CHANNEL_HBA,
  CHANNEL_PANIC,
  COUNTS,
  CREDIT_BULK_BYTES,
  CREDIT_BYTES,
  FRAME_PAYLOAD_MAX,
  LINE_BYTES_MAX,
  LINK_WINDOW,
} from './layout';


@unmanaged
export class Link {
  state: u32; // LINK_*
  role: u32; // LINK_HOST, LINK_BOARD
  lives: u32; // sessions ever opened
  session: u32;
  nonce: u32;
  // handshake
  offered: u32; // board: session of the OFFER that waits for its CONFIRM, 0: none
  offer_nonce: u32;
  say_open: u32; // frames to send, each a truth value
  say_offer: u32;
  say_confirm: u32;
  say_probe: u32;
  reset_session: u32; // RESET is due for this session, 0: none
  open_at: u32; // us, when OPEN was last sent
  // sending
  send_base: u32; // oldest frame not acknowledged
  send_next: u32; // number of the next new frame
  send_closed: u32; // frames before this one are complete
  send_count: u32; // running number of transmissions
  starved: u32; // somebody had no credit
  starved_at: u32;
  rto: u32; // us
  backoff: u32;
  srtt: u32; // us; 0: not known
  rttvar: u32;
  // receiving
  want: u32; // first number that is missing
  have: u32; // bit i: want + i is in its slot
  ack_now: u32; // truth values
  ack_all: u32; // with the grants of all channels
  ack_count: u32; // frames not yet acknowledged
  ack_at: u32; // us, when they must be
  heard_at: u32; // us, last good frame
  probed_at: u32;
  line: u32; // bytes of the line so far
  line_bad: u32; // it is too long
  inbox_head: u32;
  inbox_tail: u32;
}

/** A frame on its way. */
@unmanaged
export class Slot {
  length: u16;
  channel: u8;
  state: u8; // SLOT_*
  sent_at: u32; // us
  count: u32; // number of its last transmission
  tries: u32;
}

export const SLOT_NEW: u32 = 0; // not sent yet
export const SLOT_SENT: u32 = 1;
export const SLOT_LOST: u32 = 2; // to be sent again
export const SLOT_DONE: u32 = 3; // acknowledged out of order

/** Room of the inbox: all that was ever granted and not taken fits. */
export const INBOX_BYTES: u32 = (CHANNELS - 2) * CREDIT_BYTES + 2 * CREDIT_BULK_BYTES;
/** Bytes before each payload in the inbox, as FRAME_COST. */
export const ITEM_BYTES: u32 = 4;
const SLOT_BYTES: u32 = 16;
const IN_BYTES: u32 = FRAME_PAYLOAD_MAX + 4;
const LINE_ROOM: u32 = LINE_BYTES_MAX + 6;

const SPENT_AT: u32 = 256; // u32 a channel: credit used up
const LIMIT_AT: u32 = SPENT_AT + 4 * CHANNELS; // u32 a channel: credit granted to us
const TAKEN_AT: u32 = LIMIT_AT + 4 * CHANNELS; // u32 a channel: what we took
const TOLD_AT: u32 = TAKEN_AT + 4 * CHANNELS; // u32 a channel: what we granted
const COUNT_AT: u32 = TOLD_AT + 4 * CHANNELS;
const SLOTS_AT: u32 = COUNT_AT + 4 * COUNTS + 8;
const OUT_AT: u32 = SLOTS_AT + SLOT_BYTES * LINK_WINDOW; // payloads on their way
const IN_AT: u32 = OUT_AT + FRAME_PAYLOAD_MAX * LINK_WINDOW; // payloads that came early: length, channel, bytes
const LINE_AT: u32 = IN_AT + IN_BYTES * LINK_WINDOW;
const FRAME_AT: u32 = LINE_AT + LINE_ROOM;
const INBOX_AT: u32 = FRAME_AT + LINE_ROOM;
export const LINK_BYTES: u32 = (INBOX_AT + INBOX_BYTES + 7) & ~7;

// @ts-ignore: decorator
@inline
export function link_at(at: usize): Link {
  return changetype<Link>(at);
}
// @ts-ignore: decorator
@inline
export function slot_of(link: Link, sequence: u32): Slot {
  return changetype<Slot>(changetype<usize>(link) + SLOTS_AT + (sequence & (LINK_WINDOW - 1)) * SLOT_BYTES);
}
/** Where the payload of a frame on its way lies. */
// @ts-ignore: decorator
@inline
export function out_of(link: Link, sequence: u32): usize {
  return changetype<usize>(link) + OUT_AT + (sequence & (LINK_WINDOW - 1)) * FRAME_PAYLOAD_MAX;
}
/** And one that came: u16 length, u8 channel, from byte 4 on the payload. */
// @ts-ignore: decorator
@inline
export function in_of(link: Link, sequence: u32): usize {
  return changetype<usize>(link) + IN_AT + (sequence & (LINK_WINDOW - 1)) * IN_BYTES;
}
// @ts-ignore: decorator
@inline
export function line_of(link: Link): usize {
  return changetype<usize>(link) + LINE_AT;
}
/** A frame being put together. */
// @ts-ignore: decorator
@inline
export function frame_of(link: Link): usize {
  return changetype<usize>(link) + FRAME_AT;
}
// @ts-ignore: decorator
@inline
export function inbox_of(link: Link): usize {
  return changetype<usize>(link) + INBOX_AT;
}
// @ts-ignore: decorator
@inline
export function spent_of(link: Link, channel: u32): usize {
  return changetype<usize>(link) + SPENT_AT + channel * 4;
}
// @ts-ignore: decorator
@inline
export function limit_of(link: Link, channel: u32): usize {
  return changetype<usize>(link) + LIMIT_AT + channel * 4;
}
// @ts-ignore: decorator
@inline
export function taken_of(link: Link, channel: u32): usize {
  return changetype<usize>(link) + TAKEN_AT + channel * 4;
}
// @ts-ignore: decorator
@inline
export function told_of(link: Link, channel: u32): usize {
  return changetype<usize>(link) + TOLD_AT + channel * 4;
}
// @ts-ignore: decorator
@inline
export function count_of(link: Link, what: u32): usize {
  return changetype<usize>(link) + COUNT_AT + what * 4;
}
// @ts-ignore: decorator
@inline
export function count(link: Link, what: u32): void {
  const at = count_of(link, what);
  store<u32>(at, load<u32>(at) + 1);
}

/** How far `a` is behind `b` in sequence numbers of 16 bits. */
// @ts-ignore: decorator
@inline
export function ahead(a: u32, b: u32): u32 {
  return (a - b) & 0xffff;
}

/** Room at the receiver for what a channel carries. */
export function quota(channel: u32): u32 {
  return channel == CHANNEL_HBA || channel == CHANNEL_PANIC ? CREDIT_BULK_BYTES : CREDIT_BYTES;
}

/** Room that has become free and that the far end does not know of: it is told by half of the room at the latest. */
export function untold(link: Link, channel: u32): u32 {
  return load<u32>(taken_of(link, channel)) + quota(channel) - load<u32>(told_of(link, channel));
}

/** A new session: nothing is on its way, nothing was received. The line and the counts go on. */
export function link_begin(link: Link, session: u32, now: u32, rto: u32): void {
  link.session = session;
  link.lives++;
  link.send_base = link.send_next = link.send_closed = 0;
  link.starved = link.backoff = link.srtt = link.rttvar = 0;
  link.rto = rto;
  link.want = link.have = 0;
  link.ack_now = link.ack_all = link.ack_count = 0;
  link.say_probe = 0;
  link.heard_at = link.probed_at = now;
  link.inbox_head = link.inbox_tail = 0;
  for (let channel: u32 = 0; channel < CHANNELS; channel++) {
    store<u32>(spent_of(link, channel), 0);
    store<u32>(limit_of(link, channel), quota(channel));
    store<u32>(taken_of(link, channel), 0);
    store<u32>(told_of(link, channel), quota(channel));
  }
}
