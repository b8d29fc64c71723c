/** The sending half of an end of the link: what goes into frames, and which frame goes onto the line next. */
import { crc32c } from '../bytes/crc32c';
import { cobs_encode } from './cobs';
import {
  ACK_US,
  CHANNELS,
  COUNT_AGAIN,
  COUNT_ALL,
  COUNT_SENT,
  CREDIT_BULK_BYTES,
  FRAME_ACK,
  FRAME_ACK_AT,
  FRAME_CHANNEL_AT,
  FRAME_CONFIRM,
  FRAME_COST,
  FRAME_CREDIT_AT,
  FRAME_CRC_BYTES,
  FRAME_DATA,
  FRAME_HEADER_BYTES,
  FRAME_KIND_AT,
  FRAME_LENGTH_AT,
  FRAME_OFFER,
  FRAME_OPEN,
  FRAME_PAYLOAD_MAX,
  FRAME_PROBE,
  FRAME_RESET,
  FRAME_SACK_AT,
  FRAME_SEQUENCE_AT,
  FRAME_SESSION_AT,
  LINK_HOST,
  LINK_NEVER,
  LINK_OPEN,
  LINK_OPENING,
  LINK_WINDOW,
  OPEN_US,
  PROBE_US,
} from './layout';
import {
  Link,
  SLOT_LOST,
  SLOT_NEW,
  SLOT_SENT,
  ahead,
  count,
  frame_of,
  limit_of,
  out_of,
  quota,
  slot_of,
  spent_of,
  taken_of,
  told_of,
  untold,
} from './state';

/** Takes as much of `bytes` bytes as there is room and credit for; the newest frame stays open for more of its channel. */
export function send_write(link: Link, channel: u32, from: usize, bytes: u32): u32 {
  if (link.state != LINK_OPEN || channel >= CHANNELS) return 0;
  let done: u32 = 0;
  while (done < bytes) {
    const spent = load<u32>(spent_of(link, channel));
    let credit = load<u32>(limit_of(link, channel)) - spent;
    const open = link.send_closed != link.send_next;
    const newest = (link.send_next - 1) & 0xffff;
    const fits =
      open &&
      <u32>slot_of(link, newest).channel == channel &&
      <u32>slot_of(link, newest).length < FRAME_PAYLOAD_MAX;
    if (!fits) {
      if (open) link.send_closed = link.send_next;
      if (ahead(link.send_next, link.send_base) >= LINK_WINDOW) break;
      credit = credit > FRAME_COST ? credit - FRAME_COST : 0;
    }
    const length = fits ? <u32>slot_of(link, newest).length : 0;
    const part = min<u32>(min<u32>(FRAME_PAYLOAD_MAX - length, bytes - done), credit);
    if (!part) {
      link.starved = 1;
      link.send_closed = link.send_next; // only when nothing is on its way a grant is asked for
      break;
    }
    if (!fits) begin_frame(link, channel);
    const last = (link.send_next - 1) & 0xffff;
    memory.copy(out_of(link, last) + length, from + done, part);
    const slot = slot_of(link, last);
    slot.length = <u16>(length + part);
    store<u32>(spent_of(link, channel), spent + part + (fits ? 0 : FRAME_COST));
    done += part;
    if (<u32>slot.length == FRAME_PAYLOAD_MAX) link.send_closed = link.send_next;
  }
  return done;
}

function begin_frame(link: Link, channel: u32): void {
  const slot = slot_of(link, link.send_next);
  slot.length = 0;
  slot.channel = <u8>channel;
  slot.state = <u8>SLOT_NEW;
  slot.tries = 0;
  link.send_next = (link.send_next + 1) & 0xffff;
}

/** What was written so far need not wait for more. */
export function send_flush(link: Link): void {
  link.send_closed = link.send_next;
}

