/** The receiving half of an end of the link: lines into frames, frames into order. */
import { crc32c } from '../bytes/crc32c';
import { cobs_decode } from './cobs';
import { deliver } from './inbox';
import {
  ACK_FRAMES,
  ACK_US,
  CHANNELS,
  COUNT_BAD,
  COUNT_DUPLICATE,
  FRAME_ACK,
  FRAME_ACK_AT,
  FRAME_CHANNEL_AT,
  FRAME_CONFIRM,
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
  LINE_BYTES_MAX,
  LINK_BOARD,
  LINK_HOST,
  LINK_LOST,
  LINK_OPEN,
  LINK_OPENING,
  LINK_WINDOW,
  RTO_FIRST_US,
  RTO_MAX_US,
  RTO_MIN_US,
} from './layout';
import {
  ITEM_BYTES,
  Link,
  SLOT_DONE,
  SLOT_LOST,
  SLOT_NEW,
  SLOT_SENT,
  ahead,
  count,
  in_of,
  limit_of,
  line_of,
  link_begin,
  quota,
  slot_of,
} from './state';

/** Bytes from the line, in pieces of any size. */
export function receive(link: Link, from: usize, bytes: u32, now: u32): void {
  const line = line_of(link);
  for (let i: u32 = 0; i < bytes; i++) {
    const byte = load<u8>(from + i);
    if (byte) {
      if (link.line >= LINE_BYTES_MAX) link.line_bad = 1;
      else store<u8>(line + link.line++, byte);
      continue;
    }
    const length = link.line;
    const bad = link.line_bad;
    link.line = link.line_bad = 0;
    if (!length && !bad) continue; // zeros between lines
    if (bad || !framed(line, cobs_decode(line, length))) count(link, COUNT_BAD);
    else frame(link, line, now);
  }
}

/** It is a frame, as a whole. */
function framed(at: usize, bytes: u32): bool {
  if (bytes < FRAME_HEADER_BYTES + FRAME_CRC_BYTES) return false;
  const length = <u32>load<u16>(at + FRAME_LENGTH_AT);
  if (length > FRAME_PAYLOAD_MAX || bytes != FRAME_HEADER_BYTES + length + FRAME_CRC_BYTES) return false;
  const channels = <u32>load<u8>(at + FRAME_CHANNEL_AT);
  if ((channels & 15) >= CHANNELS || channels >> 4 >= CHANNELS) return false;
  return load<u32>(at + FRAME_HEADER_BYTES + length) == crc32c(0, at, FRAME_HEADER_BYTES + length);
}

function frame(link: Link, at: usize, now: u32): void {
  const kind = <u32>load<u8>(at + FRAME_KIND_AT);
  const session = <u32>load<u16>(at + FRAME_SESSION_AT);
  if (link.role == LINK_BOARD && (kind == FRAME_OPEN || kind == FRAME_CONFIRM)) {
    return handshake(link, kind, session, at, now);
  }
  if (kind == FRAME_OFFER) {
    if (link.role == LINK_HOST && session == link.session) offered(link, at, now);
    return;
  }
  if (link.state != LINK_OPEN || session != link.session) return stranger(link, kind, session);
  if (kind == FRAME_RESET) {
    link.state = LINK_LOST;
    link.session = 0;
    return;
  }
  link.heard_at = now;
  acknowledged(link, load<u16>(at + FRAME_ACK_AT), load<u16>(at + FRAME_SACK_AT), now);
  if (kind == FRAME_DATA || kind == FRAME_ACK) {
    granted(link, (<u32>load<u8>(at + FRAME_CHANNEL_AT)) >> 4, load<u32>(at + FRAME_CREDIT_AT));
  }
  if (kind == FRAME_DATA) data(link, at, now);
  else if (kind == FRAME_ACK) grants(link, at);
  else if (kind == FRAME_PROBE) link.ack_all = 1;
}

/** Deny by default: who speaks of a session that is none is told so, by the board. */
function stranger(link: Link, kind: u32, session: u32): void {
  if (link.role != LINK_BOARD || kind == FRAME_RESET || !session) return;
  if (session == link.offered) link.say_offer = 1;
  else link.reset_session = session;
}

/** The board's part. */
function handshake(link: Link, kind: u32, session: u32, at: usize, now: u32): void {
  if (!session || (link.state == LINK_OPEN && session == link.session)) return;
  if (kind == FRAME_OPEN) {
    if (session != link.offered) {
      link.offered = session;
      link.offer_nonce = link.offer_nonce * 1664525 + 1013904223;
    }
    link.say_offer = 1;
    return;
  }
  if (session != link.offered || <u32>load<u16>(at + FRAME_LENGTH_AT) != 4) return;
  if (load<u32>(at + FRAME_HEADER_BYTES) != link.offer_nonce) return;
  link.offered = link.say_offer = 0;
  link_begin(link, session, now, RTO_FIRST_US);
  link.state = LINK_OPEN;
}

