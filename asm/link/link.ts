/**
 * An end of the link as its owner calls it: the same code on the host and on the board. `link` is the address of its
 * block, link_size() bytes; `now` runs in microseconds and may wrap around.
 */
import { COUNTS, LINK_CLOSED, LINK_OPEN, LINK_OPENING, RTO_FIRST_US } from './layout';
import { take } from './inbox';
import { receive } from './receive';
import { send_due, send_flush, send_transmit, send_write } from './send';
import { LINK_BYTES, count_of, link_at, link_begin } from './state';

/** Bytes of an end's block. Align it to 8. */
export function link_size(): u32 {
  return LINK_BYTES;
}

/** Power-on: LINK_HOST or LINK_BOARD. `nonce` should not be that of the life before. */
export function link_init(link: u32, role: u32, nonce: u32, now: u32): void {
  memory.fill(link, 0, LINK_BYTES);
  const l = link_at(link);
  l.role = role;
  l.offer_nonce = nonce;
  link_begin(l, 0, now, RTO_FIRST_US);
  l.lives = 0;
}

/** The host begins a session, 1 to 65535, other than the last one. */
export function link_open(link: u32, session: u32, now: u32): void {
  const l = link_at(link);
  link_begin(l, session & 0xffff, now, RTO_FIRST_US);
  l.state = LINK_OPENING;
  l.say_open = 1;
  l.say_confirm = 0;
}

/** Ends the session: the far end is told. */
export function link_close(link: u32): void {
  const l = link_at(link);
  if (l.state == LINK_OPEN) l.reset_session = l.session;
  l.state = LINK_CLOSED;
  l.session = 0;
}

/** LINK_* as in "what link_state() says". */
export function link_state(link: u32): u32 {
  return link_at(link).state;
}

/** Sessions opened since power-on. */
export function link_lives(link: u32): u32 {
  return link_at(link).lives;
}

/** Bytes that came from the line. */
export function link_receive(link: u32, from: u32, bytes: u32, now: u32): void {
  receive(link_at(link), from, bytes, now);
}

/** Next bytes for the line, at most LINE_BYTES_MAX; 0: nothing is due. */
export function link_transmit(link: u32, to: u32, now: u32): u32 {
  return send_transmit(link_at(link), to, now);
}

/** Microseconds until link_transmit has something, LINK_NEVER if only the far end can change that. */
export function link_due(link: u32, now: u32): u32 {
  return send_due(link_at(link), now);
}

/** Takes bytes for a channel; returns how many had room and credit. */
export function link_write(link: u32, channel: u32, from: u32, bytes: u32): u32 {
  return send_write(link_at(link), channel, from, bytes);
}

/** What was written so far goes out without waiting for more. */
export function link_flush(link: u32): void {
  send_flush(link_at(link));
}

/** Next bytes that came, at most FRAME_PAYLOAD_MAX: channel << 16 | bytes, LINK_NOTHING without any. */
export function link_take(link: u32, to: u32): u32 {
  return take(link_at(link), to);
}

/** Microseconds since the last good frame of this session. */
export function link_silent(link: u32, now: u32): u32 {
  return now - link_at(link).heard_at;
}

/** 1: all that was written has been acknowledged. */
export function link_idle(link: u32): u32 {
  return link_at(link).send_base == link_at(link).send_next ? 1 : 0;
}

/** COUNT_* since power-on. */
export function link_count(link: u32, what: u32): u32 {
  return what < COUNTS ? load<u32>(count_of(link_at(link), what)) : 0;
}
