/**
 * As much CBOR as SMP needs: maps of text keys with numbers, flags, byte and text strings; anything else is stepped over.
 * State lies in struct State; nothing recurses, and nothing is read beyond the end.
 *
 * [RFC 8949] 3, 3.2.1
 */
import { state } from './memory';

export const CBOR_UINT: u32 = 0;
export const CBOR_BYTES: u32 = 2;
export const CBOR_TEXT: u32 = 3;
export const CBOR_ARRAY: u32 = 4;
export const CBOR_MAP: u32 = 5;
export const CBOR_TAG: u32 = 6;
export const CBOR_SIMPLE: u32 = 7;
export const CBOR_FALSE: u32 = 20;
export const CBOR_TRUE: u32 = 21;
/** Count of a map that ends with a break. */
export const CBOR_OPEN: u32 = 0xffffffff;
const BREAK: u8 = 0xff;

export function cbor_begin(at: usize, bytes: u32): void {
  const s = state();
  s.cbor_at = <u32>at;
  s.cbor_end = <u32>at + bytes;
  s.cbor_bad = 0;
}

function bad(): u32 {
  state().cbor_bad = 1;
  return 0;
}

/** Major type of the next item. */
export function cbor_type(): u32 {
  const s = state();
  return s.cbor_at < s.cbor_end ? load<u8>(s.cbor_at) >> 5 : bad();
}

/** Takes the head of an item and returns its argument. Numbers beyond 32 bits are bad here. */
export function cbor_head(): u32 {
  const s = state();
  if (s.cbor_bad != 0 || s.cbor_at >= s.cbor_end) return bad();
  const first = load<u8>(s.cbor_at++);
  const info: u32 = first & 31;
  if (info < 24) return info;
  if (info == 31 && first >> 5 == <u8>CBOR_MAP) return CBOR_OPEN;
  if (info > 27) return bad();
  const bytes = (<u32>1) << (info - 24);
  if (s.cbor_end - s.cbor_at < bytes) return bad();
  let value: u64 = 0;
  for (let i: u32 = 0; i < bytes; i++) value = (value << 8) | load<u8>(s.cbor_at++);
  return value < <u64>CBOR_OPEN ? <u32>value : bad();
}

/** Bytes of a string whose head comes next; it starts at `cbor_at` of before the call of `cbor_take`. */
export function cbor_take(type: u32): u32 {
  const s = state();
  if (cbor_type() != type) return bad();
  const bytes = cbor_head();
  if (s.cbor_bad != 0 || bytes > s.cbor_end - s.cbor_at) return bad();
  s.cbor_at += bytes;
  return bytes;
}

/** Where the string that was just taken begins. */
export function cbor_string(bytes: u32): u32 {
  return state().cbor_at - bytes;
}

export function cbor_is_break(): bool {
  const s = state();
  if (s.cbor_at >= s.cbor_end || load<u8>(s.cbor_at) != BREAK) return false;
  s.cbor_at++;
  return true;
}

/** Steps over an item and all that is in it. */
export function cbor_skip(): void {
  const s = state();
  for (let left: u32 = 1; left > 0 && s.cbor_bad == 0; left--) {
    const type = cbor_type();
    if (type == CBOR_BYTES || type == CBOR_TEXT) {
      cbor_take(type);
      continue;
    }
    const value = cbor_head();
    // No more items than bytes, so that a count that lies ends here.
    const room = s.cbor_end - s.cbor_at;
    if (type == CBOR_ARRAY || type == CBOR_MAP) {
      if (value > room) bad();
      else left += type == CBOR_MAP ? value * 2 : value;
    } else if (type == CBOR_TAG) left++;
  }
}

// ---------------------------------------------------------------------------------------------------- writing

function put(byte: u32): void {
  const s = state();
  store<u8>(s.out_at++, <u8>byte);
}

function put_head(type: u32, value: u32): void {
  const major = type << 5;
  if (value < 24) put(major | value);
  else if (value < 0x100) {
    put(major | 24);
    put(value);
  } else if (value < 0x10000) {
    put(major | 25);
    put(value >> 8);
    put(value);
  } else {
    put(major | 26);
    for (let shift: i32 = 24; shift >= 0; shift -= 8) put(value >> shift);
  }
}

export function put_map(): void {
  put(0xbf);
}

export function put_array(): void {
  put(0x9f);
}

export function put_end(): void {
  put(BREAK);
}

/** Text of ASCII alone. */
export function put_text(text: string): void {
  put_head(CBOR_TEXT, text.length);
  for (let i: i32 = 0; i < text.length; i++) put(load<u16>(changetype<usize>(text) + (i << 1)));
}

export function put_uint(value: u32): void {
  put_head(CBOR_UINT, value);
}

export function put_flag(key: string, value: bool): void {
  put_text(key);
  put(0xe0 | (value ? CBOR_TRUE : CBOR_FALSE));
}

export function put_string(type: u32, from: usize, bytes: u32): void {
  put_head(type, bytes);
  memory.copy(state().out_at, from, bytes);
  state().out_at += bytes;
}