/** The host's part. */
function offered(link: Link, at: usize, now: u32): void {
  if (<u32>load<u16>(at + FRAME_LENGTH_AT) != 4) return;
  const nonce = load<u32>(at + FRAME_HEADER_BYTES);
  if (link.state == LINK_OPENING) {
    link.nonce = nonce;
    link_begin(link, link.session, now, RTO_FIRST_US);
    link.state = LINK_OPEN;
  }
  if (link.state == LINK_OPEN && nonce == link.nonce) link.say_confirm = 1;
}

// ------------------------------------------------------------------------------------------------ acknowledgement

function acknowledged(link: Link, ack: u32, sack: u32, now: u32): void {
  const sent = ahead(link.send_next, link.send_base);
  const whole = ahead(ack, link.send_base);
  if (whole > sent) return; // an old frame
  let newest: u32 = 0;
  for (let n: u32 = 0; n < sent; n++) {
    const slot = slot_of(link, link.send_base + n);
    const there = n < whole || (n > whole && n - whole <= 15 && (sack >> (n - whole - 1)) & 1);
    if (!there || <u32>slot.state == SLOT_NEW || <u32>slot.state == SLOT_DONE) continue;
    slot.state = <u8>SLOT_DONE;
    if (slot.tries == 1) {
      // Karn: only of a frame that went once is it known which sending was answered.
      measured(link, now - slot.sent_at);
      link.backoff = 0;
    }
    if (!newest || slot.count - newest < 0x80000000) newest = slot.count;
  }
  if (newest) lost_before(link, newest);
  while (link.send_base != link.send_next && <u32>slot_of(link, link.send_base).state == SLOT_DONE) {
    link.send_base = (link.send_base + 1) & 0xffff;
  }
}

/** Three that went later are there: this one is not late but lost. */
function lost_before(link: Link, newest: u32): void {
  const sent = ahead(link.send_next, link.send_base);
  for (let n: u32 = 0; n < sent; n++) {
    const slot = slot_of(link, link.send_base + n);
    if (<u32>slot.state == SLOT_SENT && newest - slot.count >= 3 && newest - slot.count < 0x80000000) {
      slot.state = <u8>SLOT_LOST;
    }
  }
}

/** RFC 6298, 2. */
function measured(link: Link, rtt: u32): void {
  rtt = min<u32>(max<u32>(rtt, 1), RTO_MAX_US);
  if (!link.srtt) {
    link.srtt = rtt;
    link.rttvar = rtt >> 1;
  } else {
    const error = rtt > link.srtt ? rtt - link.srtt : link.srtt - rtt;
    link.rttvar = (3 * link.rttvar + error) >> 2;
    link.srtt = (7 * link.srtt + rtt) >> 3;
  }
  link.rto = min<u32>(max<u32>(link.srtt + 4 * link.rttvar, RTO_MIN_US), RTO_MAX_US);
}

function grants(link: Link, at: usize): void {
  if (<u32>load<u16>(at + FRAME_LENGTH_AT) != 4 * CHANNELS) return;
  for (let channel: u32 = 0; channel < CHANNELS; channel++) {
    granted(link, channel, load<u32>(at + FRAME_HEADER_BYTES + channel * 4));
  }
}

/** Totals only rise: an old frame takes nothing back. No more than the room is ever granted beyond what was taken. */
function granted(link: Link, channel: u32, total: u32): void {
  const rise = total - load<u32>(limit_of(link, channel));
  if (!rise || rise > quota(channel)) return;
  store<u32>(limit_of(link, channel), total);
  link.starved = 0;
}

// ----------------------------------------------------------------------------------------------------------- data

function data(link: Link, at: usize, now: u32): void {
  const channel = (<u32>load<u8>(at + FRAME_CHANNEL_AT)) & 15;
  const n = ahead(load<u16>(at + FRAME_SEQUENCE_AT), link.want);
  if (n >= LINK_WINDOW || (link.have >> n) & 1) {
    link.ack_all = 1; // our acknowledgement was lost, and with it a grant
    return count(link, COUNT_DUPLICATE);
  }
  const length = <u32>load<u16>(at + FRAME_LENGTH_AT);
  const place = in_of(link, link.want + n);
  store<u16>(place, <u16>length);
  store<u8>(place + 2, <u8>channel);
  memory.copy(place + ITEM_BYTES, at + FRAME_HEADER_BYTES, length);
  link.have |= 1 << n;
  if (n) link.ack_now = 1;
  while (link.have & 1) {
    if (!deliver(link, in_of(link, link.want))) {
      // Sent without credit: it will come again.
      link.have &= ~1;
      return count(link, COUNT_DUPLICATE);
    }
    link.have >>= 1;
    link.want = (link.want + 1) & 0xffff;
    link.ack_at = now + ACK_US;
    if (++link.ack_count >= ACK_FRAMES) link.ack_now = 1;
  }
}