/** The next frame for the line, with its zero, at `to`; LINE_BYTES_MAX must fit. 0: nothing is due. */
export function send_transmit(link: Link, to: usize, now: u32): u32 {
  if (link.reset_session) {
    const session = link.reset_session;
    link.reset_session = 0;
    return simple(link, FRAME_RESET, session, 0, to);
  }
  if (link.say_offer) {
    link.say_offer = 0;
    store<u32>(frame_of(link) + FRAME_HEADER_BYTES, link.offer_nonce);
    return simple(link, FRAME_OFFER, link.offered, 4, to);
  }
  if (link.state == LINK_OPENING) {
    if (!link.say_open && now - link.open_at < OPEN_US) return 0;
    link.say_open = 0;
    link.open_at = now;
    return simple(link, FRAME_OPEN, link.session, 0, to);
  }
  if (link.say_confirm) {
    link.say_confirm = 0;
    store<u32>(frame_of(link) + FRAME_HEADER_BYTES, link.nonce);
    return simple(link, FRAME_CONFIRM, link.session, 4, to);
  }
  return link.state == LINK_OPEN ? in_session(link, to, now) : 0;
}

function in_session(link: Link, to: usize, now: u32): u32 {
  expire(link, now);
  if (link.ack_all) return acknowledge_all(link, to);
  const next = pick(link);
  if (next != LINK_NEVER) return data(link, next, to, now);
  if (link.ack_now || (link.ack_count && now - link.ack_at < 0x80000000)) return acknowledge(link, to);
  if (probe_due(link, now)) {
    link.say_probe = 0;
    link.probed_at = now;
    link.starved_at = now;
    return simple(link, FRAME_PROBE, link.session, 0, to);
  }
  return 0;
}

/** The oldest frame on its way has had its time: it goes again, and the next time is longer. */
function expire(link: Link, now: u32): void {
  const oldest = slot_of(link, link.send_base);
  if (link.send_base == link.send_next || <u32>oldest.state != SLOT_SENT) return;
  if (now - oldest.sent_at < link.rto << link.backoff) return;
  oldest.state = <u8>SLOT_LOST;
  if (link.rto << (link.backoff + 1) <= 4000000) link.backoff++;
}

function probe_due(link: Link, now: u32): bool {
  if (link.say_probe) return true;
  if (link.starved && link.send_base == link.send_next && now - link.starved_at >= link.rto) return true;
  return link.role == LINK_HOST && now - link.heard_at >= PROBE_US && now - link.probed_at >= PROBE_US;
}

/** The frame to send now: a lost one before a new one. */
function pick(link: Link): u32 {
  const end = ahead(link.send_closed, link.send_base);
  let fresh = LINK_NEVER;
  for (let n: u32 = 0; n < end; n++) {
    const sequence = (link.send_base + n) & 0xffff;
    const state = <u32>slot_of(link, sequence).state;
    if (state == SLOT_LOST) return sequence;
    if (state == SLOT_NEW && fresh == LINK_NEVER) fresh = sequence;
  }
  return fresh;
}

function data(link: Link, sequence: u32, to: usize, now: u32): u32 {
  const slot = slot_of(link, sequence);
  count(link, slot.tries ? COUNT_AGAIN : COUNT_SENT);
  slot.tries++;
  slot.state = <u8>SLOT_SENT;
  slot.sent_at = now;
  slot.count = ++link.send_count;
  const frame = frame_of(link);
  memory.copy(frame + FRAME_HEADER_BYTES, out_of(link, sequence), slot.length);
  store<u16>(frame + FRAME_SEQUENCE_AT, <u16>sequence);
  const channels = slot.channel | (grant_next(link) << 4);
  return finish(link, FRAME_DATA, link.session, slot.length, channels, to);
}

/** What the far end may send on a channel, in all. */
function grant(link: Link, channel: u32): u32 {
  const total = load<u32>(taken_of(link, channel)) + quota(channel);
  store<u32>(told_of(link, channel), total);
  return total;
}

