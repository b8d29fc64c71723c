/**
 * The log ring: text lines in RAM, so that they are in the dump, and on the console. The count of bytes ever written
 * stands before the text; the newest LOG_TEXT_BYTES of them are there.
 */
import { LOG_AT, LOG_BYTES } from './layout';
import { uart_write } from './board';
import { core } from './memory';

const TEXT_AT: u32 = LOG_AT + 16;
/** A power of two, so that a running count finds its place. */
export const LOG_TEXT_BYTES: u32 = LOG_BYTES >> 1;
const LINE_AT: u32 = LOG_AT + LOG_BYTES - 512; // the line being built
const LINE_ROOM: u32 = 500;

let length: u32 = 0;

/** Starts a line with the board time: "[  12.345678] ". */
export function log_begin(): void {
  length = 0;
  byte(0x5b);
  const now = core().now;
  number(now / 1000000, 5, 0x20);
  byte(0x2e);
  number(now % 1000000, 6, 0x30);
  byte(0x5d);
  byte(0x20);
}

export function log_text(text: string): void {
  for (let i = 0; i < text.length; i++) byte(<u8>text.charCodeAt(i));
}

export function log_number(value: u64): void {
  number(value, 1, 0x30);
}

export function log_hex(value: u64, digits: u32): void {
  for (let i = digits; i > 0; i--) {
    const nibble = <u8>((value >> ((i - 1) * 4)) & 15);
    byte(nibble < 10 ? 0x30 + nibble : 0x57 + nibble);
  }
}

/** Ends the line: into the ring, and out of the console. */
export function log_end(): void {
  byte(0x0a);
  let written = load<u32>(LOG_AT);
  for (let i: u32 = 0; i < length; i++, written++) {
    store<u8>(TEXT_AT + (written & (LOG_TEXT_BYTES - 1)), load<u8>(LINE_AT + i));
  }
  store<u32>(LOG_AT, written);
  uart_write(LINE_AT, length);
}

export function log(text: string): void {
  log_begin();
  log_text(text);
  log_end();
}

/** "text N" */
export function log_with(text: string, value: u64): void {
  log_begin();
  log_text(text);
  log_number(value);
  log_end();
}

/** "disk N text" */
export function log_disk(disk: u32, text: string): void {
  log_begin();
  log_text('disk ');
  log_number(disk);
  byte(0x20);
  log_text(text);
  log_end();
}

function byte(value: u8): void {
  if (length < LINE_ROOM) store<u8>(LINE_AT + length++, value);
}

function number(value: u64, width: u32, pad: u8): void {
  let digits: u32 = 1;
  for (let rest = value / 10; rest; rest /= 10) digits++;
  for (let i = digits; i < width; i++) byte(pad);
  let divisor: u64 = 1;
  for (let i: u32 = 1; i < digits; i++) divisor *= 10;
  for (; divisor; divisor /= 10) byte(0x30 + <u8>((value / divisor) % 10));
}
