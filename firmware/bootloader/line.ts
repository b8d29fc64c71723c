/**
 * SMP over a console: a frame is length, request and checksum in base64, in lines of at most 127 bytes. The first line
 * begins with 06 09, the others with 04 14. What fits nothing is dropped up to the end of its line.
 *
 * [SMP] Zephyr, services/device_mgmt/smp_transport.rst "Console"
 */
import { BASE64_BAD, BASE64_PAD, base64_encode, base64_value } from './base64';
import { crc16 } from './crc16';
import { uart_write } from './device';
import { FRAME_AT, FRAME_ROOM, LINE_AT, REPLY_AT, state } from './memory';
import { smp_answer } from './smp';

export const LINE_IDLE: u32 = 0;
const LINE_FIRST: u32 = 1; // after 06
const LINE_MORE: u32 = 2; // after 04
const LINE_IN: u32 = 3;
const LINE_SKIP: u32 = 4;

const NEWLINE: u32 = 0x0a;
const RETURN: u32 = 0x0d;
/** Bytes in a line of 127: two before and a newline behind 124 characters. */
const LINE_BYTES: u32 = 93;
const CRC_BYTES: u32 = 2;

/** True when a request was answered. */
export function line_byte(byte: u32): bool {
  const s = state();
  // Base64 has no such character: wherever it comes, a frame begins, even where the newline before it was lost.
  if (byte == 0x06) {
    s.line = LINE_FIRST;
    return false;
  }
  switch (s.line) {
    case LINE_IDLE:
      if (byte == 0x04) s.line = LINE_MORE;
      else if (byte != NEWLINE && byte != RETURN) s.line = LINE_SKIP;
      return false;
    case LINE_FIRST:
      if (byte == 0x09) line_begin();
      else s.line = byte == NEWLINE ? LINE_IDLE : LINE_SKIP;
      return false;
    case LINE_MORE:
      // Without a beginning there is nothing to go on with.
      if (byte == 0x14 && s.frame_bytes > 0) s.line = LINE_IN;
      else s.line = byte == NEWLINE ? LINE_IDLE : LINE_SKIP;
      return false;
    case LINE_IN:
      if (byte == NEWLINE) return end();
      if (byte != RETURN && !character(byte)) {
        s.frame_bytes = 0;
        s.line = LINE_SKIP;
      }
      return false;
    default:
      if (byte == NEWLINE) s.line = LINE_IDLE;
      return false;
  }
}

/** 06 09 has come: a new frame. */
export function line_begin(): void {
  const s = state();
  s.line = LINE_IN;
  s.frame_bytes = 0;
  s.quad = 0;
  s.quad_count = 0;
}

function character(byte: u32): bool {
  const s = state();
  const value = base64_value(byte);
  if (value == BASE64_BAD) return false;
  // The padding is counted above the three bytes that four characters make.
  s.quad =
    value == BASE64_PAD
      ? (s.quad & 0xff000000) + 0x01000000 + ((s.quad & 0xffffff) << 6)
      : ((s.quad & 0x03ffff) << 6) | (s.quad & 0xff000000) | value;
  if (value != BASE64_PAD && s.quad >> 24 != 0) return false;
  if (++s.quad_count < 4) return true;
  const pads = s.quad >> 24;
  if (pads > 2 || s.frame_bytes + 3 - pads > FRAME_ROOM) return false;
  for (let i: u32 = 0; i < 3 - pads; i++) store<u8>(FRAME_AT + s.frame_bytes++, <u8>(s.quad >> (16 - 8 * i)));
  s.quad = 0;
  s.quad_count = 0;
  return true;
}

/** The end of a line: is the frame whole? */
function end(): bool {
  const s = state();
  s.line = LINE_IDLE;
  const have = s.frame_bytes;
  if (s.quad_count != 0 || have < 2) return drop();
  const length: u32 = bswap<u16>(load<u16>(FRAME_AT));
  if (length + 2 > FRAME_ROOM || length < CRC_BYTES || have > length + 2) return drop();
  if (have < length + 2) return false; // more lines
  s.frame_bytes = 0;
  if (crc16(FRAME_AT + 2, length) != 0) return false;
  const reply = smp_answer(FRAME_AT + 2, length - CRC_BYTES);
  if (reply > 0) send(reply);
  return reply > 0;
}

function drop(): bool {
  state().frame_bytes = 0;
  state().quad_count = 0;
  state().quad = 0;
  return false;
}

/** Sends the reply of `bytes` bytes behind REPLY_AT + 2. */
function send(bytes: u32): void {
  const body = REPLY_AT + 2;
  store<u16>(REPLY_AT, bswap<u16>(<u16>(bytes + CRC_BYTES)));
  store<u16>(body + bytes, bswap<u16>(<u16>crc16(body, bytes)));
  const total: u32 = 2 + bytes + CRC_BYTES;
  for (let done: u32 = 0; done < total; done += LINE_BYTES) {
    store<u8>(LINE_AT, done == 0 ? 0x06 : 0x04);
    store<u8>(LINE_AT, done == 0 ? 0x09 : 0x14, 1);
    const last = base64_encode(REPLY_AT + done, min(LINE_BYTES, total - done), LINE_AT + 2);
    store<u8>(last, <u8>NEWLINE);
    uart_write(<u32>LINE_AT, <u32>(last + 1 - LINE_AT));
  }
}