/** With this frame the far end is told of the channel of which it knows least, and what came is acknowledged. */
function grant_next(link: Link): u32 {
  let next: u32 = 0;
  let most: u32 = 0;
  let due: u32 = 0;
  for (let channel: u32 = 0; channel < CHANNELS; channel++) {
    const part = untold(link, channel) * (CREDIT_BULK_BYTES / quota(channel));
    if (part >= CREDIT_BULK_BYTES >> 1) due++;
    if (part <= most) continue;
    most = part;
    next = channel;
  }
  store<u32>(frame_of(link) + FRAME_CREDIT_AT, grant(link, next));
  link.ack_now = due > 1 ? 1 : 0;
  link.ack_count = 0;
  return next;
}

function acknowledge(link: Link, to: usize): u32 {
  store<u16>(frame_of(link) + FRAME_SEQUENCE_AT, 0);
  return finish(link, FRAME_ACK, link.session, 0, grant_next(link) << 4, to);
}

function acknowledge_all(link: Link, to: usize): u32 {
  const grants = frame_of(link) + FRAME_HEADER_BYTES;
  for (let channel: u32 = 0; channel < CHANNELS; channel++) {
    store<u32>(grants + channel * 4, grant(link, channel));
  }
  link.ack_all = 0;
  const next = grant_next(link);
  store<u16>(frame_of(link) + FRAME_SEQUENCE_AT, 0);
  return finish(link, FRAME_ACK, link.session, 4 * CHANNELS, next << 4, to);
}

function simple(link: Link, kind: u32, session: u32, bytes: u32, to: usize): u32 {
  const frame = frame_of(link);
  store<u16>(frame + FRAME_SEQUENCE_AT, 0);
  store<u32>(frame + FRAME_CREDIT_AT, 0);
  return finish(link, kind, session, bytes, 0, to);
}

/** The rest of the header, the sum, and the encoding. */
function finish(link: Link, kind: u32, session: u32, bytes: u32, channels: u32, to: usize): u32 {
  const frame = frame_of(link);
  store<u8>(frame + FRAME_KIND_AT, <u8>kind);
  store<u8>(frame + FRAME_CHANNEL_AT, <u8>channels);
  store<u16>(frame + FRAME_LENGTH_AT, <u16>bytes);
  store<u16>(frame + FRAME_SESSION_AT, <u16>session);
  store<u16>(frame + FRAME_ACK_AT, <u16>link.want);
  store<u16>(frame + FRAME_SACK_AT, <u16>(link.have >> 1));
  const length = FRAME_HEADER_BYTES + bytes;
  store<u32>(frame + length, crc32c(0, frame, length));
  const line = cobs_encode(frame, length + FRAME_CRC_BYTES, to);
  store<u8>(to + line, 0);
  count(link, COUNT_ALL);
  return line + 1;
}

/** Microseconds until send_transmit has something, LINK_NEVER if only the far end can change that. */
export function send_due(link: Link, now: u32): u32 {
  if (link.reset_session || link.say_offer || link.say_confirm) return 0;
  if (link.state == LINK_OPENING) return link.say_open ? 0 : left(now, link.open_at, OPEN_US);
  if (link.state != LINK_OPEN) return LINK_NEVER;
  if (link.ack_now || link.ack_all || link.say_probe || pick(link) != LINK_NEVER) return 0;
  let due = LINK_NEVER;
  if (link.ack_count) due = min<u32>(due, left(now, link.ack_at - ACK_US, ACK_US));
  const oldest = slot_of(link, link.send_base);
  const waits = link.send_base != link.send_next;
  if (waits && <u32>oldest.state == SLOT_SENT) {
    due = min<u32>(due, left(now, oldest.sent_at, link.rto << link.backoff));
  }
  if (!waits && link.starved) due = min<u32>(due, left(now, link.starved_at, link.rto));
  if (link.role == LINK_HOST) {
    const quiet = left(now, link.heard_at, PROBE_US);
    due = min<u32>(due, max<u32>(quiet, left(now, link.probed_at, PROBE_US)));
  }
  return due;
}

/** Of `delta` us that began at `since`. */
function left(now: u32, since: u32, delta: u32): u32 {
  const passed = now - since;
  return passed >= delta ? 0 : delta - passed;
}
